"""A run and its states: the one type that search, server, status and client share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

Params = Mapping[str, Any]
"""Flat parameters of a run, nested ones dotted: `{"optimizer.lr": 3e-4, "epochs": 5}`."""

Curve = tuple[tuple[int, float], ...]
"""Some points of what a run logged as its metric: iteration (from 1) and value, the last value among them."""

Goal = Literal["minimize", "maximize"]
"""Whether low or high values of a metric are good; the functions below are the only ones that ask which."""


def sign(goal: Goal) -> float:
    """Give the factor that turns a metric's values into losses, of which low ones are good: 1 or -1."""
    return 1.0 if goal == "minimize" else -1.0


def reaches(goal: Goal, value: float, target: float) -> bool:
    """Whether a value is as good as a target."""
    return sign(goal) * value <= sign(goal) * target


def best_value(goal: Goal, values: Iterable[float]) -> float:
    """Pick the best of some values, of which there is one at least."""
    return min(values) if sign(goal) > 0 else max(values)  # not by a key: a search asks it of every run's history


class RunState(StrEnum):
    r"""Where a run is in its life, in W&B's words.

    pending -> running -> finished | failed | crashed | killed
                      \-> preempting -> preempted -> (requeued) pending

    finished: exit code 0. failed: the trainer raised. crashed: no heartbeat for
    `heartbeat_timeout_s`. killed: stopped by early termination or by a person.
    """

    PENDING = "pending"
    RUNNING = "running"
    PREEMPTING = "preempting"
    PREEMPTED = "preempted"
    FINISHED = "finished"
    FAILED = "failed"
    CRASHED = "crashed"
    KILLED = "killed"

    @property
    def ended(self) -> bool:
        """Whether nothing more will come from the run."""
        return self in _ENDED


# asked of every run, many times: a tuple finds by identity, where a set hashes a member in Python
_ENDED = (RunState.FINISHED, RunState.KILLED, RunState.FAILED, RunState.CRASHED)
_BROKEN = (RunState.FAILED, RunState.CRASHED)


class SweepState(StrEnum):
    """Where a sweep is in its life, in W&B's words (the SDK compares them upper-cased).

    PENDING -> RUNNING <-> PAUSED; any of them -> FINISHED (`--stop`, or exhausted) | CANCELED (`--cancel`)
    """

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    FINISHED = "FINISHED"
    CANCELED = "CANCELED"

    @property
    def ended(self) -> bool:
        """Whether the sweep gives out no more runs, ever."""
        return self in {SweepState.FINISHED, SweepState.CANCELED}

    @property
    def word(self) -> str:
        """The state as commands and their JSON say it: in lower case, as a run's."""
        return self.value.lower()


@dataclass(frozen=True, slots=True)
class StopDecision:
    """Early termination of one run, with the comparison that it failed.

    Attributes:
        run_id: The run to stop.
        reason: Why, in one line; never empty.
        rule: What decided: `hyperband`, `asha` or `median`.
        rung: The iteration at which the run was judged.
        value: What it was judged by; None if all it logged is NaN or infinite.
        threshold: The worst value that would have gone on; None where `value` is.
        n: How many runs were compared at the rung, itself included.
    """

    run_id: str
    reason: str
    rule: str = ""
    rung: int = 0
    value: float | None = None
    threshold: float | None = None
    n: int = 0


