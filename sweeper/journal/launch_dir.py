"""The files of one launch: orders, tickets, what its workers wrote of runs; whatever host they are on.

Files rather than a database: workers may sit on several hosts that share a folder, and each operation is one that such
a folder does whole (create if absent, append a line, remove).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from sweeper import private_files
from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.failures import Kind, Policy
from sweeper.ref import run_name


@dataclass(frozen=True, slots=True)
class LaunchDir:
    """The files of one launch.

    A ticket is the right to one run: a file that exactly one worker can create, whatever host it is on.
    """

    path: Path

    def spec(self, slot: str) -> Path:
        """Orders of one worker: the JSON of a `WorkerSpec`."""
        return self.path / f"{slot}.spec.json"

    def worker_log(self, slot: str) -> Path:
        """What a worker printed, and those that replaced it; why it gave up is the last line."""
        return self.path / f"{slot}.log"

    def attempts_file(self, slot: str) -> Path:
        """What a worker wrote about its runs, a JSON line for every start and every end."""
        return self.path / f"{slot}.runs.jsonl"

    def station(self, slot: str) -> Path:
        """What a worker away from its launch's machine says of itself: the JSON of a `StationState`."""
        return self.path / f"{slot}.station.json"

    @property
    def launch_log(self) -> Path:
        """What the launch itself said after its terminal was closed."""
        return self.path / "launch.log"

    @property
    def forkserver_log(self) -> Path:
        """What was printed while the trainer's module was imported for all slots."""
        return self.path / "forkserver.log"

    @property
    def bin(self) -> Path:
        """A `python` for its runs, where theirs has another name in its own folder."""
        return self.path / "bin"

    @property
    def scheduler_log(self) -> Path:
        """What the sweep's own scheduler printed, if this launch started one."""
        return self.path / "scheduler.log"

    def new_run_log(self, slot: str) -> Path:
        """Make the log of a slot's next process: empty, and readable by its user only."""
        number = 1
        while True:
            log = self.path / "runs" / f"{slot}-{number:04d}.log"
            try:  # the worker that replaces a dead one goes on counting; what a trainer prints is its user's alone
                os.close(os.open(log, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            except FileExistsError:
                number += 1
            else:
                return log

    def note_restart(self, slot: str) -> None:
        """Note that the worker of a slot is started again."""
        with contextlib.suppress(OSError), private_files.open_file(self.path / f"{slot}.restarts", "ab") as file:
            file.write(b".")  # a disk without room for it is no reason to end the launch

    def restarts(self, slot: str) -> int:
        """Count how often the worker of a slot was started again."""
        return len(text_of(self.path / f"{slot}.restarts"))

    def slots(self) -> list[str]:
        """List the slots that were given orders, by name."""
        return sorted(path.name.removesuffix(self.spec("").name) for path in self.path.glob(self.spec("*").name))

    def take_ticket(self, count: int | None, slot: str = "") -> int | None:
        """Take the lowest ticket that is free; None when all are taken.

        Args:
            count: How many there are; None for no end of them.
            slot: Who takes it, so that what a dead worker held can be given back.
        """
        number = 1
        while count is None or number <= count:
            try:
                with self._ticket(number).open("x", encoding="utf-8") as file:
                    file.write(slot)
            except FileExistsError:
                number += 1
            else:
                return number
        return None

    def tickets_left(self, count: int | None) -> bool:
        """Whether there may be another ticket: another worker may be about to take it."""
        return count is None or sum(1 for _ in (self.path / "tickets").iterdir()) < count

    def return_ticket(self, ticket: int) -> None:
        """Give back a ticket that got no run, or one that will be handed out again."""
        self._ticket(ticket).unlink(missing_ok=True)

    def _ticket(self, number: int) -> Path:
        return self.path / "tickets" / f"{number:04d}"

    def tickets_of(self, slot: str) -> list[int]:
        """List the tickets that a slot took and did not give back."""
        return sorted(int(path.name) for path in (self.path / "tickets").iterdir() if text_of(path) == slot)

    def end(self, why: str) -> None:
        """Have no worker start another run; the first reason given stays."""
        with contextlib.suppress(FileExistsError), (self.path / "end").open("x", encoding="utf-8") as file:
            file.write(why)

    def ended(self) -> str:
        """Say why no other run starts; empty as long as they do."""
        return text_of(self.path / "end")

    def order_stop(self, run_id: str, *, asked_at_s: float) -> None:
        """Tell the worker of a run that the server wants it stopped, in case its process does not hear it.

        Args:
            run_id: The run.
            asked_at_s: When the server was asked, in seconds since 1970: what it said is of no later attempt.
        """
        order = self.path / "stops" / run_name(run_id)
        made = order.with_name(f".{order.name}")  # whole at once: a worker that looks meanwhile would see it of now
        made.touch()
        os.utime(made, (asked_at_s, asked_at_s))
        made.replace(order)

    def stop_ordered(self, run_id: str, *, since_s: float) -> bool:
        """Whether `order_stop` was called for an attempt that began at that time."""
        try:
            return (self.path / "stops" / run_name(run_id)).stat().st_mtime >= since_s
        except FileNotFoundError:
            return False

    def forget_stop(self, run_id: str) -> None:
        """Note that a run has ended: another attempt is not meant."""
        (self.path / "stops" / run_name(run_id)).unlink(missing_ok=True)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the launch as its launcher; the kernel lets go when the process dies."""
        with private_files.open_file(self.path / "launcher") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # not a pid alone, which the next process of the machine may bear
            file.write(str(os.getpid()))
            file.flush()
            try:
                yield
            finally:
                os.utime(file.fileno())  # when it ended

    def launcher(self) -> int | None:
        """Give the process that runs this launch; None if it has ended."""
        try:
            with (self.path / "launcher").open(encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(text_of(self.path / "launcher") or 0)
        except FileNotFoundError:
            pass
        return None

    def worked_until(self) -> float:
        """Tell when it was certainly at work for the last time: its end, or its start if it was killed; 0 for never."""
        try:
            return (self.path / "launcher").stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def append(self, attempt: Attempt) -> None:
        """Note the news of a run, with the time; the newest line about it counts.

        Each slot has a file of its own: appends of several hosts to one file on NFS would overwrite each other.
        """
        line = json.dumps({**asdict(attempt), "at": time.time()}) + "\n"
        with private_files.open_file(self.attempts_file(attempt.slot), "a+b") as file:
            if file.tell() and os.pread(file.fileno(), 1, file.tell() - 1) != b"\n":
                file.write(b"\n")  # a worker that was killed left half a line; its successor's would be lost with it
            file.write(line.encode())

    def history(self) -> list[Attempt]:
        """Read everything that was noted, the oldest first."""
        files = sorted(self.path.glob(self.attempts_file("*").name))
        return sorted(chain.from_iterable(map(_attempts, files)), key=lambda attempt: attempt.at)

    def attempts(self) -> dict[str, Attempt]:
        """Read the newest word about every run, by run id."""
        return {attempt.run_id: attempt for attempt in self.history()}


def text_of(path: Path, *, errors: str = "strict") -> str:
    """Read a file that may be gone by now, or not there yet: nothing then."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_text(encoding="utf-8", errors=errors)
    return ""


def _attempts(path: Path) -> Iterator[Attempt]:
    """Read the lines of a slot; one may be half written, by a worker that was killed, that is at it or had no space."""
    # `replace`: half a character must not cost the lines before it; a newer version may write words we do not know
    for line in text_of(path, errors="replace").split("\n"):
        with contextlib.suppress(ValueError, TypeError):
            yield _attempt(line)


def _attempt(line: str) -> Attempt:
    data: dict[str, Any] = json.loads(line)
    enums = {"outcome": AttemptOutcome, "kind": Kind, "policy": Policy}
    data["log_tail"] = tuple(data.get("log_tail", ()))
    return Attempt(**{**data, **{name: read(data[name]) for name, read in enums.items() if data.get(name)}})
