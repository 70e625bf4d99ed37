"""Room on the embedded server's disk: where it lacks, the SDK tries for minutes and says nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

from sweeper.backend.embedded_server import data_dir
from sweeper.errors import ServerError

ROOM_FOR_ROWS = 4 * 2**20
"""Bytes that the server's disk should have left before a sweep is made or changed: a full one has clients wait."""
ROOM_FOR_RUNS = 256 * 2**20
"""Bytes below which the server takes no files of runs (`KEPT_FREE` there), so that no run could end."""


def check_room(home: Path, least: int) -> None:
    """Make sure that the server's disk has room, before anything waits for it.

    Raises:
        ServerError: It has less than `least` bytes.
    """
    data = data_dir(home)
    there = next(path for path in (data, *data.parents) if path.exists())
    total, _, free = shutil.disk_usage(there)
    if total and free < least:  # a file system without a size says 0
        fix = "make space there, or set SWEEPER_HOME to a directory on another disk"
        raise ServerError(f"the disk of {there} has {free >> 20} MiB left, and the server needs {least >> 20} MiB", fix)
