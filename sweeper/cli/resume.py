"""`sweeper resume`."""

from __future__ import annotations

from sweeper.cli.options import BackendOption, Sweep
from sweeper.cli.output import say_next
from sweeper.cli.sweep_state import change_state


def resume(sweep: Sweep = None, backend: BackendOption = "auto") -> None:
    """Go on with a paused or ended sweep.

    Example: sweeper resume
    """
    change_state("resume", "running", sweep, backend)
    say_next("sweeper launch")
