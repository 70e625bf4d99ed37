"""What a sweep should look like, in a page: who is at which run, and what its history should hold.

It knows nothing of the server's tables. It believes what was acknowledged, and says of every request whether its sender
still had the run.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field


@dataclass(eq=False)
class Attempt:
    """A process at a run, as the one who runs it sees it.

    Attributes:
        run: The run.
        name: How it names itself (`X-Sweeper-Holder`), empty for a stock agent's.
        born: The moment that its rows carry.
        taken: Whether its run has been given to somebody else, or back to the queue: nothing it says counts any more.
        alive: Whether it goes on.
        first: The number of its first row: what came before it resumed from.
        rows: Its own rows.
        ended: The exit code that it reported.
    """

    run: RunFacts
    name: str
    born: float
    taken: bool = False
    alive: bool = True
    begun: bool = False
    first: int = 0
    rows: list[str] = field(default_factory=list)
    ended: int | None = None

    def row(self, value: float, *, now: float) -> str:
        """Write a row as wandb-core does: `_timestamp` less `_runtime` is when its process began."""
        step = self.first + len(self.rows)
        return json.dumps({"_step": step, "loss": value, "_timestamp": now, "_runtime": now - self.born})


@dataclass(eq=False)
class RunFacts:
    """What must hold of a run.

    Attributes:
        name: Its id.
        history: The rows that its history must have: all that was acknowledged, of its attempt and those it resumed.
        attempt: The process that began last.
        attempts: All processes that had it.
        stopped: Whether it was told to stop, and has not been handed out again since.
        finished: Whether its end was acknowledged as one that went well.
        group: The group of workers for which it was first given out; empty where nobody counts it.
    """

    name: str
    history: list[str] = field(default_factory=list)
    attempt: Attempt | None = None
    attempts: list[Attempt] = field(default_factory=list)
    stopped: bool = False
    finished: bool = False
    group: str = ""

    def taken(self) -> None:
        """Note that whoever had it has it no more."""
        for attempt in self.attempts:
            attempt.taken = True

    def begins(self, attempt: Attempt, *, resumes: bool) -> None:
        """Note that a process began: at row 0, or behind what is there."""
        self.attempt, attempt.begun = attempt, True
        if not resumes:
            self.history = []
        attempt.first = len(self.history)

    def stored(self, offset: int, rows: list[str]) -> None:
        """Note that rows were acknowledged."""
        self.history[offset : offset + len(rows)] = rows

    @property
    def values(self) -> tuple[float, ...]:
        """The metric that its history must have."""
        found = (json.loads(row)["loss"] for row in self.history)
        return tuple(value for value in found if math.isfinite(value))

    @property
    def nonfinite(self) -> int:
        """How many of its rows have no finite metric."""
        return len(self.history) - len(self.values)


@dataclass(eq=False)
class AgentFacts:
    """An agent, as the one who runs it sees it.

    Attributes:
        name: Its id.
        ours: Whether it is a worker of ours, whose processes name themselves.
        attempt: The process it has started.
        away: Whether its machine stands still.
        gone: Whether it has left, or was killed.
        group: The group of workers that counts its runs; empty for none.
    """

    name: str
    ours: bool
    group: str = ""
    attempt: Attempt | None = None
    away: bool = False
    gone: bool = False

    @property
    def listed(self) -> set[str]:
        """The runs that it says it is at."""
        return {self.attempt.run.name} if self.attempt and self.attempt.alive else set()
