"""A backup put back into a data directory: unpacked beside it, checked, and only then moved to its place."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sweeper import private_files
from sweeper.errors import StoreError
from sweeper.findings import Verdict
from sweeper.server.admin import integrity
from sweeper.server.admin.backup import CONTENTS, FORMAT, MANIFEST, OF_THE_PROCESS, REPLACED
from sweeper.server.artifacts.blobs import ARTIFACTS
from sweeper.server.errors import RequestError
from sweeper.server.store import consistency, disk, mirror_files, users
from sweeper.server.store.database import reading
from sweeper.server.store.users import DATABASE, KEY_FILE

PIECE = 2**20
"""Bytes read at a time, and of the longest header: a path has some hundred."""
_UNPACKED = ".restoring-"
"""Begins the name of the folder that a backup is unpacked into."""
MAX_KEY = 256
"""Bytes of the file with the key."""
_CONTENT = re.compile(rf"{ARTIFACTS}/[0-9]{{1,18}}/[0-9a-f]{{2}}/[0-9a-f]{{32}}\Z")


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
    if ((data / DATABASE).exists() or mirror_files.holds(data)) and not force:
        raise StoreError(f"{data} holds a server's data", "give an empty --data DIR, or --force to put it aside first")
    for left in data.glob(f"{_UNPACKED}*"):  # by one that was killed, for no other is at work here
        shutil.rmtree(left)
    # in the directory itself: from there to its place everything is moved, not copied
    fresh = Path(tempfile.mkdtemp(dir=data, prefix=_UNPACKED))
    try:
        _unpack(place, fresh)
        _check(place, fresh)
        with disk.refusing():
            disk.flush_all(fresh)  # before it has its names: a power failure must not leave them and not the contents
    except disk.DiskFullError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise StoreError(f"{place} was not restored: {error.message}") from error
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    try:
        return _move(fresh, data, now)
    except OSError as error:
        raise StoreError(f"the restore broke off half-way: {error.strerror}", f"repeat it: {users.REPEAT}") from error


def _move(fresh: Path, data: Path, now: float) -> Path | None:
    """Put what was unpacked in the place of what is there; whoever is killed in between leaves a mark of it."""
    broken_off = list(data.glob(f"{users.HALF_RESTORED}*"))
    fresh = fresh.rename(data / fresh.name.replace(_UNPACKED, users.HALF_RESTORED))
    private_files.flush(data)  # from here on no server starts, whatever is cut off
    held = [entry for entry in data.iterdir() if not entry.name.startswith((".", REPLACED))]
    held = [entry for entry in held if entry.name not in OF_THE_PROCESS]
    aside = _put_aside(held, data, now, goes_on=bool(broken_off)) if held else None
    # the database last: without it a directory counts as empty, so a restore that was killed can be repeated
    for entry in sorted(fresh.iterdir(), key=lambda entry: entry.name == DATABASE):
        entry.replace(data / entry.name)
    private_files.flush(data)
    for left in [fresh, *broken_off]:
        shutil.rmtree(left)
    private_files.flush(data)
    return aside


def _unpack(place: Path, fresh: Path) -> None:
    try:
        with disk.refusing(), _opened(place) as tar:
            first = tar.next()  # ours begin with it: a stranger's archive is refused before anything is unpacked
            if first is None or first.name != MANIFEST or _read_manifest(tar, first).get("format") != FORMAT:
                raise StoreError(
                    f"{place} is no backup that this sweeper knows", "make one: sweeper server backup FILE"
                )
            while (member := tar.next()) is not None:
                tar.members.clear()  # it would remember them all
                _take(tar, member, fresh)
    except (tarfile.TarError, EOFError, ValueError, zlib.error, gzip.BadGzipFile) as error:
        why = str(error).partition(":\n")[0]  # what follows names tarfile's ways of opening a file
        raise StoreError(f"{place} is no whole backup: {why}", "take another one") from error
    except FileNotFoundError as error:
        raise StoreError(f"there is no {place}", "give the file that `sweeper server backup` wrote") from error
    except OSError as error:
        raise StoreError(f"{place} cannot be unpacked: {error.strerror}", "take another one") from error


@contextlib.contextmanager
def _opened(place: Path) -> Iterator[Any]:  # its `members` is no part of what the type says
    with place.open("rb") as file:
        is_packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        reader: Any = _Reader(gzip.GzipFile(fileobj=file) if is_packed else file)
        with tarfile.open(fileobj=reader, mode="r:") as tar:
            yield tar


class _Reader:
    """A file that gives only small pieces: tarfile takes headers whole, and a header says its own length."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int) -> bytes:
        """Read on."""
        if size > PIECE:
            raise tarfile.ReadError(f"a header of {size} bytes")
        content: bytes = self._file.read(size)
        return content


