"""A run and its states: the one type that search, server, status and client share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

Params = Mapping[str, Any]
"""Flat parameters of a run, nested ones dotted: `{"optimizer.lr": 3e-4, "epochs": 5}`."""

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
        return self in {RunState.FINISHED, RunState.FAILED, RunState.CRASHED, RunState.KILLED}


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

    def best(self, goal: Goal) -> float | None:
        """Give the best value it ever logged; None before the first."""
        if not self.history:
            return None
        return best_value(goal, self.history)


def finite(values: Iterable[object]) -> tuple[float, ...]:
    """Keep what counts as an iteration of a metric: finite numbers, no booleans.

    W&B's engine (`sweeps` 0.3.0) skips NaN, infinities, booleans and text in the same way.
    """
    numbers = (float_or_nan(value) for value in values)
    return tuple(number for number in numbers if number is not None and math.isfinite(number))


def float_or_nan(value: object) -> float | None:
    """Read a logged value as a number; None for what is none, such as a boolean or text.

    NaN and infinities are numbers here, also as the words that the SDK writes for them in places.
    """
    if isinstance(value, str):
        return float(value) if value in {"NaN", "Infinity", "-Infinity"} else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:  # an integer of more than 308 digits
        return math.inf if value > 0 else -math.inf


def lookup(row: Mapping[str, Any], key: str) -> Any:
    """Find a dotted key in nested mappings whose own keys may hold dots; None when absent."""
    if key in row:
        return row[key]
    parts = key.split(".")
    for end in range(1, len(parts)):
        inner = row.get(".".join(parts[:end]))
        if isinstance(inner, Mapping):
            found = lookup(inner, ".".join(parts[end:]))
            if found is not None:
                return found
    return None


def final_values(summary: Mapping[str, Any], names: Sequence[str]) -> tuple[float, ...]:
    """Read a finished run's value of each metric out of its summary; nothing if one of them is no finite number.

    A metric defined with `run.define_metric(..., summary="max")` stands there as `{"max": value}` (wandb 0.31).
    """
    found = [lookup(summary, name) for name in names]
    numbers = finite(next(iter(value.values()), None) if isinstance(value, Mapping) else value for value in found)
    return numbers if len(numbers) == len(names) else ()


def best_run(runs: Iterable[Run], goal: Goal) -> Run | None:
    """Pick the run with the best logged value; the earliest of equals; None if nobody logged one."""
    scored = [(value, run) for run in runs if (value := run.best(goal)) is not None]
    if not scored:
        return None
    return min(scored, key=lambda pair: sign(goal) * pair[0])[1]
