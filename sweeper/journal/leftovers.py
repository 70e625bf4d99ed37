"""What a sweep, or a run, has left on this machine, and how that is removed.

A sweep's folder is marked before its server is asked to delete it: when that was interrupted, the mark tells that what
is still here may go, though that server knows of no such sweep any more.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from sweeper import private_files
from sweeper.journal.directories import LaunchDir, SweepDir

MARK = "deleting"
RUNS_MARK = "pruning"
"""Which runs are going of a sweep that stays, and on which server, as JSON."""
_SDK_FOLDER = re.compile(r"(?:offline-)?run-\d{8}_\d{6}-(?P<run>.+)\Z")
"""What the SDK (0.31) calls its own folder of a run."""


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What lies on this machine.

    Attributes:
        checkpoints: How many runs have left checkpoints.
        size: The bytes of these and of all else: logs, the SDK's own files, downloaded models.
    """

    checkpoints: int
    size: int


def found(
    directory: SweepDir, runs: Collection[str] | None = None, *, staying: Collection[str] | None = None
) -> Leftovers:
    """Weigh what a sweep has left here, or some of its runs.

    Args:
        directory: The sweep's folder.
        runs: The runs; None for the whole sweep.
        staying: The sweep's other runs, if launches go as well of which no run stays.
    """
    if runs is None:
        kept = sum(map(_is_filled, (directory.path / "checkpoints").glob("*/")))
        return Leftovers(kept, _size([directory.path]))
    places = _places(directory, runs, staying)
    return Leftovers(sum(_is_filled(directory.checkpoints_of(run)) for run in runs), _size(places))


def _is_filled(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _places(directory: SweepDir, runs: Collection[str], staying: Collection[str] | None) -> list[Path]:
    """List what belongs to these runs alone; of launches of which a run stays the notes stay."""
    if not directory.path.is_dir():
        return []
    wanted = frozenset(runs)
    places = [place for run in runs for place in (directory.checkpoints_of(run), directory.best_of(run))]
    for place in (directory.wandb / "wandb").glob("*run-*"):
        named = _SDK_FOLDER.match(place.name)
        if named and named["run"] in wanted:
            places.append(place)
    for launch in directory.launches():
        places += _of_launch(directory, launch, wanted, staying)
    return places


def _of_launch(
    directory: SweepDir, launch: LaunchDir, wanted: frozenset[str], staying: Collection[str] | None
) -> list[Path]:
    attempts = launch.history()
    had = {attempt.run_id for attempt in attempts}
    if staying is not None and had & wanted and not had.intersection(staying) and launch.launcher() is None:
        return [launch.path]
    logs = {attempt.log for attempt in attempts if attempt.run_id in wanted and attempt.log}
    # a log elsewhere is not ours: the notes are text that anybody at the folder can write
    return [Path(log) for log in sorted(logs) if Path(log).resolve().is_relative_to(directory.path.resolve())]


def _size(places: Iterable[Path]) -> int:
    return sum(_size_of(place) for place in places)


def _size_of(place: Path) -> int:
    total = 0
    for folder, _, names in os.walk(place):
        for name in names:
            with contextlib.suppress(OSError):  # gone by now
                total += os.lstat(os.path.join(folder, name)).st_size  # noqa: PTH118 as os.walk gives them
    if place.is_file():
        total += place.stat().st_size
    return total


def mark(directory: SweepDir, server: str) -> None:
    """Note that a sweep is being deleted on a server; nothing where this machine has no folder of it."""
    if directory.path.is_dir():
        private_files.replace(directory.path / MARK, server)


def is_marked(directory: SweepDir, server: str) -> bool:
    """Whether the deletion of a sweep on a server was begun here, and not finished."""
    try:
        return (directory.path / MARK).read_text(encoding="utf-8") == server
    except (OSError, ValueError):
        return False


def mark_runs(directory: SweepDir, server: str, runs: Collection[str]) -> None:
    """Note that some runs of a sweep are being deleted on a server; nothing where this machine has no folder of it."""
    if directory.path.is_dir():
        private_files.replace(directory.path / RUNS_MARK, json.dumps({"server": server, "runs": [*runs]}))


def marked_runs(directory: SweepDir, server: str) -> tuple[str, ...]:
    """List the runs whose deletion on a server was begun here, and not finished."""
    try:
        told = json.loads((directory.path / RUNS_MARK).read_text(encoding="utf-8"))
        return tuple(map(str, told["runs"])) if told["server"] == server else ()
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def unmark(directory: SweepDir) -> None:
    """Forget that anything was to be deleted."""
    for name in (MARK, RUNS_MARK):
        (directory.path / name).unlink(missing_ok=True)


def remove(directory: SweepDir, runs: Collection[str] | None = None, *, staying: Collection[str] | None = None) -> None:
    """Remove what a sweep has left here, or some of its runs; the arguments are those of `found`.

    Raises:
        OSError: Something cannot be removed.
    """
    if runs is not None:
        for place in _places(directory, runs, staying):
            _remove(place)
        (directory.path / RUNS_MARK).unlink(missing_ok=True)
        return
    if not directory.path.is_dir():
        return
    for place in directory.path.iterdir():
        if place.name != MARK:  # last: what remains after a kill is still marked
            _remove(place)
    (directory.path / MARK).unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # somebody has just put something there
        directory.path.rmdir()


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
