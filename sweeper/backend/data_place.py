"""Where a server's data lie, as far as that says how long they live."""

from __future__ import annotations

import os
import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")


def goes_with_its_container(folder: Path, mounts: Path = MOUNTS) -> bool:
    """Whether a folder lies in a container's own layer, on no volume: removed with the container.

    Args:
        folder: An absolute path; it need not be there yet.
        mounts: The kernel's list of what is mounted where.
    """
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:  # no Linux, or no /proc
        return False
    place, found = Path(os.path.realpath(folder)), ("", "")
    for line in lines:
        before, _, after = line.partition(" - ")
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), before.split(" ")[4])
        # a later line covers an earlier one of the same place
        if place.is_relative_to(point) and len(point) >= len(found[0]):
            found = point, after.split(" ")[0]
    return found[1] in {"overlay", "fuse.fuse-overlayfs"}
