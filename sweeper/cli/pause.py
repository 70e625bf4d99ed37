"""`sweeper pause`."""

from __future__ import annotations

from sweeper.cli.options import BackendOption, Sweep
from sweeper.cli.output import say_next
from sweeper.cli.sweep_state import change_state


def pause(sweep: Sweep = None, backend: BackendOption = "auto") -> None:
    """Start no new runs until `sweeper resume`; workers wait.

    Example: sweeper pause
    """
    change_state("pause", "paused", sweep, backend)
    say_next("sweeper resume")
