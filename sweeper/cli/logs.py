"""`sweeper logs`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sweeper.cli.completion import complete_log
from sweeper.cli.options import AsJson
from sweeper.cli.output import print_json
from sweeper.errors import UsageError
from sweeper.journal.rank_files import rank_log
from sweeper.plain_text import plain_log
from sweeper.settings import Settings


def logs(
    name: Annotated[
        str, typer.Argument(metavar="RUN|SLOT", help="A run's id, or a slot such as gpu0.", autocompletion=complete_log)
    ],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run ends.")] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="With colours and whatever else a terminal obeys, as the run wrote it.")
    ] = False,
    rank: Annotated[
        int,
        typer.Option("--rank", metavar="R", min=0, help="What another process of a run over several nodes printed."),
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Print what a run of this machine printed: its newest attempt, or the newest run of a slot.

    Example: sweeper logs -f gpu0
    """
    from sweeper.launch.background import find_log, read_log  # it brings the SDK's room and pydantic

    first, goes_on = find_log(Settings.from_env().home, name)
    log = rank_log(first, rank)
    if rank and not log.exists():
        known = len(list(first.parent.glob(rank_log(first, 1).name.replace(".rank1.", ".rank*."))))
        raise UsageError(f"{name} has no log of a rank {rank}", f"beside the first, it has those of {known} ranks")
    if as_json:
        ended = not goes_on()  # asked first: what it writes meanwhile may be missing
        text = "".join(read_log(log, goes_on, follow=follow))
        print_json({"log": str(log), "ended": follow or ended, "text": text if raw else plain_log(text)})
        return
    for text in read_log(log, goes_on, follow=follow):
        sys.stdout.write(text if raw else plain_log(text))  # past rich, which would wrap it
        sys.stdout.flush()  # for whoever follows it through a pipe
