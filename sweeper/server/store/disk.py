"""The disk: what is acknowledged is on it, and what it refuses is told apart from faults of ours."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sweeper.private_files import flush
from sweeper.server.errors import RequestError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # EFBIG: a limit on the size of files, as `ulimit -f` sets it
_READ_ONLY = {errno.EROFS, errno.EIO}
"""A disk that fails is mounted read-only by the system."""
_REFUSED = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
"""SQLite gives ENOSPC its own code, and an exceeded quota (EDQUOT) the one of any failed write."""


KEPT_FREE = 256 * 2**20
"""Bytes of the disk that uploads and restored files leave: the database must be able to grow."""
_WRITABLE = "make the server's data directory writable again"


class DiskFullError(RequestError):
    """The disk takes no more.

    507, not 4xx: the SDK (0.31.0) repeats GraphQL, file streams and uploads that are answered so.

    Args:
        cause: What the system said.
        todo: What to do about it.
    """

    def __init__(self, cause: object, todo: str = "make space in the server's data directory") -> None:
        what = "the server's disk takes no more, so nothing of this request was stored"
        super().__init__(f"{what} ({cause}): {todo}; it then goes on by itself", 507)


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what a full disk raises, or one that cannot be written any more, into a refusal that clients repeat.

    Raises:
        DiskFullError: The disk is full, or a quota used up.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        # the low byte: extended codes say in the others what of a write failed
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _REFUSED:
            raise DiskFullError(error) from error
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_READONLY:
            raise DiskFullError(error, _WRITABLE) from error
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFullError(error.strerror) from error
        if error.errno in _READ_ONLY:
            raise DiskFullError(error.strerror, _WRITABLE) from error
        raise


def identity(path: str) -> tuple[int, int] | None:
    """Tell a file from any other that takes its name; None if there is none.

    Raises:
        OSError: The disk does not say.
    """
    try:
        found = Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino


def size_of(path: str) -> int:
    """Give the bytes of a file; 0 if there is none."""
    return Path(path).stat().st_size if identity(path) else 0


MOST_SETTLED = 10_000
"""Folders whose names the disk is known to have: waiting once more costs little, a million paths much."""
_settled: set[Path] = set()


def make_folders(folder: Path, root: Path) -> None:
    """Make a folder below a root that is there, and wait until all the names on the way are on the disk."""
    below = [part for part in (folder, *folder.parents) if part != root and part.is_relative_to(root)]
    # one that is there may have been made just now, or by a server that was killed before it waited for the disk
    unsure = [part for part in below if part not in _settled or not part.is_dir()]
    _settled.difference_update(unsure)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for made in unsure:
        flush(made.parent)  # a folder's name lies in the one above it
    if len(_settled) > MOST_SETTLED:
        _settled.clear()
    _settled.update(unsure)


def flush_all(folder: Path) -> None:
    """Wait until everything in a folder is on the disk: files, folders, and all their names."""
    for place, _, names in os.walk(folder):
        for name in names:
            flush(Path(place) / name)
        flush(Path(place))


def flush_way_to(folder: Path) -> None:
    """Wait until the names are on the disk that lead to a folder, as far as this user may read there."""
    for above in folder.absolute().parents:
        with suppress(OSError):  # a folder that one may only pass through, or a file system that knows no such thing
            flush(above)
