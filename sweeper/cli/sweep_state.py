"""What `stop`, `pause`, `resume` and `cancel` share: a sweep's state, changed by the SDK's own command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeper.backend.disk_room import ROOM_FOR_ROWS
from sweeper.backend.said_why import say_why
from sweeper.cli.output import escape, out, print_json
from sweeper.errors import LaunchError
from sweeper.run import SweepState

if TYPE_CHECKING:
    from sweeper.backend.sdk import StateChange
    from sweeper.cli.target import Target

_THERE_ALREADY = {
    "stop": {SweepState.FINISHED, SweepState.CANCELED},
    "cancel": {SweepState.CANCELED},
    "pause": {SweepState.PAUSED},
    "resume": {SweepState.PENDING, SweepState.RUNNING},
}
"""The states in which nothing is left to do for a change."""


def change_state(target: Target, change: StateChange, done: str, *, reason: str = "", as_json: bool = False) -> None:
    """Change the state of a sweep, and print what it is now.

    Args:
        target: The sweep.
        change: What is asked for.
        done: How the sweep is afterwards, in words.
        reason: Why, in the words of whoever asks.
        as_json: Whether to print it as JSON.

    Raises:
        LaunchError: A sweep in its state cannot be changed so.
    """
    from sweeper.backend import sdk  # here for the reason in target.py
    from sweeper.backend.any_sweeps import AnySweepReader

    say_why(reason)
    target.check_room(ROOM_FOR_ROWS)
    reader = AnySweepReader(target.ref, target.settings, target.backend)
    ref, state = target.ref, reader.state()
    if state in _THERE_ALREADY[change]:
        if as_json:
            print_json({"sweep": ref.path, "state": state.word, "changed": False})
        else:
            out.print(f"sweep {escape(ref.path)} is {state.word} already", soft_wrap=True)
        return
    if state is SweepState.CANCELED:
        fix = "create another one: sweeper create FILE"
        raise LaunchError(f"cannot {change} {ref}: it is canceled, and that is for good", fix)
    if state is SweepState.FINISHED and change != "resume":
        work = f"a run that still works: sweeper stop {ref.quoted} --run RUN"
        fix = f"`sweeper status {ref.quoted}` shows what it found; {work}"
        raise LaunchError(f"cannot {change} {ref}: it is finished already", fix)
    if state is SweepState.PENDING and change == "pause":
        sdk.set_state(ref, "resume")  # the SDK (0.31) pauses none that has not begun
    sdk.set_state(ref, change)
    if as_json:
        print_json({"sweep": ref.path, "state": reader.state().word, "changed": True})
    else:
        out.print(f"sweep {escape(ref.path)} is {done}", soft_wrap=True)
