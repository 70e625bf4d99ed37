"""A sweep's status, kept fresh beside a launch that cannot wait for its server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sweeper.errors import SweeperError
from sweeper.launch.slot_loads import with_loads
from sweeper.results.status import SweepStatus
from sweeper.results.status_reader import StatusReader

POLL_S = 2.0
DOUBTFUL_POLL_S = 0.5
"""While no run has logged the metric: the launch is to end before many more of the kind have begun."""
DOUBTFUL_S = 10.0
"""For how long that holds where no run has ended yet, either: quick runs end by the dozen between two slow looks."""


class StatusPoller:
    """Keeps a sweep's status fresh in a thread: a slow server must not delay a Ctrl-C.

    Args:
        reader: Where from.
        check: Raises a SweeperError within seconds where nobody answers: the reader would wait for minutes.
        shown: How many runs a screen has room for: their curves are read too, and how busy the slots are.
    """

    def __init__(self, reader: StatusReader, check: Callable[[], None] = lambda: None, *, shown: int = 0) -> None:
        self._reader = reader
        self._shown = shown
        self._check = check
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)
        self.latest: SweepStatus | None = None
        self.trouble = ""

    def read(self) -> SweepStatus | None:
        """Ask once; keep the last answer where there is no new one."""
        try:
            self._check()
            self.latest, self.trouble = self._ask(), ""
        except SweeperError as error:  # a server that restarts is back in a moment
            self.trouble = error.message
        return self.latest

    def _ask(self) -> SweepStatus:
        return with_loads(self._reader.read(curves=self._shown)) if self._shown else self._reader.read()

    def _poll(self) -> None:
        doubtful_until = time.monotonic() + DOUBTFUL_S
        while not self._ended.is_set():
            early, worked = time.monotonic() < doubtful_until, time.thread_time()
            status = self.read()
            pause = DOUBTFUL_POLL_S if status and _is_doubtful(status, early=early) else POLL_S
            # reading takes our time, and about as much of the server's: at most a tenth together. By the processor's
            # clock: a server that was waited for, since its job was in the queue, has not worked
            self._ended.wait(max(pause, 9 * 2 * (time.thread_time() - worked)))

    def __enter__(self) -> StatusPoller:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(timeout=60)  # a request under way is waited for, a server that hangs is not


def _is_doubtful(status: SweepStatus, *, early: bool) -> bool:
    """Whether the runs may all be without the metric: some have ended so, or it is too early to tell."""
    has_value = bool(status.standing.best or status.standing.front)
    return bool(status.missing_metrics) or (early and bool(status.facts.metric_names) and not has_value)
