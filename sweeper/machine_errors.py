"""What a user's machine refuses, in words: files, disks, limits, memory, encodings, damaged databases.

The system says what and where; here stands what it means for sweeper and what to do. The command line asks at its
border, so that no command has to expect a full disk or a folder that somebody else owns.
"""

from __future__ import annotations

import errno
import os
import pwd
import subprocess
from pathlib import Path

from sweeper.errors import SweeperError

_MOVE = "or set SWEEPER_HOME to another directory"
_FIXES = {
    errno.ENOSPC: f"the disk is full: make space there, {_MOVE}",
    errno.EDQUOT: f"your quota there is used up: make space, {_MOVE}",
    errno.EFBIG: "a file may not grow further: `ulimit -f` says how large one may be",
    errno.EROFS: f"the disk is mounted read-only: make it writable, {_MOVE}",
    errno.ENOENT: "was it deleted or moved? Put it back or start anew; `sweeper doctor` looks at everything",
    errno.ESTALE: "the network disk has lost it: mount it again",
    errno.EIO: "the disk fails: look at the system's log (`dmesg`)",
    errno.ENOTDIR: f"a file stands where a directory is wanted: move it away, {_MOVE}",
    errno.EISDIR: "a directory stands where a file is wanted: move it away",
    errno.EEXIST: "something else is there already: move it away",
    errno.ENAMETOOLONG: "the path is too long for this disk: take a shorter one (SWEEPER_HOME, project, names)",
    errno.ELOOP: "links point at each other there: mend them",
    errno.EMFILE: "this process may open no more files: raise `ulimit -n`",
    errno.ENFILE: "this machine may open no more files: end what is not needed",
    errno.EAGAIN: "this user may start no more processes: `ulimit -u` says how many; end some",
    errno.ENOMEM: "this machine has no memory left: end what is not needed, or start fewer workers",
    errno.EBADF: "it is closed: give the command a place to print to",
    errno.EADDRNOTAVAIL: "no port is free, or the address is not this machine's",
    errno.ENOLCK: "this disk cannot lock files: take a local one, by SWEEPER_HOME",
}
_DATABASE_FIXES = {
    "SQLITE_FULL": _FIXES[errno.ENOSPC],
    "SQLITE_IOERR": f"the disk is full or fails: see `df` and `dmesg`; make space, {_MOVE}",
    "SQLITE_READONLY": f"it cannot be written: make it yours and writable, {_MOVE}",
    "SQLITE_CANTOPEN": f"see that it is there, and that you may read and write it and its directory, {_MOVE}",
    "SQLITE_BUSY": "another process holds it: try again in a moment",
    "SQLITE_LOCKED": "another process holds it: try again in a moment",
    "SQLITE_NOTADB": f"restore a backup: sweeper server restore BACKUP --force, {_MOVE}",
    "SQLITE_CORRUPT": "see `sweeper server check`; restore a backup: sweeper server restore BACKUP --force",
}


def in_words(error: BaseException) -> SweeperError | None:
    """Say what an exception means for the user; None if it can only be a fault of ours."""
    if isinstance(error, SweeperError):
        return error
    if isinstance(error, OSError):
        return refusal(error)
    if name := getattr(error, "sqlite_errorname", ""):  # of sqlite3, which only the server's store knows
        return SweeperError(f"the database cannot be used: {error}", database_fix(name))
    if (words := _of_python(error)) or error.__cause__ is None:
        return words
    return in_words(error.__cause__)  # of the server's store, whose words are for clients


def _of_python(error: BaseException) -> SweeperError | None:
    match error:
        case UnicodeError():
            return SweeperError(f"some text cannot be read or written: {error}", "use names and files in UTF-8")
        case MemoryError():
            return SweeperError("this machine has no memory left for it", _FIXES[errno.ENOMEM])
        case subprocess.TimeoutExpired():
            did = " ".join(map(str, error.cmd)) if isinstance(error.cmd, list | tuple) else error.cmd
            return SweeperError(f"a command did not end within {error.timeout:g} s: {did}", "try it again")
        case ImportError() if not (error.name or "").startswith("sweeper"):
            fix = "this Python lacks it, or has another version: install sweeper anew into a fresh environment"
            return SweeperError(f"{error.name or 'a package'} cannot be imported: {error}", fix)
    return None


def refusal(error: OSError) -> SweeperError:
    """Say what the system refuses, where, and what to do about it."""
    place = _place(error)
    if error.errno == errno.ENOENT and not place and _is_nowhere():
        return SweeperError("the current directory was deleted", "change into one that is there: cd")
    what = error.strerror or str(error) or type(error).__name__
    if error.errno in {errno.EACCES, errno.EPERM} and place:
        # a number: in a container it is the one that counts for a volume, and the machine outside has no name for it
        fix = f"make it yours and writable (its owner is to be user {os.geteuid()}), {_MOVE}"
        return SweeperError(f"cannot use {place}: {what}{_whose(Path(place))}", fix)
    message = f"cannot use {place}: {what}" if place else f"this machine refuses: {what}"
    return SweeperError(message, _FIXES.get(error.errno or 0, ""))


def database_fix(name: str) -> str:
    """Say what to do about an error of SQLite.

    Args:
        name: Its symbolic name, such as `SQLITE_IOERR_WRITE`.
    """
    return next((fix for kind, fix in _DATABASE_FIXES.items() if name.startswith(kind)), "")


def _place(error: OSError) -> str:
    places = (error.filename, error.filename2)
    named = [os.fsdecode(place) for place in places if isinstance(place, str | bytes | os.PathLike)]
    return " and ".join(named)


def _is_nowhere() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _whose(path: Path) -> str:
    """Say whom the first thing on the way to a path belongs to that this user may not use."""
    for part in (*reversed(path.parents), path):
        try:
            owner = part.stat().st_uid
        except OSError:
            return ""
        wanted = os.R_OK | os.W_OK if part == path else os.X_OK
        if not os.access(part, wanted, effective_ids=os.access in os.supports_effective_ids):
            mode = f"mode {part.stat().st_mode & 0o777:03o}"
            return f": {part} belongs to {_user(owner)} ({mode}), and you are {_user(os.geteuid())}"
    return ""


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"
