"""Which slots the launches of this machine hold, so that no two take the same by accident.

Each launch has a file in `SWEEPER_HOME/slots/HOST/`, locked as long as its process lives, however that ends. Another
lock, held for moments, makes looking and taking one step: of two that start at once, the second sees the first.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, TypeVar

from sweeper.worker.spec import Slot


@dataclass(frozen=True, slots=True)
class Claim:
    """What a launch holds.

    Attributes:
        pid: Its process.
        sweep: `entity/project/id`.
        slots: The device of each slot by its name; empty for a share of the CPU.
    """

    pid: int
    sweep: str
    slots: Mapping[str, str]

    @property
    def holder(self) -> str:
        """Name who holds it."""
        return f"process {self.pid} (sweep {self.sweep})"

    @property
    def devices(self) -> set[str]:
        """The devices it holds: UUIDs, or numbers where those are all that is known."""
        return {device for slot in self.slots.values() for device in slot.split(",") if device}


class HasSlots(Protocol):
    """What decides about slots, such as a plan."""

    @property
    def slots(self) -> Sequence[Slot]:
        """What to take."""
        ...


Decided = TypeVar("Decided", bound=HasSlots)


class Claims:
    """The claims of this machine's launches.

    Args:
        home: The state directory.
        host: This machine's name: others may share the directory, and have a `cpu0` of their own.
    """

    def __init__(self, home: Path, host: str | None = None) -> None:
        self._folder = home / "slots" / re.sub(r"[^\w-]", "_", host or socket.gethostname())

    def living(self) -> list[Claim]:
        """Read what launches that live hold, the oldest first."""
        if not self._folder.is_dir():  # looking alone makes no folder
            return []
        with self._looking():
            return self._living()

    @contextmanager
    def taken(self, sweep: str, decide: Callable[[Sequence[Claim]], Decided]) -> Iterator[Decided]:
        """Decide in sight of what the others hold, and hold that as long as the block or this process lasts.

        Args:
            sweep: The sweep it is for.
            decide: Says what to take; gets the others' claims.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            with self._looking():
                decided = decide(self._living())
                number, name = tempfile.mkstemp(suffix=".json", dir=self._folder)
                file = stack.enter_context(os.fdopen(number, "w", encoding="utf-8"))
                stack.callback(Path(name).unlink, missing_ok=True)
                fcntl.flock(file, fcntl.LOCK_EX)
                slots = {slot.name: slot.device for slot in decided.slots}
                json.dump({"pid": os.getpid(), "sweep": sweep, "slots": slots}, file)
                file.flush()
            yield decided

    @contextmanager
    def _looking(self) -> Iterator[None]:
        with (self._folder / "lock").open("w", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _living(self) -> list[Claim]:
        found: list[Claim] = []
        for path in sorted(self._folder.glob("*.json"), key=_age):
            # gone by now, or written by another version
            with contextlib.suppress(FileNotFoundError, ValueError, TypeError), path.open(encoding="utf-8") as file:
                if _is_held(file):
                    found.append(Claim(**json.load(file)))
                else:  # its process was killed
                    path.unlink(missing_ok=True)
        return found


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _is_held(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
