"""The nodes of one job whose runs take several: the first works for its slot, the others follow it.

`python -m sweeper.launch.rank_nodes ORDERS FOLDER NAME` is what the first one holds beside its worker: it starts the
ranks of its own node that are not a run's first, and shows the other nodes that the job lives.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeper import private_files
from sweeper.journal.directories import LaunchDir
from sweeper.journal.rank_files import RankFolder
from sweeper.launch.local import worker_environ
from sweeper.processes import end_with_parent, python
from sweeper.settings import Settings
from sweeper.worker import follower, ranks
from sweeper.worker.spec import WorkerSpec

USAGE = 2
END_S = 10.0
"""How long a node's ranks may take to end behind its worker, beyond the grace of the launch."""


@dataclass(frozen=True, slots=True)
class Leading:
    """A job's first node.

    Attributes:
        environ: What its worker's environment has more.
        pid: The process that it holds; None where runs take one node.
    """

    environ: Mapping[str, str]
    pid: int | None = None


def node_of(environ: Mapping[str, str]) -> int:
    """Give this node's number in its job, as Slurm counts; 0 elsewhere."""
    said = environ.get("SLURM_NODEID", "")
    return int(said) if said.isdecimal() else 0


def session_of(environ: Mapping[str, str], native_id: str) -> str:
    """Name this life of a job: what it left when it was requeued means nothing to the next.

    Args:
        environ: Its environment, the same on all of its nodes.
        native_id: What the scheduler calls it.
    """
    return f"{native_id}.{environ.get('SLURM_RESTART_COUNT') or 0}"


def share_of(spec: WorkerSpec, cores: int) -> int:
    """Say how many threads a process of a run may have, where a node has several of them."""
    return max(1, cores // spec.ranks_per_node) if spec.nodes > 1 else cores


@contextlib.contextmanager
def leading(spec: WorkerSpec, environ: Mapping[str, str], *, session: str, name: str) -> Iterator[Leading]:
    """Lead the other nodes of a job while its worker works; does nothing where runs take one node.

    Args:
        spec: The worker's orders, for this node's devices and threads.
        environ: The worker's environment.
        session: This life of the job.
        name: The node's name.
    """
    if spec.nodes == 1:
        yield Leading({})
        return
    directory = LaunchDir(Path(spec.directory))
    folder = RankFolder.of(directory, spec.slot.name, session)
    orders = folder.path / "orders"
    spec.save(orders)
    with private_files.open_file(directory.path / f"{spec.slot.name}.ranks.log", "ab") as log:
        process = subprocess.Popen(
            python("-m", __name__, str(orders), str(folder.path), name),
            env=worker_environ(environ, threads=spec.slot.threads),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield Leading({ranks.FOLDER: str(folder.path)}, process.pid)
    finally:
        folder.close()
        try:
            process.wait(timeout=spec.rules.grace_s + END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def follow(spec: WorkerSpec, environ: Mapping[str, str], *, session: str, node: int, name: str) -> int:
    """Take part in the runs of the job's first node, until it has no more.

    Args:
        spec: The worker's orders, for this node's devices and threads.
        environ: The environment that its worker would have here.
        session: This life of the job.
        node: This node's number.
        name: Its name.

    Returns:
        The exit code: 0 when there was nothing more to do, 1 where the first node is heard of no more.
    """
    folder = RankFolder.of(LaunchDir(Path(spec.directory)), spec.slot.name, session)
    return follower.follow(spec, worker_environ(environ, threads=spec.slot.threads), folder, node=node, name=name)


def main(argv: Sequence[str]) -> int:
    """Be what the first node holds beside its worker.

    Args:
        argv: The file with the worker's orders, the folder in which the nodes talk, the node's name.
    """
    if len(argv) != 3:
        print("usage: python -m sweeper.launch.rank_nodes ORDERS FOLDER NAME", file=sys.stderr)  # noqa: T201
        return USAGE
    end_with_parent()
    orders, folder, name = argv
    environ = Settings.from_env().environ
    return follower.follow(WorkerSpec.load(Path(orders)), environ, RankFolder(Path(folder)), node=0, name=name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
