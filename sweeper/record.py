"""What a worker saw of a run: the half of its story that the server cannot know."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a run ended, as its worker saw it."""

    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    DIED = "died"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What a worker wrote about one run.

    Attributes:
        run_id: The W&B run id.
        slot: Where it ran.
        outcome: How it ended; None while it runs.
        reason: Why, when it did not finish.
        wall_s: From the order to start a process until its end.
        trainer_s: Inside the trainer function.
        log: The file with what it printed.
    """

    run_id: str
    slot: str
    outcome: Outcome | None = None
    reason: str = ""
    wall_s: float | None = None
    trainer_s: float | None = None
    log: str = ""