@dataclass(frozen=True, slots=True)
class Digest:
    """What a run's history of the metric comes to, for who needs no more of it: a sweep may have millions of values.

    Attributes:
        count: How many values there are; one at least.
        last: The last of them.
        lowest: The lowest.
        highest: The highest.
    """

    count: int
    last: float
    lowest: float
    highest: float

    def best(self, goal: Goal) -> float:
        """Give the best of the values."""
        return best_value(goal, (self.lowest, self.highest))


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One execution of the trainer with fixed parameters.

    Attributes:
        id: The W&B run id, unique in its project.
        state: Where it is in its life.
        params: Its parameters, flat.
        history: The sweep's metric in logged order, finite values only; `history[i]` is iteration `i + 1`.
        name: The display name.
        reason: Why it was stopped or why it failed; empty when there is nothing to explain.
        created_at: When the server made it (aware, UTC).
        duration_s: Seconds from its start to its last sign of life.
        nonfinite: How often it logged the metric as NaN or infinite.
        stop: The decision of early termination that ended it, if one did.
        fallback: Why it got a random draw where the search had nothing ready; empty if it got what was searched.
        prior: Attached from an earlier sweep: warm-starts the search, does not count towards `run_cap`.
        losses: How often its agent fell silent and the server handed it out again.
        values: Its last value of each metric of a sweep with several, in the file's order; empty if it lacks one.
        aggregate: What the metric makes of the history where it is an aggregate of it, such as `loss.min`; else None.
        lacks: The metrics of which it has no value; told of a finished run.
        logged: What it logged instead, each key with what kind of thing it was: `number`, `text`; told with `lacks`.
        digest: What the history comes to, where that was not read itself; None if there is none, or if it was.
        heard_at: When its server last heard of it, as long as it goes on (aware, UTC); None where that is not told.
        interrupted: Whether an attempt at it was cut off, and another one went on or began anew.
        gap: Which rows its history lacks, as far as its server found when it finished; empty if none.
    """

    id: str
    state: RunState
    params: Params = field(default_factory=dict)
    history: tuple[float, ...] = ()
    name: str = ""
    reason: str = ""
    created_at: datetime | None = None
    duration_s: float | None = None
    nonfinite: int = 0
    stop: StopDecision | None = None
    fallback: str = ""
    prior: bool = False
    losses: int = 0
    values: tuple[float, ...] = ()
    aggregate: float | None = None
    lacks: tuple[str, ...] = ()
    logged: Params = field(default_factory=dict)
    digest: Digest | None = None
    heard_at: datetime | None = None
    interrupted: bool = False
    gap: str = ""

    @property
    def iterations(self) -> int:
        """How many finite values of the metric it has logged."""
        return self.digest.count if self.digest else len(self.history)

    def best(self, goal: Goal) -> float | None:
        """Give the best value it ever logged, or the aggregate of them that the metric names; None before the first."""
        if self.aggregate is not None:
            return self.aggregate
        if self.digest is not None:
            return self.digest.best(goal)
        return best_value(goal, self.history) if self.history else None

    @property
    def last(self) -> float | None:
        """Its last value; None before the first. An aggregate has but one."""
        if self.aggregate is not None:
            return self.aggregate
        if self.digest is not None:
            return self.digest.last
        return self.history[-1] if self.history else None

    @property
    def numberless(self) -> bool:
        """Whether it ended with nothing but NaN and infinities for its metric."""
        return self.state.ended and self.nonfinite > 0 and not self.iterations

    @property
    def may_lead(self) -> bool:
        """Whether it may be the best of its sweep."""
        return may_lead(self.state, stopped_early=self.stop is not None)


def may_lead(state: RunState, *, stopped_early: bool) -> bool:
    """Whether a run in a state may be the best of its sweep.

    One that failed, crashed or was killed did not do what it was started for, whatever it logged on the way. A running
    one leads for now; one that early termination ended did all that the sweep asked of it.
    """
    if state is RunState.KILLED:
        return stopped_early
    return state not in _BROKEN


def best_run(runs: Iterable[Run], goal: Goal) -> Run | None:
    """Pick the run with the best value of those that may lead; the earliest of equals; None if none has a value."""
    scored = [(value, run) for run in runs if run.may_lead and (value := run.best(goal)) is not None]
    if not scored:
        return None
    return min(scored, key=lambda pair: sign(goal) * pair[0])[1]


def thinned(history: Sequence[float], points: int) -> Curve:
    """Give some `points` of a history, evenly spread, the last value among them."""
    stride, last = max(1, len(history) // points), len(history)
    return tuple((at, value) for at, value in enumerate(history, start=1) if at % stride == 0 or at == last)
