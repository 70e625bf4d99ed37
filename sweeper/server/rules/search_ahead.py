"""Has suggestions computed ahead, in a process of its own, so that no agent waits for a search.

One thread asks the process for what is missing, sweep by sweep, and stores what it answers. A process that dies, hangs
or fails is replaced, and its sweep rests for a while, longer each time; meanwhile the dispatcher helps itself.
"""

from __future__ import annotations

import logging
import math
import subprocess
import threading
import time
from collections.abc import Callable
from multiprocessing import Pipe
from pathlib import Path
from typing import Protocol

from sweeper.processes import python
from sweeper.server.rules import suggestions
from sweeper.server.rules.suggestions import ANSWERS, ORDERS, SearchAnswer, SearchOrder
from sweeper.server.store.database import Store

log = logging.getLogger(__name__)

START_S = 120.0
"""Until the first answer: a busy machine takes a minute to import torch."""
ANSWER_S = 20.0
"""Until any later answer; a search takes 0.3 s of CPU time."""
OVERDUE_S = 1.0
"""An answer this late is not waited for by agents."""
IDLE_S = 600.0
"""After this long without an order the process ends; the next order starts another."""
FIRST_REST_S, LONGEST_REST_S = 0.5, 60.0


class SearchFailedError(Exception):
    """The search process gave no suggestion; says why."""


class SearchBackend(Protocol):
    """The search process, from the server's side."""

    def is_alive(self) -> bool:
        """Whether it can take an order."""

    def carry_out(self, order: SearchOrder) -> SearchAnswer:
        """Send an order and wait for the answer.

        Raises:
            SearchFailedError: None came.
        """

    def kill(self) -> None:
        """End the process at once, from any thread: it holds nothing."""


class SearchProcess:
    """A `python -m sweeper.server.rules.search_process`.

    Args:
        database: The server's database.
    """

    def __init__(self, database: Path) -> None:
        self._connection, theirs = Pipe()
        with theirs:
            command = python("-m", "sweeper.server.rules.search_process", str(database), str(theirs.fileno()))
            # a group of its own: Ctrl-C at the terminal is for the server
            self._process = subprocess.Popen(
                command,
                cwd=database.parent,
                stdin=subprocess.DEVNULL,
                stdout=2,
                pass_fds=[theirs.fileno()],
                process_group=0,
            )
        self._timeout_s = START_S

    def is_alive(self) -> bool:
        """Whether it can take an order."""
        return self._process.poll() is None

    def carry_out(self, order: SearchOrder) -> SearchAnswer:
        """Send an order and wait for the answer.

        Raises:
            SearchFailedError: None came.
        """
        try:
            self._connection.send_bytes(ORDERS.dump_json(order))
            if not self._connection.poll(self._timeout_s):
                raise SearchFailedError(f"the search process was silent for {self._timeout_s:.0f} s")
            answer = ANSWERS.validate_json(self._connection.recv_bytes())
        except (EOFError, OSError) as error:
            raise SearchFailedError(f"the search process died (exit code {self._process.wait()})") from error
        self._timeout_s = ANSWER_S
        if answer.error:
            raise SearchFailedError(f"the search failed: {answer.error}")
        return answer

    def kill(self) -> None:
        """End the process at once, from any thread: it holds nothing."""
        self._process.kill()
        self._process.wait()


