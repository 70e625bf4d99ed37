"""Where a launch goes on talking when its terminal is closed, or when nobody reads its pipe any more."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from sweeper import private_files

_GONE = select.POLLERR | select.POLLHUP | select.POLLNVAL


@dataclass(frozen=True, slots=True)
class Voice:
    """What a launch says with: its standard output and error, or a file where those are gone.

    Whoever writes to a closed terminal gets an error, which would end the launch instead of its runs.

    Attributes:
        log: The file.
    """

    log: Path

    def say(self, speak: Callable[[], None]) -> None:
        """Have something said; once more in the file if there is nobody to say it to.

        Raises:
            OSError: It cannot be written there either.
        """
        self._turn()
        try:
            speak()
        except OSError:
            if not self._turn():
                raise
            speak()

    def _turn(self) -> bool:
        """Turn to the file with whatever is gone; tell whether something was."""
        gone = [stream for stream in (sys.__stdout__, sys.__stderr__) if stream and _is_gone(stream)]
        if gone:
            with private_files.open_file(self.log, "ab") as file:
                for stream in gone:
                    os.dup2(file.fileno(), stream.fileno())
        return bool(gone)


def _is_gone(stream: TextIO) -> bool:
    """Whether a stream leads nowhere: a terminal that was closed, a pipe that nobody reads."""
    try:
        poll = select.poll()
        poll.register(stream.fileno(), 0)
    except (OSError, ValueError):  # closed, or none at all, as in a test
        return False
    return any(events & _GONE for _, events in poll.poll(0))
