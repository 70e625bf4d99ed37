"""A backup put back into a data directory: unpacked beside it, checked, and only then moved to its place."""

from __future__ import annotations

import gzip
import json
import shutil
import tarfile
import tempfile
import zlib
from datetime import UTC, datetime
from pathlib import Path

from sweeper.errors import StoreError
from sweeper.findings import Verdict
from sweeper.server.admin import integrity
from sweeper.server.admin.backup import FORMAT, MANIFEST, OF_THE_PROCESS, REPLACED
from sweeper.server.store import disk
from sweeper.server.store.users import DATABASE


def restore(place: Path, data: Path, *, now: float, force: bool = False) -> Path | None:
    """Put a backup's content into a data directory on which no server runs.

    Args:
        place: The backup.
        data: The data directory, which is there.
        now: The time.
        force: Put aside what the directory holds.

    Returns:
        The folder in it with what it held before; None if it held nothing.

    Raises:
        StoreError: It is no whole backup of a version that we know, or the directory holds data.
    """
    held = [entry for entry in data.iterdir() if not entry.name.startswith((".", REPLACED))]
    held = [entry for entry in held if entry.name not in OF_THE_PROCESS]
    if (data / DATABASE).exists() and not force:
        raise StoreError(f"{data} holds a server's data", "give an empty --data DIR, or --force to put it aside first")
    # in the directory itself: from there to its place everything is moved, not copied
    fresh = Path(tempfile.mkdtemp(dir=data, prefix=".restoring-"))
    try:
        with disk.refusing():
            _unpack(place, fresh)
        _check(place, fresh)
        aside = _put_aside(held, data, now) if held else None
        # the database last: without it a directory counts as empty, so a restore that was killed can be repeated
        for entry in sorted(fresh.iterdir(), key=lambda entry: entry.name == DATABASE):
            entry.replace(data / entry.name)
        disk.flush(data)
    except disk.DiskFullError as error:
        raise StoreError(f"{place} was not restored: {error.message}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return aside


def _unpack(place: Path, fresh: Path) -> None:
    try:
        with tarfile.open(place) as tar:
            first = tar.next()  # ours begin with it: a stranger's archive is refused before anything is unpacked
            text = tar.extractfile(first) if first and first.name == MANIFEST else None
            if text is None or json.load(text).get("format") != FORMAT:
                raise StoreError(
                    f"{place} is no backup that this sweeper knows", "make one: sweeper server backup FILE"
                )
            members = [member for member in tar if member.name != MANIFEST]
            tar.extractall(fresh, members, filter="data")  # refuses what climbs out, links and devices
    except (tarfile.TarError, EOFError, ValueError, zlib.error, gzip.BadGzipFile) as error:
        why = str(error).partition(":\n")[0]  # what follows names tarfile's ways of opening a file
        raise StoreError(f"{place} is no whole backup: {why}", "take another one") from error
    except FileNotFoundError as error:
        raise StoreError(f"there is no {place}", "give the file that `sweeper server backup` wrote") from error


def _check(place: Path, fresh: Path) -> None:
    found = [finding for finding in integrity.examine(fresh, deep=True) if finding.verdict is Verdict.FAIL]
    if found:
        raise StoreError(f"{place}: {found[0].check}: {found[0].found}", "take another backup; this one is not whole")


def _put_aside(held: list[Path], data: Path, now: float) -> Path:
    aside = data / f"{REPLACED}{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H%M%SZ}"
    aside.mkdir(mode=0o700)
    for entry in held:
        entry.replace(aside / entry.name)
    return aside