class SearchAhead:
    """Keeps suggestions ready.

    Args:
        store: Where they are kept.
        start: Starts a search process.
    """

    def __init__(self, store: Store, start: Callable[[], SearchBackend]) -> None:
        self._store, self._start = store, start
        self._change = threading.Condition()
        # By sweep: from when on to look at it, how many answers came for it, and how often and why none did of late.
        self._due: dict[int, float] = {}
        self._answers: dict[int, int] = {}
        self._failures: dict[int, tuple[int, str]] = {}
        self._closed = False
        self._asked_at: float | None = None
        self._last_s: float | None = None
        self._backend: SearchBackend | None = None
        # The process dies with the thread that started it: this one lives as long as the server.
        self._thread = threading.Thread(target=self._work, name="search-ahead", daemon=True)
        self._thread.start()

    def notify(self, sweep_id: int) -> None:
        """Have a sweep looked at for missing suggestions; to be called after whatever may change what it needs."""
        with self._change:
            self._due.setdefault(sweep_id, 0.0)
            self._change.notify_all()

    def wait(self, sweep_id: int, *, until: float) -> bool:
        """Wait for another suggestion of a sweep; False if none came.

        Args:
            sweep_id: The sweep.
            until: For how long at most, on the monotonic clock; not at all if no answer can be expected by then.
        """
        self.notify(sweep_id)
        with self._change:
            before = self._answers.get(sweep_id, 0)
            return self._expected_at() <= until and self._change.wait_for(
                lambda: self._answers.get(sweep_id, 0) != before, until - time.monotonic()
            )

    def _expected_at(self) -> float:
        """Guess when the next answer will come, on the monotonic clock: it takes as long as the last one."""
        if self._last_s is None:
            return math.inf
        now = time.monotonic()
        expected = (self._asked_at or now) + self._last_s
        return expected if expected > now - OVERDUE_S else math.inf

    def why_none(self, sweep_id: int) -> str:
        """Say why there is no suggestion for a sweep."""
        with self._change:
            if sweep_id in self._failures:
                return self._failures[sweep_id][1]
            return "the search process is starting" if self._last_s is None else "the search takes longer"

    def close(self) -> None:
        """End the process and the thread."""
        with self._change:
            self._closed = True
            self._change.notify_all()
        # Again and again: the thread may be just about to start another process.
        while self._thread.is_alive():
            if backend := self._backend:
                backend.kill()
            self._thread.join(0.1)

    def _work(self) -> None:
        while (sweep_id := self._next()) is not None:
            try:
                self._serve(sweep_id)
            except Exception as error:  # noqa: BLE001 the thread must live on, whatever happens to one sweep
                if not self._closed:
                    self._rest(sweep_id, error)
        self._end_backend()

    def _next(self) -> int | None:
        """Wait for a sweep that is due; None when it is time to end."""
        with self._change:
            while not self._closed:
                now = time.monotonic()
                due = next((sweep_id for sweep_id, moment in self._due.items() if moment <= now), None)
                if due is not None:
                    del self._due[due]
                    return due
                soonest = min(self._due.values(), default=now + IDLE_S)
                if not self._change.wait(soonest - now) and not self._due:
                    self._end_backend()
        return None

    def _serve(self, sweep_id: int) -> None:
        """Have one suggestion computed, and come back for the next."""
        with self._store.read() as db:
            order = suggestions.next_order(db, sweep_id)
        if order is None:
            return
        backend = self._running()
        self._asked_at = asked_at = time.monotonic()
        answer = backend.carry_out(order)  # without the database: a search takes seconds
        if answer.found is not None:
            with self._store.write(durable=False) as db:  # what is lost is computed again
                suggestions.keep(db, order, answer.found)
        with self._change:
            self._asked_at, self._last_s = None, time.monotonic() - asked_at
            self._failures.pop(sweep_id, None)
            self._answers[sweep_id] = self._answers.get(sweep_id, 0) + 1
            self._due.setdefault(sweep_id, 0.0)  # behind the others: sweeps take turns
            self._change.notify_all()

    def _running(self) -> SearchBackend:
        if self._backend and not self._backend.is_alive():
            log.warning("the search process has died: starting another")
            self._end_backend()
        if self._backend is None:
            self._backend = self._start()
        return self._backend

    def _rest(self, sweep_id: int, error: Exception) -> None:
        """Let a sweep rest after a failure; the next one gets a new process."""
        self._end_backend()
        known = isinstance(error, SearchFailedError)
        with self._change:
            count, _ = self._failures.get(sweep_id, (0, ""))
            self._failures[sweep_id] = count + 1, str(error) if known else f"{type(error).__name__}: {error}"
            rest_s = min(LONGEST_REST_S, FIRST_REST_S * 2**count)
            self._due[sweep_id] = time.monotonic() + rest_s
        told = {"action": "search_failed", "sweep_id": sweep_id}
        log.warning("%s; again in %.1f s", error, rest_s, exc_info=None if known else error, extra=told)

    def _end_backend(self) -> None:
        self._asked_at = self._last_s = None
        if backend := self._backend:
            self._backend = None
            backend.kill()
