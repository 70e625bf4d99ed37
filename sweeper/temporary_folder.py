"""One temporary folder for a command and all its processes, removed with what they left in it.

The SDK, its service and Python's own libraries leave folders and sockets behind in the temporary directory when a
process is killed or ends without its exit handlers (wandb 0.31), which is how runs and workers end.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PREFIX = "sweeper-"
_NAME = re.compile(r"sweeper-[a-z0-9_]{8}")
LOCK = ".sweeper-owner"
"""What the owner holds in it; the kernel lets go when the process dies. Its name tells our folders from a user's own
of such a name, in which nothing is touched."""
SHORT = Path("/tmp")  # noqa: S108 what is made there is made by mkdtemp
LONGEST_SOCKET = 107
"""Bytes of a Unix socket's path (Linux, sockaddr_un less its end)."""
SOCKET = len("/wandb-4194304-4194304-4294967295/socket")
"""The longest that is made below TMPDIR: wandb-core's; Python's are shorter."""
PATIENCE_S = 2.0
"""For how long a process that is just dying may put something into a folder that is being removed."""


def place() -> Path:
    """Name the user's own temporary directory, also in a process that was given a folder of another command."""
    folder = Path(tempfile.gettempdir())
    named = Path(os.environ.get("TMPDIR") or folder)  # noqa: TID251 it may be gone by now, and `tempfile` looks elsewhere
    if not _NAME.fullmatch(named.name):
        return folder
    parent = named.resolve().parent  # a short name leads to where the user wants it
    return parent if parent.is_dir() else folder


@contextlib.contextmanager
def owned() -> Iterator[None]:
    """Own a folder, which is this process's TMPDIR and its children's, and remove it in the end.

    Where none can be made, everything lies in the temporary directory itself.
    """
    before, cached = os.environ.get("TMPDIR"), tempfile.tempdir  # noqa: TID251 what is put back
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            # children, and libraries of C, know no other way to be told
            os.environ["TMPDIR"] = tempfile.tempdir = str(_make(stack))  # noqa: TID251
        try:
            yield
        finally:
            tempfile.tempdir = cached
            os.environ.pop("TMPDIR", None)  # noqa: TID251 as above
            os.environ.update({} if before is None else {"TMPDIR": before})  # noqa: TID251 as above


def _make(stack: contextlib.ExitStack) -> Path:
    """Make a folder that nobody else can enter, and hold its lock; both end with the stack."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place()))
    stack.callback(_remove, folder)
    lock = stack.enter_context((draft := folder / f"{LOCK}.new").open("w", encoding="utf-8"))
    with contextlib.suppress(OSError):  # a file system without locks: nobody else removes the folder then
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        draft.rename(folder / LOCK)  # locked before it has its name, or another command takes it for a dead one's
    if len(os.fsencode(folder)) + SOCKET <= LONGEST_SOCKET or folder.parent == SHORT:
        return folder
    short = Path(tempfile.mktemp(prefix=PREFIX, dir=SHORT))  # noqa: S306 a link is never written through an old one
    short.symlink_to(folder)
    stack.callback(short.unlink, missing_ok=True)
    return short


def _remove(folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists() or time.monotonic() > deadline:
            return
        time.sleep(0.05)


def remove_left() -> None:
    """Remove the folders that killed commands of this user have left."""
    for directory in {place(), SHORT}:
        with contextlib.suppress(OSError), os.scandir(directory) as entries:
            found = [Path(entry.path) for entry in entries if _NAME.fullmatch(entry.name)]
            for path in found:
                _remove_if_left(path)


def _remove_if_left(path: Path) -> None:
    with contextlib.suppress(OSError):  # gone by now
        state = path.lstat()
        if state.st_uid != os.geteuid():
            return
        if path.is_symlink():
            if _NAME.fullmatch(path.readlink().name) and not path.exists():  # the folder it led to is gone
                path.unlink()
        elif _is_left(path):
            shutil.rmtree(path, ignore_errors=True)


def _is_left(folder: Path) -> bool:
    try:
        with (folder / LOCK).open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:  # held, no locks here, or none of ours
        return False
    return True