def _read_manifest(tar: tarfile.TarFile, member: tarfile.TarInfo) -> dict[str, Any]:
    file = tar.extractfile(member) if member.isreg() else None
    found = json.loads(file.read(PIECE)) if file else {}
    return found if isinstance(found, dict) else {}


def _take(tar: tarfile.TarFile, member: tarfile.TarInfo, fresh: Path) -> None:
    """Unpack one file or folder into a folder in which nobody else writes: nothing in it is a link.

    What tarfile offers for that (`filter="data"`) is not on every Python 3.11 and could be got round on others, so
    nothing of what an archive may be is trusted: only these kinds, only these names, no owners and no rights.
    """
    if not _is_ours(member):
        raise tarfile.TarError(f"{member.name[:200]!r} is nothing that a backup has")
    place = fresh.joinpath(*member.name.split("/"))
    for folder in reversed([place, *place.parents][not member.isdir() :]):
        if folder.is_relative_to(fresh):
            folder.mkdir(mode=0o700, exist_ok=True)
    if member.isdir():
        return
    if shutil.disk_usage(fresh).free < member.size + disk.KEPT_FREE:
        raise disk.DiskFullError(f"{member.name[:200]!r} has {member.size} bytes")
    source: Any = tar.extractfile(member)
    with os.fdopen(os.open(place, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_WRONLY, 0o600), "wb") as target:
        shutil.copyfileobj(source, target, PIECE)
        if target.tell() != member.size:
            raise tarfile.ReadError(f"{member.name[:200]!r} is cut off")


def _is_ours(member: tarfile.TarInfo) -> bool:
    parts = member.name.split("/")
    if any(part in {"", ".", ".."} or min(part) < " " for part in parts):
        return False
    if member.isdir():
        return parts[0] in {CONTENTS, ARTIFACTS}
    # isreg says yes to sparse files too, which claim any size without having it
    if member.type not in {tarfile.REGTYPE, tarfile.AREGTYPE} or member.issparse():
        return False
    if parts[0] == CONTENTS:
        return len(parts) >= 5  # entity, project, run, path
    if member.name == KEY_FILE:
        return member.size <= MAX_KEY
    return member.name == DATABASE or bool(_CONTENT.match(member.name))


def _check(place: Path, fresh: Path) -> None:
    hint = "take another backup; this one is not whole"
    with contextlib.suppress(FileNotFoundError):
        if not users.is_key((fresh / KEY_FILE).read_bytes().strip().decode("ascii", "replace")):
            raise StoreError(f"{place}: {KEY_FILE} holds no API key", hint)
    try:
        with reading(fresh / DATABASE) as db:
            if alien := consistency.alien_schema(db):
                raise StoreError(f"{place}: its database has what none of ours has: {', '.join(alien[:5])}", hint)
        found = [finding for finding in integrity.examine(fresh, deep=True) if finding.verdict is Verdict.FAIL]
    except RequestError as error:  # a name in it that none of ours can be
        raise StoreError(f"{place}: {error.message}", hint) from error
    if found:
        raise StoreError(f"{place}: {found[0].check}: {found[0].found}", hint)


def _put_aside(held: list[Path], data: Path, now: float, *, goes_on: bool) -> Path:
    """Move what there is into a folder; into that of a restore which broke off, if it lacks all of it."""
    aside = max(data.glob(f"{REPLACED}*"), default=None) if goes_on else None
    if aside is None or any((aside / entry.name).exists() for entry in held):
        stamp = f"{REPLACED}{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H%M%SZ}"
        same = len(list(data.glob(f"{stamp}*")))  # two restores in one second
        aside = data / (f"{stamp}-{same}" if same else stamp)
        aside.mkdir(mode=0o700)
        private_files.flush(data)  # what is moved into a folder without a name would be gone
    for entry in held:
        entry.replace(aside / entry.name)
    private_files.flush(aside)
    return aside
