"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sweeper.backend import embedded_server
from sweeper.cli.completion import complete_project, complete_sweep
from sweeper.settings import BackendChoice, Settings

Sweep = Annotated[
    str | None,
    typer.Argument(
        help="ID, PROJECT/ID or ENTITY/PROJECT/ID; the sweep created last if left out.",
        autocompletion=complete_sweep,
        show_default=False,
    ),
]
SweepOption = Annotated[
    str | None,
    typer.Option(
        "--sweep",
        metavar="SWEEP",
        help="The sweep that it is a run of; the one created last if left out.",
        autocompletion=complete_sweep,
        show_default=False,
    ),
]
ProjectOption = Annotated[
    str | None,
    typer.Option(
        "--project",
        "-p",
        help="PROJECT or ENTITY/PROJECT, whose sweeps alone.",
        autocompletion=complete_project,
        show_default=False,
    ),
]
BackendOption = Annotated[
    BackendChoice,
    typer.Option(
        "--backend",
        metavar="auto|local|wandb",
        help="Which server: `local` is the embedded one, `wandb` the one of WANDB_BASE_URL and WANDB_API_KEY; "
        "`auto` takes W&B where there are credentials for it.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Reason = Annotated[
    str,
    typer.Option("--reason", metavar="TEXT", help="Why: shown on its page, beside who asked.", show_default=False),
]
Data = Annotated[
    Path | None,
    typer.Option("--data", help="The server's data directory; under SWEEPER_HOME by default.", show_default=False),
]


def data_directory(data: Path | None) -> Path:
    """Name the data directory that `--data` means, as an absolute path: the server may stand elsewhere than we."""
    return (data or embedded_server.data_dir(Settings.from_env().home)).absolute()
