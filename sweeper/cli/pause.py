"""`sweeper pause`."""

from __future__ import annotations

from sweeper.cli.options import AsJson, BackendOption, Reason, Sweep
from sweeper.cli.output import say_next
from sweeper.cli.sweep_state import change_state
from sweeper.cli.target import find_target


def pause(sweep: Sweep = None, reason: Reason = "", backend: BackendOption = "auto", as_json: AsJson = False) -> None:
    """Start no new runs until `sweeper resume`; workers wait.

    Example: sweeper pause
    """
    target = find_target(sweep, backend)
    change_state(target, "pause", "paused", reason=reason, as_json=as_json)
    if not as_json:
        say_next(target.command("resume"))
