"""`sweeper server prune`: the disk of sweeps that are over for long."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from sweeper.cli.asking import Yes, agreed
from sweeper.cli.options import AsJson, BackendOption, ProjectOption
from sweeper.cli.output import err, escape, out, print_json, progress_bar
from sweeper.errors import UsageError

if TYPE_CHECKING:
    from sweeper.backend.own_retention import DatabaseSpace
    from sweeper.ref import SweepRef
    from sweeper.results.prune import PrunedSweep, Pruning

SHOWN = 20
"""Lines of one kind that are printed; `--json` has all."""
_AGE = re.compile(r"(?P<number>\d{1,6}(?:\.\d{1,6})?)(?P<unit>[hdw])\Z")
_HOURS = {"h": 1, "d": 24, "w": 168}
_WHY = {
    "prior": "a sweep learns from it",
    "artifact": "its artifact is needed",
    "confirmed": "it was confirmed",
    "confirms": "it confirms one",
    "unread": "its sweep's file is of another version",
}


class PruneCommand(TyperCommand):
    """The command, with an option that may stand without its number: `--keep-best` is `--keep-best 1`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the number behind the option where it stands alone."""
        at = args.index("--keep-best") + 1 if "--keep-best" in args else None
        if at is not None and (at == len(args) or args[at].startswith("-")):
            args = [*args[:at], "1", *args[at:]]
        return super().parse_args(ctx, args)


def prune(  # noqa: PLR0917 Typer passes them by name
    older_than: Annotated[
        str, typer.Option(metavar="AGE", help="What ended longer ago than this: 90d, 12w, 48h.", show_default=False)
    ],
    keep_best: Annotated[
        int, typer.Option(min=0, metavar="[N]", help="So many of the best runs of each sweep stay; 0 keeps none.")
    ] = 1,
    project: ProjectOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    yes: Yes = False,
    backend: BackendOption = "auto",
    as_json: AsJson = False,
) -> None:
    """Free the disk of sweeps that are over for long: their runs go, but for the best of each.

    What has not ended stays, and what others still need: prior runs of sweeps that go on, what is or was confirmed,
    artifacts that are used, linked or have an alias. Says what goes, and asks. Interrupted, the same command goes on.

    Example: sweeper server prune --older-than 90d --keep-best
    """
    before = datetime.now(UTC) - _age(older_than)
    from sweeper.cli.target import find_server

    settings, server = find_server(backend)
    if server is None:  # there never was one, and this is no reason to start it
        _end(None, before, [], None, deleted=False, as_json=as_json)
        return
    from sweeper.results.prune import Pruning

    with progress_bar("looking at sweeps") as bar:
        found = Pruning(
            settings,
            server,
            before=before,
            keep=keep_best,
            project=project,
            tell=lambda done: bar.reach(done, done),
        )
    if not as_json:
        _say(found, before)
    deleted = bool(found.sweeps) and not dry_run and agreed("Delete for good?", yes=yes)
    kept: list[tuple[SweepRef, str]] = []
    space = found.space
    if deleted:
        with progress_bar("deleting", found.runs) as bar:
            kept = found.carry_out(bar.reach)
        with progress_bar("giving room back") as bar:
            space = found.free_space(bar.reach)
    _end(found, before, kept, space, deleted=deleted, as_json=as_json)
    raise typer.Exit(0 if deleted or dry_run or not found.sweeps else 1)


def _age(text: str) -> timedelta:
    read = _AGE.match(text)
    if read is None:
        raise UsageError(f"{text!r} is no age", "write a number of days, weeks or hours: 90d, 12w, 48h")
    return timedelta(hours=float(read["number"]) * _HOURS[read["unit"]])


def _say(found: Pruning, before: datetime) -> None:
    """Say what goes, what stays, and how much that frees."""
    from sweeper.readable import size

    if not found.sweeps:
        out.print(f"nothing to prune: no sweep that ended before {before:%Y-%m-%d %H:%M} UTC has runs to delete")
    for one in found.sweeps[:SHOWN]:
        _print(_line(one))
    _more(found.sweeps, "sweeps")
    for ref, run in found.needed[:SHOWN]:
        by = f": {run.by}" if run.by else ""
        _print(f"  stays: run {run.run} of {ref.path}: {_WHY.get(run.why, run.why)}{by}")
    _more(found.needed, "runs that stay")
    if found.silent:
        names = ", ".join(found.silent[:5]) + (" ..." if found.silent[5:] else "")
        what = f"{_many(len(found.silent), 'sweep')} that nobody has ended, silent since then: {names}"
        _print(f"  stays: {what} (sweeper cancel SWEEP ends one)")
    if found.sweeps:
        _print(f"in all: {_many(len(found.sweeps), 'sweep')}, {_many(found.runs, 'run')}, {_sums(found.sweeps)}")
        if found.space is not None:
            _print(f"  of the database about {size(found.about_bytes)} of {size(found.space.size)}")


def _line(one: PrunedSweep) -> str:
    if not one.id:
        return f"sweep {one.ref.path}: what an interrupted command has left here, {_here([one])}"
    of = "" if one.whole else f"{len(one.runs)} of "
    what = f"{of}{_many(len(one.runs) + len(one.staying), 'run')}{' and the sweep' if one.whole else ''}"
    return f"sweep {one.ref.path}, ended {one.ended_at[:10]}: {what}, {_sums([one])}"


def _sums(sweeps: Sequence[PrunedSweep]) -> str:
    from sweeper.readable import size

    rows, files, artifacts = (sum(getattr(one, name) for one in sweeps) for name in ("rows", "files", "artifacts"))
    parts = [
        _many(rows, "row"),
        f"{_many(files, 'file')} ({size(sum(one.file_bytes for one in sweeps))})",
        f"{_many(artifacts, 'artifact')} ({size(sum(one.artifact_bytes for one in sweeps))})",
    ]
    here = _here(sweeps)
    return ", ".join(parts) + (f"; on this machine {here}" if here else "")


def _here(sweeps: Iterable[PrunedSweep]) -> str:
    from sweeper.readable import size

    left = [one.here for one in sweeps]
    total = sum(one.size for one in left)
    return f"{_many(sum(one.checkpoints for one in left), 'checkpoint')}, {size(total)} with logs" if total else ""


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _more(lines: Sequence[object], what: str) -> None:
    if len(lines) > SHOWN:
        _print(f"  … {len(lines) - SHOWN:,} more {what}: --dry-run --json")


def _print(text: str) -> None:
    out.print(escape(text), soft_wrap=True)


def _end(
    found: Pruning | None,
    before: datetime,
    kept: Sequence[tuple[SweepRef, str]],
    space: DatabaseSpace | None,
    *,
    deleted: bool,
    as_json: bool,
) -> None:
    """Say what was done."""
    from sweeper.readable import runs_word, size

    if as_json:
        print_json(_document(found, before, kept, space, deleted=deleted))
        return
    for ref, why in kept:
        err.print(f"[yellow]{escape(f'stays: {ref.path}: {why}')}[/]", soft_wrap=True)
    if found is None:
        out.print("nothing to prune: there is no server yet")
    elif deleted:
        out.print(f"deleted: {runs_word(found.runs)} of {_many(len(found.sweeps), 'sweep')}")
        if found.space and space:
            _print(f"the database has {size(space.size)} instead of {size(found.space.size)}")
            if space.free and not space.gives_back:
                _print(f"  {size(space.free)} of it are free for what comes: see docs/operations.md, Freeing the disk")
    elif found.sweeps:
        out.print("nothing was deleted")


def _document(
    found: Pruning | None,
    before: datetime,
    kept: Sequence[tuple[SweepRef, str]],
    space: DatabaseSpace | None,
    *,
    deleted: bool,
) -> dict[str, Any]:
    was = found.space if found else None
    database = was and {
        "bytes_before": was.size,
        "about_bytes": found.about_bytes if found else None,
        "bytes": (space or was).size,
        "free_bytes": (space or was).free,
        "gives_back": was.gives_back,
    }
    needed = found.needed if found else ()
    return {
        "deleted": deleted,
        "before": before.isoformat(timespec="seconds"),
        "sweeps": [one.to_json() for one in found.sweeps] if found else [],
        "needed": [{"sweep": ref.path, "run": run.run, "why": run.why, "by": run.by} for ref, run in needed],
        "silent": [*found.silent] if found else [],
        "stayed": [{"sweep": ref.path, "why": why} for ref, why in kept],
        "database": database,
    }
