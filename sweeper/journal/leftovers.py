"""What a sweep, or a run, has left on this machine, and how that is removed.

A sweep's folder is marked before its server is asked to delete it: when that was interrupted, the mark tells that what
is still here may go, though that server knows of no such sweep any more.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeper import private_files
from sweeper.journal.directories import SweepDir

MARK = "deleting"


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What lies on this machine.

    Attributes:
        checkpoints: How many runs have left checkpoints.
        size: The bytes of these and of all else: logs, the SDK's own files, downloaded models.
    """

    checkpoints: int
    size: int


def found(directory: SweepDir, runs: Sequence[str] | None = None) -> Leftovers:
    """Weigh what a sweep has left here, or some of its runs."""
    if runs is None:
        kept = sum(map(_is_filled, (directory.path / "checkpoints").glob("*/")))
        return Leftovers(kept, _size([directory.path]))
    places = [place for run in runs for place in _places(directory, run)]
    return Leftovers(sum(_is_filled(directory.checkpoints_of(run)) for run in runs), _size(places))


def _is_filled(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _places(directory: SweepDir, run: str) -> Iterator[Path]:
    """List what is one run's alone; the launches' notes of it stay."""
    yield directory.checkpoints_of(run)
    yield directory.best_of(run)
    yield from (place for place in (directory.wandb / "wandb").glob("*run-*") if place.name.endswith(f"-{run}"))
    logs = {attempt.log for attempt in directory.history() if attempt.run_id == run and attempt.log}
    # a log elsewhere is not ours: the notes are text that anybody at the folder can write
    yield from (Path(log) for log in sorted(logs) if Path(log).resolve().is_relative_to(directory.path.resolve()))


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


def remove(directory: SweepDir, runs: Sequence[str] | None = None) -> None:
    """Remove what a sweep has left here, or some of its runs.

    Raises:
        OSError: Something cannot be removed.
    """
    if runs is not None:
        for place in [place for run in runs for place in _places(directory, run)]:
            _remove(place)
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
