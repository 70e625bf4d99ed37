"""`sweeper edit`: another file for a sweep, one that has started too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sweeper.backend.disk_room import ROOM_FOR_ROWS
from sweeper.cli.asking import Yes, agreed
from sweeper.cli.options import AsJson, BackendOption
from sweeper.cli.output import escape, out, print_json, say_next
from sweeper.cli.target import find_target

if TYPE_CHECKING:
    from sweeper.cli.target import Target
    from sweeper.results.edit_sweep import Effects, SweepEdit


def edit(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[SWEEP] FILE",
            help="The sweep, by default the one created last; and its new file.",
            show_default=False,
        ),
    ],
    yes: Yes = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    backend: BackendOption = "auto",
    as_json: AsJson = False,
) -> None:
    """Give a sweep another file, also one that has started: values, ranges, run_cap, target, early termination, method.

    Says what changes, and asks. Runs stay what they are: a grid then runs what is new, and nothing twice.

    Example: sweeper edit sweeps/grid.yaml --dry-run
    """
    if len(words) > 2:
        raise typer.BadParameter("give a sweep and a file, or a file alone", param_hint="[SWEEP] FILE")
    from sweeper.cli.check import say_faults
    from sweeper.definition.check import check_file

    file = Path(words[-1])
    checked = check_file(file)
    definition = checked.sweep
    say_faults(checked)
    target = find_target(words[0] if len(words) == 2 else None, backend)
    target.check_room(ROOM_FOR_ROWS)
    from sweeper.results.edit_sweep import SweepEdit

    found = SweepEdit(target.ref, target.settings, target.backend, file=file, definition=definition)
    if not as_json:
        _say_changes(found)
    effects = found.effects()
    if not found.changes:
        _tell(found, effects, applied=False, as_json=as_json)
        return
    if not as_json:
        _say_effects(found, effects)
    if dry_run or not agreed(f"Change sweep {target.ref.path}?", yes=yes):
        _tell(found, effects, applied=False, as_json=as_json)
        raise typer.Exit(0 if dry_run else 1)
    effects = found.apply()
    _tell(found, effects, applied=True, as_json=as_json, target=target)


def _say_changes(found: SweepEdit) -> None:
    for change in found.changes:
        out.print(escape(str(change)), soft_wrap=True)


def _say_effects(found: SweepEdit, effects: Effects) -> None:
    from sweeper.results.edit_sweep import in_words

    for line in in_words(effects, found.state):
        out.print(escape(line), soft_wrap=True)


def _tell(found: SweepEdit, effects: Effects, *, applied: bool, as_json: bool, target: Target | None = None) -> None:
    if as_json:
        print_json(found.to_json(effects, applied=applied))
        return
    name = escape(found.ref.path)
    if applied:
        out.print(f"sweep {name} has its new file, and is {effects.state.word}", soft_wrap=True)
        if target is not None and effects.more:
            _say_next(target, effects)
    elif found.changes:
        out.print(f"sweep {name} is as it was", soft_wrap=True)
    else:
        out.print(f"nothing changes: sweep {name} has this file", soft_wrap=True)


def _say_next(target: Target, effects: Effects) -> None:
    """Name the command that usually follows; a launch that is at work here goes on by itself."""
    from sweeper.journal.directories import SweepDir

    if effects.stopped:
        say_next(target.command("resume"))
    elif SweepDir.of(target.settings.home, target.ref).launchers():
        say_next(target.command("status"))
    else:
        say_next(target.command("launch"))
