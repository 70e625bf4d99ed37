"""Options of `sweeper launch` that other commands which run sweeps share."""

from __future__ import annotations

from typing import Annotated

import typer

MAX_SLOTS = 1000
"""More processes than that on one machine are a slip of the finger."""

Gpus = Annotated[
    str | None,
    typer.Option(
        metavar="GPUS", help="all (default), idle, or numbers as in nvidia-smi, ranges and UUIDs: 0,2-3,GPU-8932f93"
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
