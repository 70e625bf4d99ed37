"""Which slots a launch has on a Ray cluster: a pure function of the cluster's nodes and of what was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sweeper.errors import LaunchError, NoGpuError, UsageError
from sweeper.launch.cluster_request import ClusterRequest
from sweeper.worker.spec import Slot

_ROUNDING = 1e-3
"""Ray counts in ten-thousandths: three thirds of a GPU are 0.9999."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RayNode:
    """A living node of a Ray cluster.

    Attributes:
        id: Ray's name for it.
        name: Its host's name and address.
        gpus: GPUs that it gave to Ray.
        cpus: Cores that it gave to Ray.
    """

    id: str
    name: str
    gpus: float = 0
    cpus: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RayPlan:
    """Where a launch's runs go.

    Attributes:
        slots: Its slots; Ray places them, and gives each its device.
        num_gpus: GPUs of each slot, maybe a fraction.
        num_cpus: Of Ray's CPUs, those of each slot.
        shares: Of each node, by its id, the part of its cores that a slot's runs may compute with.
        notes: What the user should know, a line each.
    """

    slots: tuple[Slot, ...]
    num_gpus: float = 0
    num_cpus: float = 0
    shares: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def plan_ray(nodes: Sequence[RayNode], asked: ClusterRequest, *, free_gpus: float, free_cpus: float) -> RayPlan:
    """Decide the slots of a launch on Ray.

    Args:
        nodes: What the cluster has.
        asked: What the user wants.
        free_gpus: GPUs that nobody holds at the moment.
        free_cpus: Cores that nobody holds.

    Raises:
        NoGpuError: The cluster has fewer GPUs.
        LaunchError: It has fewer cores.
        UsageError: Options exclude each other.
    """
    if asked.nodes_per_run > 1:
        raise UsageError("--nodes-per-run is for --on slurm", "a run on several GPUs of one node: --gpus-per-run N")
    if not asked.gpus_per_node:
        return _on_the_cpu(nodes, asked, free_cpus)
    size, shared = asked.gpus_per_node, asked.per_gpu
    if size > 1 and shared > 1:
        fix = "several runs share a GPU, or one run has several GPUs"
        raise UsageError("--per-gpu and --gpus-per-run exclude each other", fix)
    if not any(node.gpus for node in nodes):
        raise NoGpuError(f"the Ray cluster has no GPU: {_listed(nodes)}", "to run on its CPUs: --workers N")
    room = sum(int(node.gpus // size) for node in nodes)
    if asked.workers > room * shared:
        runs = f"runs of {size} GPUs on one node each" if size > 1 else "GPUs"
        has = f"the Ray cluster has {_gpus(sum(node.gpus for node in nodes))}, enough for {room} {runs}"
        fix = f"take --gpus {room * size}, or add nodes: ray start --address=..." if room else "ask for less per run"
        raise NoGpuError(f"--gpus {asked.workers // shared * size}: {has}: {_listed(nodes)}", fix)
    each = size / shared
    shares = {node.id: each / node.gpus for node in nodes if node.gpus}
    notes = _notes(asked.workers, int(free_gpus / each + _ROUNDING), "GPUs")
    return RayPlan(slots=asked.slots("ray"), num_gpus=each, shares=shares, notes=notes)


def _on_the_cpu(nodes: Sequence[RayNode], asked: ClusterRequest, free: float) -> RayPlan:
    total = sum(int(node.cpus) for node in nodes)
    if asked.workers > total:
        fix = f"take --workers {total}, or add nodes: ray start --address=..." if total else "add nodes that have some"
        raise LaunchError(f"--workers {asked.workers}: the Ray cluster has {total} CPUs: {_listed(nodes)}", fix)
    shares = {node.id: 1 / node.cpus for node in nodes if node.cpus}
    notes = _notes(asked.workers, int(free + _ROUNDING), "CPUs")
    return RayPlan(slots=asked.slots("ray"), num_cpus=1, shares=shares, notes=notes)


def _notes(slots: int, fit: int, what: str) -> tuple[str, ...]:
    if fit >= slots:
        return ()
    now = f"{max(0, fit)} of {slots} slots start now, the rest as those are freed"
    return (f"others hold {what} of the Ray cluster: {now} (`ray status` shows more)",)


def _gpus(number: float) -> str:
    return "1 GPU" if number == 1 else f"{number:g} GPUs"


def _listed(nodes: Sequence[RayNode]) -> str:
    return ", ".join(f"{node.name} ({_gpus(node.gpus)}, {node.cpus:g} CPUs)" for node in nodes) or "it has no node"
