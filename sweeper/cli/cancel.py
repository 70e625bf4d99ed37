"""`sweeper cancel`."""

from __future__ import annotations

from sweeper.cli.options import AsJson, BackendOption, Reason, Sweep
from sweeper.cli.sweep_state import change_state
from sweeper.cli.target import find_target


def cancel(sweep: Sweep = None, reason: Reason = "", backend: BackendOption = "auto", as_json: AsJson = False) -> None:
    """End a sweep and kill its running runs.

    Example: sweeper cancel
    """
    done = "canceled: running runs are being killed"
    change_state(find_target(sweep, backend), "cancel", done, reason=reason, as_json=as_json)
