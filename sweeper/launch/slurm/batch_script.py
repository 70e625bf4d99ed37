"""The texts that sbatch is given: pure, so that every rule of a site is met in one place.

Not by submitit, which pickles a function for every job, submits each call as a job, and asks accounting how they are:
our jobs are few and live long, what they do stands in files, and many sites have no accounting.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NOT_SHARED = 78
"""The exit code of a job whose node does not see the launch's folder (EX_CONFIG of sysexits.h)."""
MARGIN_S = 30.0
"""How long before its time limit a worker has ended its run: Slurm looks at limits twice a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchJob:
    """A job, or an array of jobs that are alike.

    Attributes:
        name: What `squeue` shows.
        command: What each of them becomes: its process is the one that Slurm's signals reach.
        folder: The launch's folder.
        output: The file of what it prints, a pattern of Slurm's; a requeued job goes on in it.
        chdir: Where the user stands.
        tasks: Of the array.
        at_once: How many of them at a time; None for all.
        nodes: Of each of them.
        gpus_per_node: GPUs on each node; 0 for none.
        partition: Empty for the site's own.
        time_s: Time limit; None for the partition's.
        warn_s: How long before that SIGUSR1 comes.
        options: Further options, which win over ours.
    """

    name: str
    command: Sequence[str]
    folder: Path
    output: str
    chdir: Path
    tasks: int = 1
    at_once: int | None = None
    nodes: int = 1
    gpus_per_node: int = 0
    partition: str = ""
    time_s: float | None = None
    warn_s: float = MARGIN_S
    options: Sequence[tuple[str, str]] = ()

    def text(self) -> str:
        """Write the script."""
        lines = [f"#SBATCH --{key}={_quoted(value)}" if value else f"#SBATCH --{key}" for key, value in self._all()]
        folder, words = shlex.quote(str(self.folder)), [*self._starter(), *self.command]
        refusal = shlex.quote(
            f"this node does not see {self.folder}: SWEEPER_HOME must be a folder that all nodes share"
        )
        # `exec`: a signal for the batch script would else wait for the end of what it has started
        script = [f"[ -d {folder} ] || {{ echo {refusal} >&2; exit {NOT_SHARED}; }}", f"exec {shlex.join(words)}"]
        return "\n".join(["#!/bin/sh", *lines, *script]) + "\n"

    def _all(self) -> list[tuple[str, str]]:
        limit = f"%{self.at_once}" if self.at_once else ""
        ours = {
            "job-name": self.name,
            "array": f"0-{self.tasks - 1}{limit}",
            "nodes": str(self.nodes),
            "ntasks-per-node": "1",
            "output": self.output,
            "open-mode": "append",
            "requeue": "",
            "export": "ALL",
            "chdir": str(self.chdir),
            "signal": f"B:USR1@{round(self.warn_s)}",
        }
        if self.gpus_per_node:
            ours["gres"] = f"gpu:{self.gpus_per_node}"
        if self.partition:
            ours["partition"] = self.partition
        if self.time_s is not None:
            ours["time"] = time_limit(self.time_s)
        if any(key.startswith("gpus") for key, _ in self.options):
            ours.pop("gres", None)  # they say themselves which GPUs
        return list({**ours, **dict(self.options)}.items())

    def _starter(self) -> list[str]:
        """What a command is started by: `srun` where it is to start once on each of several nodes."""
        return ["srun", "--ntasks-per-node=1", "--kill-on-bad-exit=1"] if self.nodes > 1 else []


def output_pattern(file: Path) -> str:
    """Name a file, which may end with one of Slurm's patterns, in a folder of any name."""
    return f"{str(file.parent).replace('%', '%%')}/{file.name}"


def time_limit(seconds: float) -> str:
    """Write a time as Slurm reads it, D-HH:MM:SS; it counts whole minutes, and we no more than was asked for."""
    minutes = max(1, int(seconds // 60))
    return f"{minutes // 1440}-{minutes // 60 % 24:02}:{minutes % 60:02}:00"


def split(workers: int, max_array_size: int) -> list[range]:
    """Share workers out to arrays that a site takes: an index is less than its MaxArraySize."""
    size = max(1, max_array_size)
    return [range(first, min(first + size, workers)) for first in range(0, workers, size)]


OURS = (
    "SBATCH_ARRAY_INX", "SBATCH_EXPORT", "SBATCH_JOB_NAME", "SBATCH_NO_REQUEUE", "SBATCH_OPEN_MODE", "SBATCH_REQUEUE",
    "SBATCH_SIGNAL",
)  # fmt: skip
"""Variables that would win over what a script says of itself."""
SECRETS = ("WANDB_API_KEY",)


def submission_environ(environ: Mapping[str, str], *, keeps_key: bool) -> dict[str, str]:
    """Make the environment that Slurm keeps for a job: the user's, without keys that its node finds in a file.

    Args:
        environ: The user's.
        keeps_key: Whether the key is for a server of others', whose address and key jobs inherit.
    """
    left_out = OURS if keeps_key else (*OURS, *SECRETS)
    return {name: value for name, value in environ.items() if name not in left_out}


def _quoted(value: str) -> str:
    """Have a value with spaces stay one word of a directive."""
    return f'"{value}"' if any(letter in value for letter in " \t'#;") else value
