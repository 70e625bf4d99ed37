"""What was submitted of a launch, in a file of its folder: whoever watches over it later finds its jobs there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self

from sweeper import __version__, private_files
from sweeper.errors import LaunchError
from sweeper.journal.directories import LaunchDir
from sweeper.launch.cluster_request import ClusterRequest
from sweeper.launch.slurm import batch_script
from sweeper.launch.slurm.batch_script import BatchJob
from sweeper.processes import python

HEADS = 8
"""So many head jobs follow each other; the last one puts itself back into the queue."""
HEAD_TASKS_OPTION = "head."
"""What an option of sbatch begins with that is the head's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A launch's jobs.

    Attributes:
        head: The job array of the server and of who watches over the workers.
        workers: The job of each slot, as `squeue` names it.
        request: What was asked for.
        max_array_size: What the site takes.
        chdir: Where the user stood.
        serves: Whether the head is the server, too.
        server: The data directory of the server that the jobs follow; empty where their environment names it.
        scheduler: Whether the head starts the sweep's own scheduler.
        grace_s: How long a run may take to end.
        heads: How many tasks the head's array has.
        version: Of the sweeper that submitted it.
    """

    head: str = ""
    workers: Mapping[str, str] = field(default_factory=dict)
    request: ClusterRequest
    max_array_size: int
    chdir: str
    serves: bool = True
    server: str = ""
    scheduler: bool = False
    grace_s: float = 30.0
    heads: int = HEADS
    version: str = __version__

    @classmethod
    def load(cls, directory: LaunchDir) -> Self:
        """Read what stands in a launch's folder.

        Raises:
            OSError: It is not there.
        """
        data = _known(cls, json.loads(file(directory).read_text(encoding="utf-8")))
        asked = _known(ClusterRequest, data.pop("request"))
        asked["scheduler_options"] = tuple(tuple(pair) for pair in asked["scheduler_options"])
        return cls(request=ClusterRequest(**asked), **data)

    def check_version(self) -> None:
        """Make sure that who goes on is of the version that submitted it: its workers would refuse the same.

        Raises:
            LaunchError: An upgrade came in between.
        """
        if self.version != __version__:
            fix = "launch it again: runs under way are taken up"
            raise LaunchError(f"this launch is of sweeper {self.version}, and its node has {__version__}", fix)

    def save(self, directory: LaunchDir) -> None:
        """Write it into a launch's folder.

        Raises:
            OSError: It cannot be written.
        """
        private_files.replace(file(directory), json.dumps(asdict(self), default=str, indent=2))

    def with_workers(self, jobs: Mapping[str, str]) -> Self:
        """Note the jobs of some slots."""
        return replace(self, workers={**self.workers, **jobs})

    def jobs(self) -> list[str]:
        """List the numbers of all arrays."""
        return list(
            dict.fromkeys([*filter(None, [self.head]), *(job.partition("_")[0] for job in self.workers.values())])
        )

    def worker_job(self, directory: LaunchDir, slots: Path, tasks: int) -> BatchJob:
        """Describe an array of workers.

        Args:
            directory: The launch's.
            slots: A file with the slot of each task, a line each.
            tasks: How many there are.
        """
        request = self.request
        at_once = request.keep if request.keep and request.keep < tasks else None
        return BatchJob(
            name=f"sweeper-{directory.path.parents[1].name}",
            command=python("-m", "sweeper.launch.slurm.node", str(slots)),
            folder=directory.path,
            output=batch_script.output_pattern(directory.path / "slurm-%A_%a.log"),
            chdir=Path(self.chdir),
            tasks=tasks,
            at_once=at_once,
            nodes=request.nodes_per_run,
            gpus_per_node=request.gpus_per_node,
            partition=request.partition,
            time_s=request.time_s,
            warn_s=self.grace_s + batch_script.MARGIN_S,
            options=[pair for pair in request.scheduler_options if not pair[0].startswith(HEAD_TASKS_OPTION)],
        )

    def head_job(self, directory: LaunchDir) -> BatchJob:
        """Describe the array of heads, of which one is at work at a time: when it ends, the next one starts."""
        request = self.request
        own = [(key.removeprefix(HEAD_TASKS_OPTION), value) for key, value in _head_options(request.scheduler_options)]
        return BatchJob(
            name=f"sweeper-head-{directory.path.parents[1].name}",
            command=python("-m", "sweeper.launch.slurm.head", str(directory.path)),
            folder=directory.path,
            output=batch_script.output_pattern(directory.path / "head-%A_%a.log"),
            chdir=Path(self.chdir),
            tasks=self.heads,
            at_once=1,
            partition=request.partition,
            time_s=request.server_time_s,
            options=own,
        )


def _known(kind: type[Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what only another version of sweeper knows."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in data.items() if name in names}


def _head_options(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Take what is the head's alone, and what says who pays."""
    shared = {"account", "qos", "reservation", "A", "q"}
    return [pair for pair in pairs if pair[0].startswith(HEAD_TASKS_OPTION) or pair[0] in shared]


def file(directory: LaunchDir) -> Path:
    """Name the file in a launch's folder."""
    return directory.path / "slurm.json"


def write_script(directory: LaunchDir, name: str, job: BatchJob) -> Path:
    """Write a script where a user can look at it; give its path.

    Raises:
        OSError: It cannot be written.
    """
    path = directory.path / f"{name}.sbatch"
    private_files.replace(path, job.text())
    return path
