"""`sweeper resume`."""

from __future__ import annotations

from sweeper.cli.options import AsJson, BackendOption, Reason, Sweep
from sweeper.cli.output import say_next
from sweeper.cli.sweep_state import change_state
from sweeper.cli.target import find_target
from sweeper.errors import LaunchError


def resume(sweep: Sweep = None, reason: Reason = "", backend: BackendOption = "auto", as_json: AsJson = False) -> None:
    """Go on with a paused or stopped sweep; one that has made all its runs has nothing to go on with.

    Example: sweeper resume
    """
    from sweeper.results.outlook import what_gives_more, why_over  # here for the reason in target.py

    target = find_target(sweep, backend)
    status = target.reader().read()
    if why := why_over(status):
        raise LaunchError(f"sweep {target.ref} has nothing to go on with: {why}", what_gives_more(status))
    change_state(target, "resume", "running", reason=reason, as_json=as_json)
    if not as_json:
        say_next(f"sweeper status {target.ref.quoted}" if status.launchers else target.command("launch"))
