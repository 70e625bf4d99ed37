"""What `stop`, `pause`, `resume` and `cancel` share: a sweep's state, changed by the SDK's own command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeper.cli.output import escape, out
from sweeper.cli.target import find_target
from sweeper.settings import BackendChoice

if TYPE_CHECKING:
    from sweeper.backend.sdk import StateChange


def change_state(change: StateChange, done: str, sweep: str | None, choice: BackendChoice) -> None:
    """Change the state of the sweep that is meant, and print what it is now.

    Args:
        change: What is asked for.
        done: How the sweep is afterwards, in words.
        sweep: What the user wrote; None for the sweep created last.
        choice: What `--backend` says.
    """
    from sweeper.backend import sdk  # here for the reason in target.py

    ref = find_target(sweep, choice).ref
    sdk.set_state(ref, change)
    out.print(f"sweep {escape(ref.path)} is {done}", soft_wrap=True)
