"""Asking a person before something is done that cannot be undone."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sweeper.errors import SweeperError

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def agreed(question: str, *, yes: bool) -> bool:
    """Whether a person agrees, or has agreed with `--yes`; where nobody can be asked, that is an error.

    Raises:
        SweeperError: There is no terminal to ask at.
    """
    if yes:
        return True
    if not (sys.stdin and sys.stdin.isatty()):
        raise SweeperError("nobody can be asked: this is no terminal", "look at what was said above, and give --yes")
    return typer.confirm(question, err=True)
