"""What the options of `sweeper launch --on ...` say about workers on a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sweeper.errors import UsageError
from sweeper.worker.spec import Slot

SERVER_AS_JOB = "job"
SNAPSHOT_EVERY_S = 30.0
GIVEN_THERE = "given on its node"
"""Stands for the device of a slot whose machine nobody knows yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterRequest:
    """Which workers are to be had, and where their server is.

    Attributes:
        workers: How many of them: each has one run at a time.
        gpus_per_node: GPUs of each worker on each of its nodes; 0 for workers on the CPU.
        per_gpu: Workers that share a GPU.
        nodes_per_run: Nodes of each worker.
        keep: So many are to be at work or queued, even where a killed job does not come back; None for no spares.
        partition: Of the workers; empty for the cluster's own choice.
        time_s: Time limit of a worker's job, in seconds; None for the cluster's own.
        scheduler_options: Further options of the scheduler's, name and value.
        server: `job`, or the address of a server that runs already.
        server_time_s: Time limit of the server's job, in seconds; None for the cluster's own.
        snapshot_every_s: How often the server's database is copied whole.
        address: Of a Ray cluster; empty for the one that Ray finds.
    """

    workers: int
    gpus_per_node: int = 0
    per_gpu: int = 1
    nodes_per_run: int = 1
    keep: int | None = None
    partition: str = ""
    time_s: float | None = None
    scheduler_options: Sequence[tuple[str, str]] = ()
    server: str = SERVER_AS_JOB
    server_time_s: float | None = None
    snapshot_every_s: float = SNAPSHOT_EVERY_S
    address: str = ""

    @property
    def excluded(self) -> list[str]:
        """The nodes that Slurm is not to take, as the user has it."""
        return [value for key, value in self.scheduler_options if key in {"exclude", "x"}]

    def slots(self, engine: str) -> tuple[Slot, ...]:
        """Name the slots of its workers: `slurm0`, `slurm1`, ...; a slot's device is known on its node only."""
        device = GIVEN_THERE if self.gpus_per_node else ""
        return tuple(Slot(name=f"{engine}{number}", device=device, threads=1) for number in range(self.workers))


def count_workers(gpus: int | None, workers: int | None, *, gpus_per_run: int, nodes_per_run: int, per_gpu: int) -> int:
    """Count the workers that so many GPUs, in all, make; or as many as were asked for on the CPU.

    Raises:
        UsageError: It says neither or both, or the GPUs do not come out even.
    """
    if (gpus is None) == (workers is None):
        fix = "say how many GPUs in all: --gpus 8; or how many workers on the CPU: --workers 8"
        raise UsageError("on a cluster, one of --gpus and --workers is needed", fix)
    if workers is not None:
        return workers
    assert gpus is not None  # noqa: S101 one of the two is given
    each = gpus_per_run * nodes_per_run
    if gpus < 1 or gpus % each:
        what = f"{gpus_per_run} GPUs on each of {nodes_per_run} nodes" if nodes_per_run > 1 else f"{gpus_per_run} GPUs"
        raise UsageError(
            f"--gpus {gpus} is no multiple of what a run takes: {what}", f"say --gpus {max(each, gpus - gpus % each)}"
        )
    return gpus // each * per_gpu
