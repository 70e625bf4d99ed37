"""Waiting for the disk, several transactions at a time.

SQLite with `synchronous = FULL` waits for the disk inside each commit, while it holds the write lock: 2 to 20 ms during
which nobody else can write. Here a transaction is committed without that, and then its thread waits until the log has
been brought to the disk, once for all who wait. Before SQLite copies the log into the database it syncs it by itself
(`synchronous = NORMAL`), so nothing is missed when the log begins anew.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

_flush = getattr(os, "fdatasync", os.fsync)  # macOS has none


class WalSync:
    """Brings the write-ahead log of a database to the disk.

    Args:
        database: The database, which must stay open: SQLite deletes the log with the last connection.
        ship: What brings it to another disk instead, on which it is safe; None for this one.
    """

    def __init__(self, database: Path, ship: Callable[[], None] | None = None) -> None:
        self._path = database.with_name(database.name + "-wal")
        self._sync = ship or self._flush
        self._descriptor: int | None = None
        self._change = threading.Condition()
        self._asked = self._done = self._failed = 0
        self._busy = False

    def wait(self) -> None:
        """Return when all that is committed by now is on the disk.

        Raises:
            OSError: The disk failed: whether it is, nobody knows.
        """
        with self._change:
            self._asked += 1
            mine = self._asked
            self._change.wait_for(lambda: not self._busy or self._done >= mine)
            if self._done >= mine:  # somebody else's sync, begun after our commit, has covered it
                if mine <= self._failed:
                    raise OSError(f"{self._path} could not be brought to the disk")
                return
            self._busy, until = True, self._asked
        failed = True
        try:
            self._sync()
            failed = False
        finally:
            with self._change:
                self._busy, self._done = False, until
                if failed:  # the system reports it once: those who waited for the same would hear of a success
                    self._failed = until
                self._change.notify_all()

    def close(self) -> None:
        """Let go of the log."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _flush(self) -> None:
        if self._descriptor is None:  # late: SQLite may make the log with the first transaction only
            self._descriptor = os.open(self._path, os.O_RDWR)
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)  # the log itself may be new
            finally:
                os.close(folder)
        _flush(self._descriptor)
