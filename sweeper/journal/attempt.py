"""What a worker saw of a run: the half of its story that the server cannot know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

from sweeper.journal.failures import Failure, Kind, Policy

HOLDER_HEADER = "X-Sweeper-Holder"
"""Tells sweeper's server which process speaks for a run: one that lost its run is heard no more."""
SLOT_HEADER = "X-Sweeper-Slot"
"""Tells it in which slot that process is."""
COUNT_HEADER = "X-Sweeper-Count"
"""Tells it for which group of workers a run counts that is given to that process, and how many that takes."""


class AttemptOutcome(StrEnum):
    """How a run ended, as its worker saw it; the value is what is written to disk.

    FAILED: the trainer or its process gave up. DIED: a signal or the loss of its worker ended it. STOPPED: the server
    wanted that. INTERRUPTED: the launch was stopped or its machine taken, and the run goes on another time.
    """

    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    DIED = "died"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What a worker wrote about one attempt at a run: a line of JSON in its launch's folder.

    Every field but two has a default, so that lines of older versions still read; new fields need one, too.

    Attributes:
        run_id: The W&B run id.
        slot: Where it ran.
        outcome: How it ended; None while it runs.
        reason: Why, when it did not finish.
        kind: What went wrong, if something did.
        policy: What was done about it.
        at: When this was written, in seconds since 1970.
        ticket: The right to a run that it used.
        wall_s: Seconds from letting a process in until its end.
        trainer_s: Seconds inside the trainer function.
        log: The file with what it printed.
        log_tail: Its last lines, if something went wrong.
        attempt: 1 for the first; preemptions do not count.
        params: The run's parameters, nested as its config has them.
        holder: The name under which its process speaks to sweeper's server; empty in notes of older versions.
        untold: Whether a server that was away has still to be told that the run goes on another time.
    """

    run_id: str
    slot: str
    outcome: AttemptOutcome | None = None
    reason: str = ""
    kind: Kind | None = None
    policy: Policy | None = None
    at: float = 0.0
    ticket: int = 0
    wall_s: float | None = None
    trainer_s: float | None = None
    log: str = ""
    log_tail: tuple[str, ...] = ()
    attempt: int = 1
    params: Mapping[str, Any] = field(default_factory=dict)
    holder: str = ""
    untold: bool = False

    def ended(self, outcome: AttemptOutcome, failure: Failure | None = None) -> Self:
        """Say how it ended, and why if it ended badly."""
        if failure is None:
            return replace(self, outcome=outcome)
        return replace(self, outcome=outcome, reason=failure.cause, kind=failure.kind, policy=failure.policy)

    @property
    def is_open(self) -> bool:
        """Whether somebody has still to see to it when its worker is gone: it has no end, or one nobody heard of."""
        return self.outcome is None or self.untold

    @property
    def spent_s(self) -> float:
        """How long it trained, in seconds: for a script without the wait for its agent; 0 as long as it has no end."""
        return self.trainer_s if self.trainer_s is not None else self.wall_s or 0.0

    @property
    def waits(self) -> bool:
        """Whether the run is to be handed out again and was not yet, as far as this line knows."""
        return self.policy is not None and self.policy.retries

    @property
    def failed(self) -> bool:
        """Whether it ended badly; an interruption is nobody's fault, and a stop is a decision of the server's."""
        return self.outcome in {AttemptOutcome.FAILED, AttemptOutcome.DIED}


def spent(history: Iterable[Attempt]) -> dict[str, float]:
    """Add up how long the attempts at each run took that have ended, in seconds, by run id."""
    total: dict[str, float] = {}
    for attempt in history:
        if attempt.trainer_s is None and attempt.wall_s is None:  # its start, or the end that nobody saw
            continue
        total[attempt.run_id] = total.get(attempt.run_id, 0.0) + attempt.spent_s
    return total
