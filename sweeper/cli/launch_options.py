"""Options of `sweeper launch` that other commands which run sweeps share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from sweeper.errors import UsageError

Engine = Literal["local", "slurm", "ray"]

MAX_SLOTS = 1000
"""More processes than that on one machine are a slip of the finger."""

Gpus = Annotated[
    str | None,
    typer.Option(
        metavar="GPUS",
        help="all (default), idle, or numbers as in nvidia-smi, ranges and UUIDs: 0,2-3,GPU-8932f93. "
        "On a cluster, how many in all.",
    ),
]
PerGpu = Annotated[
    int | None, typer.Option(metavar="N", min=1, max=MAX_SLOTS, help="Runs at a time on every GPU; 1 by default.")
]
Share = Annotated[bool, typer.Option("--share", help="Also take GPUs that another launch of this machine holds.")]
GpusPerRun = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="GPUs that every run sees (for DDP); 1 by default.")
]
Workers = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=1, max=MAX_SLOTS, help="CPU workers instead of GPUs, which share its cores; two by default."
    ),
]
Trainer = Annotated[
    str | None,
    typer.Option(
        metavar="MODULE:FUNCTION",
        help="The function every run calls; by default the file's `program:`, else the shipped trainer.",
    ),
]
Python = Annotated[
    str | None,
    typer.Option(
        metavar="PATH",
        help="The Python that starts the file's script, such as .venv/bin/python: the trainer's environment, with any "
        "wandb from 0.15 on and without sweeper. SWEEPER_PYTHON says so for all commands.",
    ),
]
Retries = Annotated[
    int,
    typer.Option(metavar="N", min=0, help="How often a run that failed for no fault of its own is handed out again."),
]
Timeout = Annotated[
    str | None, typer.Option(metavar="TIME", help="End a run that takes longer, such as 90s, 30m or 2h.")
]

On = Annotated[
    Engine,
    typer.Option(
        "--on",
        metavar="local|slurm|ray",
        help="Where workers are started: on this machine, by Slurm, or by Ray.",
    ),
]
NodesPerRun = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Cluster: nodes that every run has, for DDP over them.")
]
Keep = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Slurm: at most N workers at a time; the others follow, where killed jobs do not come back.",
    ),
]
Partition = Annotated[str | None, typer.Option(metavar="NAME", help="Slurm: the partition of the workers.")]
Time = Annotated[
    str | None, typer.Option("--time", metavar="TIME", help="Slurm: time limit of a worker's job, such as 4h.")
]
SlurmOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--slurm",
        metavar="KEY=VALUE",
        help="Slurm: any option of sbatch for the workers, such as account=lab; head.KEY=VALUE for the server's job.",
    ),
]
ServerPlace = Annotated[
    str | None,
    typer.Option(
        "--server", metavar="job|URL", help="Cluster: the server is a job of its own (default), or runs there already."
    ),
]
KeyFile = Annotated[Path | None, typer.Option(metavar="FILE", help="The file with the key for --server URL.")]
Certificate = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The server's TLS certificate, where nobody else vouches for it: alone trusted."),
]
InsecureHttp = Annotated[
    bool, typer.Option("--insecure-http", help="Send key and data over plain HTTP to another machine.")
]
ServerTime = Annotated[
    str | None, typer.Option(metavar="TIME", help="Slurm: time limit of the server's job, which its successor follows.")
]
SnapshotEvery = Annotated[
    str | None, typer.Option(metavar="TIME", help="Cluster: how often the server's database is copied whole; 30s.")
]
Address = Annotated[str | None, typer.Option(metavar="ADDRESS", help="Ray: the cluster's address.")]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text: str | None, option: str) -> float | None:
    """Read a time such as 90s, 30m, 2h, 1d or 1h30m; a number alone is seconds.

    Raises:
        UsageError: It is none.
    """
    if text is None:
        return None
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    total = sum(float(number) * _UNITS[unit or "s"] for number, unit in parts)
    if "".join(number + unit for number, unit in parts) != text or not total:
        raise UsageError(f"{option} {text!r} is no time", "write it as 90s, 30m, 2h, 1d or 1h30m")
    return total
