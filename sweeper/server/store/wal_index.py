"""How far SQLite's write-ahead log reaches, as its index says: https://www.sqlite.org/walformat.html, section 2.

The log's own file says it not: it keeps its length when it begins anew, and holds what was rolled back.
"""

from __future__ import annotations

import os
import struct
import time
from typing import NamedTuple

_SIZE = 48
_FIELDS = struct.Struct("=IIIBBHII2I8s2I")
"""version, unused, change, initialised, byte order, page size, frames, pages, checksum of a frame, salts, checksum"""
HEADER = 32
"""Bytes at the log's beginning."""
_FRAME_HEADER = 24
_TRIES = 2000


class LogEnd(NamedTuple):
    """The end of what is committed in a log.

    Attributes:
        salts: Other ones each time that it begins anew; its header has them at `SALTS`.
        frames: How many pages it holds.
        page: The bytes of each.
    """

    salts: bytes
    frames: int
    page: int

    @property
    def length(self) -> int:
        """The bytes of the log that count."""
        return HEADER + self.frames * (_FRAME_HEADER + self.page) if self.frames else 0


SALTS = slice(16, 24)


def read(descriptor: int) -> LogEnd | None:
    """Read it from an open index (`-shm`); None if the database was not used yet.

    Raises:
        OSError: A writer changes it for ever.
    """
    for tried in range(_TRIES):
        both = os.pread(descriptor, 2 * _SIZE, 0)
        if len(both) < 2 * _SIZE:
            return None
        if both[:_SIZE] == both[_SIZE:]:  # a writer puts one after the other
            _, _, _, initialised, _, size, frames, _, _, _, salts, _, _ = _FIELDS.unpack(both[:_SIZE])
            return LogEnd(salts, frames, (size & 0xFE00) + ((size & 1) << 16)) if initialised else None
        if tried > 10:
            time.sleep(0.001)
    raise OSError("the database's index does not come to rest")
