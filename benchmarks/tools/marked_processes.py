"""The processes of one tool, found by a mark in their environment, and what they hold together."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil

MARK = "PEERS_BENCHMARK"
"""In the environment of every process of a tool, so that what it starts in the background is found too."""


class Memory(threading.Thread):
    """Looks again and again at what all processes of a tool hold.

    Attributes:
        peak_mib: The most so far.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_mib = 0.0
        self._over = threading.Event()

    def run(self) -> None:
        """Look until `stop`."""
        while not self._over.wait(1.0):
            self.peak_mib = max(self.peak_mib, sum(map(pss_mib, marked())))

    def stop(self) -> float:
        """Look no more; the peak."""
        self._over.set()
        self.join()
        return self.peak_mib


def marked() -> Iterator[int]:
    """Find the processes of the tool under way."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid != os.getpid() and process.environ().get(MARK) == str(os.getpid()):
                yield process.pid


def pss_mib(pid: int) -> float:
    """Give what a process holds, shared pages by their share; 0 if it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)
