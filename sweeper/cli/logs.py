"""`sweeper logs`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sweeper.settings import Settings


def logs(
    name: Annotated[str, typer.Argument(metavar="RUN|SLOT", help="A run's id, or a slot such as gpu0.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run ends.")] = False,
) -> None:
    """Print what a run of this machine printed: its newest attempt, or the newest run of a slot.

    Example: sweeper logs -f gpu0
    """
    from sweeper.launch.background import find_log, read_log  # it brings the SDK's room and pydantic

    log, goes_on = find_log(Settings.from_env().home, name)
    for text in read_log(log, goes_on, follow=follow):
        sys.stdout.write(text)  # raw, as rich would take a log's brackets for markup
        sys.stdout.flush()  # for whoever follows it through a pipe
