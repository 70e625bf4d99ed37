"""Folders on network file systems, on which SQLite's locks and shared memory do not hold."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import NamedTuple

from sweeper import temporary_folder

MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = re.compile(
    r"nfs\d?|lustre|gpfs|beegfs|ceph|cifs|smb\d?|smbfs|glusterfs|orangefs|pvfs2|panfs|afs|weka|wekafs|ncpfs"
    r"|fuse\.(?:sshfs|glusterfs|ceph|ceph-fuse|lustre|beegfs|s3fs|gcsfuse|rclone|juicefs|mfs|moosefs)"
)
_ESCAPED = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """A mounted file system.

    Attributes:
        point: Where.
        kind: Which, such as `nfs4`.
    """

    point: Path
    kind: str


def folder_for(home: Path) -> Path:
    """Name a folder on this machine's own disk for the database of a state directory, as far as `TMPDIR` is on it."""
    name = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:12]
    return temporary_folder.place() / f"sweeper-server-{os.geteuid()}-{name}"


def network_mount(path: Path, mounts: str | None = None) -> Mount | None:
    """Find the network file system that a path lies on, or will; None if it lies on this machine's own disk.

    Args:
        path: The path.
        mounts: What Linux says of what is mounted, by default of this process.
    """
    try:
        text = MOUNTS.read_text(encoding="utf-8", errors="replace") if mounts is None else mounts
    except OSError:  # no Linux
        return None
    place, found = Path(os.path.realpath(path)), None
    for line in text.splitlines():  # of two at one place the later one is seen
        mount = _mount(line)
        if mount and place.is_relative_to(mount.point) and (found is None or mount.point.is_relative_to(found.point)):
            found = mount
    return found if found and _NETWORK.fullmatch(found.kind) else None


def _mount(line: str) -> Mount | None:
    before, _, after = line.partition(" - ")
    fields = before.split(" ")
    if len(fields) < 5 or not after:
        return None
    return Mount(Path(_ESCAPED.sub(lambda found: chr(int(found[1], 8)), fields[4])), after.split(" ")[0])
