"""The end of what a run or a worker printed: where a failure's cause is looked for, and what people are shown of it."""

from __future__ import annotations

import os
from pathlib import Path

from sweeper.worker.tracebacks import their_lines

TAIL_BYTES = 16_384
"""A traceback through the SDK, torch and a chain of exceptions fits in; a progress bar's megabytes are not read."""

LINES, LINE_LENGTH = 10, 300


def tail(log: Path) -> str:
    """Read the last 16 KiB of a log; nothing if somebody has deleted it."""
    try:
        file = log.open("rb")
    except FileNotFoundError:  # a person made space while the run was at work; its worker has an end to write down
        return ""
    with file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
        return file.read().decode(errors="replace")  # the cut may go through a character


def last_lines(log: Path) -> tuple[str, ...]:
    """Pick the last ten lines of a log that are the trainer's own: the SDK prints a summary behind them."""
    return tuple([line[:LINE_LENGTH] for line in their_lines(tail(log)) if line][-LINES:])
