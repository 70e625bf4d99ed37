"""What the answer to one request may cost: values, bytes, work and time.

Whoever looks something up, compares or answers pays before he goes on, so that a request ends where its budget does.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii
from typing import Any

MAX_VALUES = 300_000
"""Values in one answer: a page of 1,000 runs has 40 each."""
MAX_BYTES = 64 * 2**20
"""Bytes of one answer; as many as a request may have."""
MAX_WORK = 5_000_000
"""Comparisons that filters may make: some seconds."""
MAX_S = 30.0
"""Seconds until nothing further is looked up."""
_LOOK = 20_000
"""Comparisons after which the clock is asked."""


class SpentError(BaseException):
    """A request has had all it may have.

    No `Exception`: of those, graphql-core (3.3) notes one for a field and goes on with the next.

    Args:
        message: What to do instead.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(slots=True)
class Budget:
    """What is left to one request.

    Attributes:
        values: Values that its answer may still have.
        bytes: Bytes that its answer may still have.
        work: Comparisons that it may still ask for.
        until: When its time is up, on the monotonic clock; None before it first pays, for a request may have waited
            long for a thread.
    """

    values: int = MAX_VALUES
    bytes: int = MAX_BYTES
    work: int = MAX_WORK
    until: float | None = None
    _unseen: int = 0

    def spend(self) -> None:
        """Pay for one value of the answer.

        Raises:
            SpentError: There have been too many, or it takes too long.
        """
        if self.until is None:
            self._look()
        self.values -= 1
        if self.values < 0:
            raise SpentError(f"the answer would have more than {MAX_VALUES} values: ask for shorter pages (`first`)")
        # now and then: to ask the clock costs more than to count
        if self.values % 64 == 0:
            self._look()

    def weigh(self, value: Any) -> None:
        """Pay for the bytes that a value of the answer has as JSON.

        Raises:
            SpentError: The answer gets too long.
        """
        self.bytes -= _size(value)
        if self.bytes < 0:
            raise SpentError(f"the answer would have more than {MAX_BYTES} bytes: ask for less at a time (`first`)")

    def pay(self, work: int) -> None:
        """Pay for comparisons, before they are made.

        Raises:
            SpentError: There have been too many, or it takes too long.
        """
        self.work -= work
        if self.work < 0:
            raise SpentError(f"the filter is too long for so many runs: it takes more than {MAX_WORK} comparisons")
        self._unseen += work
        if self._unseen > _LOOK:
            self._unseen = 0
            self._look()

    def _look(self) -> None:
        now = time.monotonic()
        if self.until is None:
            self.until = now + MAX_S
        if now > self.until:
            raise SpentError(f"the answer takes longer than {MAX_S:.0f} s: ask for shorter pages (`first`)")


def _size(value: Any) -> int:
    """Count the bytes of a value as JSON, of numbers about; it nests as deeply as JSON that came in."""
    if isinstance(value, str):
        # quotes and everything beyond ASCII take several bytes; short texts are not worth the look
        return len(value) if len(value) < 100 and value.isascii() else len(encode_basestring_ascii(value))
    if isinstance(value, dict):
        return sum(_size(key) + _size(inner) for key, inner in value.items())
    if isinstance(value, list | tuple):
        return sum(map(_size, value))
    return 8
