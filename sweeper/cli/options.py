"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from sweeper.settings import BackendChoice

Sweep = Annotated[
    str | None,
    typer.Argument(help="ID, PROJECT/ID or ENTITY/PROJECT/ID; the sweep created last if left out.", show_default=False),
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
