"""`sweeper launch --on slurm|ray`: what the options ask of a cluster, and who answers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from sweeper.cli.launch_options import Engine, seconds
from sweeper.errors import UsageError

if TYPE_CHECKING:
    from sweeper.launch.cluster_request import ClusterRequest

CLUSTER = {
    "nodes_per_run": "--nodes-per-run",
    "keep": "--keep",
    "partition": "--partition",
    "time": "--time",
    "slurm": "--slurm",
    "server": "--server",
    "key_file": "--key-file",
    "certificate": "--certificate",
    "insecure_http": "--insecure-http",
    "server_time": "--server-time",
    "snapshot_every": "--snapshot-every",
    "address": "--address",
}
"""Options that say something about a cluster only, by their argument."""
NOT_ON = {
    "slurm": {"per_gpu": "--per-gpu", "share": "--share", "address": "--address"},
    "ray": {
        "share": "--share",
        "keep": "--keep",
        "partition": "--partition",
        "time": "--time",
        "slurm": "--slurm",
        "server_time": "--server-time",
        "snapshot_every": "--snapshot-every",
    },
}
"""Options that say nothing to an engine."""


NOT_BY_SLURM = {
    "time": "--time",
    "t": "--time",
    "head.time": "--server-time",
    "head.t": "--server-time",
    "nodes": "--nodes-per-run",
    "N": "--nodes-per-run",
    **dict.fromkeys(("array", "a", "ntasks", "n", "ntasks-per-node"), "--gpus or --workers"),
    **dict.fromkeys(("signal", "requeue", "no-requeue", "open-mode", "output", "o", "export", "wrap"), ""),
}
"""Options of sbatch by which jobs stand and fall: the one of ours that says so, or nothing for what stays as it is."""


def check_local(given: Mapping[str, Any]) -> None:
    """Refuse what says something about a cluster only.

    Raises:
        UsageError: Such an option is given.
    """
    if names := [option for name, option in CLUSTER.items() if _is_given(given[name])]:
        raise UsageError(f"{names[0]} says nothing about this machine", "add where workers are started: --on slurm")


def launch_on(on: Engine, given: Mapping[str, Any], starting: ExitStack, **options: Any) -> None:
    """Launch a sweep on a cluster.

    Args:
        on: What starts the workers.
        given: The command's arguments, by name.
        starting: What moves on the terminal until something is printed, and is closed then.
        options: What `prepare_launch` takes of them: the trainer, the number of runs, the rules.

    Raises:
        UsageError: Options do not go together.
    """
    request = cluster_request(on, given)
    if on == "ray":
        from sweeper.cli.launch_ray import launch_on_ray  # here for the reason in target.py

        launch_on_ray(request, given, starting, **options)
    else:
        from sweeper.cli.launch_slurm import launch_on_slurm

        launch_on_slurm(request, given, starting, **options)


def cluster_request(on: Engine, given: Mapping[str, Any]) -> ClusterRequest:
    """Read the options that ask for workers of a cluster.

    Raises:
        UsageError: One says nothing there, or they do not go together.
    """
    from sweeper.launch.cluster_request import SERVER_AS_JOB, SNAPSHOT_EVERY_S, ClusterRequest, count_workers

    for name, option in NOT_ON[on].items():
        if _is_given(given[name]):
            raise UsageError(f"{option} says nothing to --on {on}", "leave it out")
    gpus, per_run, nodes = _gpus(given["gpus"]), given["gpus_per_run"] or 1, given["nodes_per_run"] or 1
    per_gpu = given["per_gpu"] or 1
    server = given["server"] or SERVER_AS_JOB
    for name in ("key_file", "certificate", "insecure_http"):
        if _is_given(given[name]) and server == SERVER_AS_JOB:
            raise UsageError(f"{CLUSTER[name]} is for a server that runs already", "name it: --server URL")
    if _is_given(given["snapshot_every"]) and server != SERVER_AS_JOB:
        fix = "leave it out, or leave --server out: then the server is a job of this launch, and is copied so often"
        raise UsageError("--snapshot-every says nothing to a server that runs already", fix)
    pairs = tuple(map(_pair, given["slurm"] or ()))
    _check_own(pairs)
    workers = count_workers(gpus, given["workers"], gpus_per_run=per_run, nodes_per_run=nodes, per_gpu=per_gpu)
    if (given["keep"] or 0) > workers:
        fix = "--gpus or --workers says how many there are in all, --keep how many of them are at work at a time"
        raise UsageError(f"--keep {given['keep']} is more than the {workers} workers that are asked for", fix)
    return ClusterRequest(
        workers=workers,
        gpus_per_node=0 if gpus is None else per_run,
        per_gpu=per_gpu,
        nodes_per_run=nodes,
        keep=given["keep"],
        scheduler_options=pairs,
        server=server,
        partition=given["partition"] or "",
        time_s=seconds(given["time"], "--time"),
        server_time_s=seconds(given["server_time"], "--server-time"),
        snapshot_every_s=seconds(given["snapshot_every"], "--snapshot-every") or SNAPSHOT_EVERY_S,
        address=given["address"] or "",
    )


def _check_own(pairs: Sequence[tuple[str, str]]) -> None:
    """Refuse options of sbatch that would take from jobs what they go by.

    Raises:
        UsageError: One is given.
    """
    for key, _ in pairs:
        own = NOT_BY_SLURM.get(key, NOT_BY_SLURM.get(key.removeprefix("head.")))
        if own is not None:
            fix = f"say {own}" if own else "leave it out: workers are warned, come back and are read by it"
            raise UsageError(f"--slurm {key}: sweeper sets that itself", fix)


def _is_given(value: object) -> bool:
    return value is not None and value is not False


def _gpus(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.strip().isdecimal():
        raise UsageError(f"--gpus {text}: on a cluster it is how many GPUs in all", "write a number: --gpus 8")
    return int(text)


def _pair(text: str) -> tuple[str, str]:
    """Read KEY=VALUE, also as sbatch has it: --KEY=VALUE."""
    key, sign, value = text.removeprefix("--").partition("=")
    if not key or not sign or "\n" in text:
        raise UsageError(f"--slurm {text!r} is no KEY=VALUE", "write an option of sbatch: --slurm account=lab")
    return key.strip(), value.strip()
