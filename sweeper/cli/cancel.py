"""`sweeper cancel`."""

from __future__ import annotations

from sweeper.cli.options import AsJson, BackendOption, Sweep
from sweeper.cli.sweep_state import change_state
from sweeper.cli.target import find_target


def cancel(sweep: Sweep = None, backend: BackendOption = "auto", as_json: AsJson = False) -> None:
    """End a sweep and kill its running runs.

    Example: sweeper cancel
    """
    change_state(find_target(sweep, backend), "cancel", "canceled: running runs are being killed", as_json=as_json)
