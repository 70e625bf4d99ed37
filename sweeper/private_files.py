"""Files and folders that are their user's alone, whatever the umask, and whether the state directory is."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO, Any

from sweeper.errors import SweeperError


def make_folder(place: Path) -> None:
    """Make a folder that only its user can enter, and what is missing above it; one that is there stays as it is.

    Raises:
        OSError: It cannot be made.
    """
    if not place.is_dir():
        if not place.parent.exists():
            make_folder(place.parent)
        place.mkdir(mode=0o700, exist_ok=True)


def open_file(place: Path, mode: str = "w") -> IO[Any]:
    """Open a file to write to; one that is made has its user as its only reader.

    Raises:
        OSError: It cannot be opened.
    """
    encoding = None if "b" in mode else "utf-8"
    return open(place, mode, encoding=encoding, opener=lambda path, flags: os.open(path, flags, 0o600))


def replace(place: Path, text: str) -> None:
    """Write a file that is there whole or as it was before, on a full disk and after a power failure too.

    Its user is its only reader. It is on the disk when this returns.

    Raises:
        OSError: It cannot be written.
    """
    fresh = place.with_suffix(".new")
    with open_file(fresh) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())  # before it has its name: the name could else be there without the text
    fresh.replace(place)
    flush(place.parent)


def flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk.

    Raises:
        OSError: The disk failed: whether they are, nobody knows.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_home(home: Path) -> None:
    """See that nobody else can put files into the state directory: they would be believed, and run.

    Raises:
        SweeperError: Somebody can.
    """
    try:
        found = home.stat()
    except OSError:  # it is not there yet, or nobody can read it: whoever needs it tells
        return
    elsewhere = "set SWEEPER_HOME to a directory of yours"
    if found.st_uid != os.geteuid():
        raise SweeperError(f"{home} belongs to another user (uid {found.st_uid})", elsewhere)
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        fix = f"look what is in it, then: chmod go-w {home}; or {elsewhere}"
        raise SweeperError(f"other users can write into {home}", fix)
