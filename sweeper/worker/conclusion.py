"""How a run ended: facts in, attempt out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.failures import Facts, Failure, Kind, classify
from sweeper.run import RunState
from sweeper.worker.main_thread import Raised, Returned

OPEN = frozenset({RunState.RUNNING, RunState.PREEMPTING, RunState.CRASHED})
"""States of a run whose end its server has not heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedRun:
    """What a worker knows of a run that has ended.

    Attributes:
        started: What was noted when it started.
        result: How the trainer ended; None if its process died first.
        stopped: Whether the server wanted it stopped.
        wall_s: Seconds from letting its process in until its end.
        facts: What there is to know about a failure.
        log_tail: The last lines of what it printed.
    """

    started: Attempt
    result: Returned | Raised | None
    stopped: bool
    wall_s: float
    facts: Facts
    log_tail: tuple[str, ...] = ()


def failure_of(run: EndedRun) -> Failure | None:
    """Say what failed, if anything did.

    A trainer that returned is done, whatever became of its process or was wanted of it afterwards: if it had a run,
    and the server has its end.
    """
    well = isinstance(run.result, Returned) and not (run.result.unbegun or run.facts.unsent)
    return None if well or run.stopped else classify(run.facts)


def conclude(run: EndedRun, failure: Failure | None) -> Attempt:
    """Write down how a run ended.

    Args:
        run: What is known of it.
        failure: What failed, after the server was asked to hand the run out again.
    """
    return replace(
        run.started.ended(_outcome(run, failure), failure),
        wall_s=round(run.wall_s, 3),
        trainer_s=None if run.result is None else round(run.result.trainer_s, 3),
        log_tail=run.log_tail if failure else (),
    )


def _outcome(run: EndedRun, failure: Failure | None) -> AttemptOutcome:
    if failure is None:
        return AttemptOutcome.FINISHED if isinstance(run.result, Returned) else AttemptOutcome.STOPPED
    if failure.kind is Kind.PREEMPTED:
        return AttemptOutcome.INTERRUPTED
    return AttemptOutcome.DIED if run.facts.exit_code < 0 else AttemptOutcome.FAILED
