"""The rules of early termination: what each takes from the sweep file, and how it judges a run.

Another rule is one class here, and its name in `BeyondWandb`. `sweeper.search.stop_decision` asks the sweep's rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from sweeper.definition.rungs import falling, rising, share_threshold, wandb_threshold
from sweeper.definition.strict_model import Count, Faults, Number, StrictModel, reads, rule


class Reached(NamedTuple):
    """What a run had logged when it got to an iteration.

    Attributes:
        value: The metric at this iteration.
        best: The best until then.
    """

    value: float
    best: float


OwnAt = Callable[[int], Reached]
"""Looks up a run at an iteration that it got to."""
OthersAt = Callable[[int], Sequence[Reached]]
"""Looks up the other runs at an iteration: those that got that far, in any order."""


@dataclass(frozen=True, slots=True)
class Missed:
    """A comparison that a run failed; of `value` and `threshold`, less is better.

    Attributes:
        rung: The iteration at which it was judged.
        value: What it was judged by.
        threshold: The worst value that would have gone on.
        n: How many runs were compared, itself included.
        bar: Whom it should have been among, in words.
    """

    rung: int
    value: float
    threshold: float
    n: int
    bar: str


class StoppingRule(StrictModel):
    """What every rule tells; in all of it less is better, whatever the goal of the metric."""

    type: str
    """The name of the rule."""

    def rungs(self) -> tuple[int, ...]:
        """List its rungs, lowest first, in logged values; none if it judges at every value."""
        raise NotImplementedError

    def first_judged(self) -> int:
        """Give the logged value at which it first judges a run: its lowest rung, else the first."""
        return next(iter(self.rungs()), 1)

    def rungs_text(self) -> str:
        """Say what follows after the lowest rungs in a table, and what happens at them."""
        return ""

    def judged_at(self, before: int, now: int) -> tuple[int, ...]:
        """List the iterations at which to judge a run whose values after `before` and up to `now` have just come in."""
        raise NotImplementedError

    def missed(self, now: int, own_at: OwnAt, others_at: OthersAt) -> Missed | None:
        """Compare a run with the others at an iteration that `judged_at` named; None if it goes on."""
        raise NotImplementedError


class Hyperband(StoppingRule):
    """Early termination: a ladder of rungs at which the worse runs stop.

    Rungs count logged values of the metric. Either `min_iter`, min_iter * eta, min_iter * eta^2, ...; or, from above,
    max_iter / eta, ... `s` times.
    """

    type: Literal["hyperband"]
    """The rule; W&B knows only this one."""
    min_iter: Count | None = None
    """The first rung, in logged values of the metric; the next ones are eta times as high."""
    max_iter: Count | None = None
    """The length of a whole run, in logged values of the metric; the rungs lie below it."""
    s: Count | None = None
    """The number of rungs below `max_iter`."""
    eta: Number = Field(default=3, json_schema_extra={"exclusiveMinimum": 1})
    """About one run in eta survives each rung."""
    strict: bool = True
    """Judge a run by its value at the rung, not by its best so far.

    W&B's docs say the default is false; its engine (`sweeps` 0.3.0) fills in true, and so do we.
    """

    @reads("eta")
    def _check_eta(self) -> Faults:
        if self.eta <= 1:
            yield rule(f"eta {self.eta:g} is not above 1", "write `eta: 3`: a third of the runs goes on", "eta")

    @reads("min_iter", "max_iter")
    def _check_has_rungs(self) -> Faults:
        if self.max_iter is None and self.min_iter is None:
            yield rule("needs `min_iter`, or `max_iter` and `s`", "add `min_iter: 3`")

    @reads("max_iter", "s")
    def _check_rungs_are_counted(self) -> Faults:
        if self.max_iter is not None and self.s is None:
            yield rule("`max_iter` needs `s`, the number of rungs below it", "add `s: 2`", "max_iter")

    @reads("max_iter", "eta")
    def _check_rungs_are_reached(self) -> Faults:
        if self.max_iter is not None and self.eta > 1 and self.max_iter / self.eta < 1:
            yield rule(f"no rung lies below max_iter {self.max_iter}", f"take at least {self.eta:g}", "max_iter")

    def rungs(self) -> tuple[int, ...]:
        """Climb from `min_iter`, or descend from `max_iter` where that is given, as W&B does."""
        if self.max_iter is not None:
            return falling(self.max_iter, self.eta, self.s or 0)
        return rising(self.min_iter or 1, self.eta)

    def rungs_text(self) -> str:
        """Give the share that goes on."""
        return _share_text(self.eta, self.max_iter)

    def judged_at(self, before: int, now: int) -> tuple[int, ...]:  # noqa: ARG002 the others judge what is new
        """Look again whenever asked, as W&B's rule does: the others may have logged in the meantime."""
        return (now,)

    def missed(self, now: int, own_at: OwnAt, others_at: OthersAt) -> Missed | None:
        """Judge a run at the highest rung it has reached, however long ago, by W&B's comparison."""
        rung = max((rung for rung in self.rungs() if rung <= now), default=None)
        if rung is None:
            return None
        # all are compared by their values at the rung; `strict: false` exempts the run's own value alone, as W&B does
        then = own_at(rung).value
        values = [then, *(other.value for other in others_at(rung))]
        threshold = wandb_threshold(values, self.eta)
        value = then if self.strict else own_at(now).best
        bar = f"the best 1/{self.eta:g} of {len(values)} runs"
        return Missed(rung, value, threshold, len(values), bar) if value > threshold else None


class Asha(StoppingRule):
    """Asynchronous successive halving (Li et al., arXiv 1810.05934): a run is judged once at each rung.

    Three differences to W&B's ladder: about the best 1/eta go on and not one more, whoever has passed a rung is not
    judged there again, and runs are compared by their best values so far.
    """

    type: Literal["asha"]
    """The rule."""
    min_iter: Count
    """The first rung, in logged values of the metric; each further one is eta times as far."""
    max_iter: Count | None = None
    """The length of a whole run: there is no rung at it or above; without it the ladder has no end."""
    eta: Number = Field(default=5, json_schema_extra={"exclusiveMinimum": 1})
    """One run in eta survives each rung.

    5 by measurement (`benchmarks/early_stopping.py`): 3 and 4, usual elsewhere, find as good a final value and save
    less; 8 starts to miss it.
    """

    @reads("eta")
    def _check_eta(self) -> Faults:
        if self.eta <= 1:
            yield rule(f"eta {self.eta:g} is not above 1", "write `eta: 5`: a fifth of the runs goes on", "eta")

    @reads("min_iter", "max_iter")
    def _check_has_rungs(self) -> Faults:
        if self.max_iter is not None and self.max_iter <= self.min_iter:
            yield rule(f"no rung lies below max_iter {self.max_iter}", f"take more than {self.min_iter}", "max_iter")

    def rungs(self) -> tuple[int, ...]:
        """Climb from `min_iter`, as long as a run can get there."""
        return rising(self.min_iter, self.eta, self.max_iter)

    def rungs_text(self) -> str:
        """Give the share that goes on."""
        return _share_text(self.eta, self.max_iter)

    def judged_at(self, before: int, now: int) -> tuple[int, ...]:
        """Judge each rung once, when it is reached: several may fall into one delivery."""
        return tuple(rung for rung in self.rungs() if before < rung <= now)

    def missed(self, now: int, own_at: OwnAt, others_at: OthersAt) -> Missed | None:
        """Ask for a place among the best 1/eta."""
        return _among_best(1 / self.eta, now, own_at, others_at(now), f"the best 1/{self.eta:g}")


class Median(StoppingRule):
    """The median rule, with a percentile to choose: at every iteration, only the better part of the runs goes on.

    A run's best value so far is compared with those of all runs that got as far. They are ever fewer and better, so few
    runs get far, and what they have trained stays small.
    """

    type: Literal["median"]
    """The rule."""
    warm_up: int = Field(default=1, ge=0)
    """Logged values of the metric before a run is first judged."""
    min_runs: Count = 5
    """Other runs that must have got as far; with fewer, nobody is stopped."""
    percentile: Number = Field(default=33, json_schema_extra={"exclusiveMinimum": 0, "exclusiveMaximum": 100})
    """How many of 100 go on.

    50 is the median of the rule's name; on the curves of `benchmarks/early_stopping.py` it ends a sweep no sooner than
    W&B's rule, a third does.
    """

    @reads("percentile")
    def _check_percentile(self) -> Faults:
        if not 0 < self.percentile < 100:
            yield rule(f"{self.percentile:g} is not between 0 and 100", "write `percentile: 33`", "percentile")

    def rungs(self) -> tuple[int, ...]:
        """Give none: it judges at every value."""
        return ()

    def first_judged(self) -> int:
        """Give the first value after the warm-up."""
        return self.warm_up + 1

    def judged_at(self, before: int, now: int) -> tuple[int, ...]:
        """Judge the last value of a delivery."""
        return (now,) if now > before else ()

    def missed(self, now: int, own_at: OwnAt, others_at: OthersAt) -> Missed | None:
        """Judge a run at its last iteration, unless it is too early or there are too few to compare with."""
        if now <= self.warm_up:
            return None
        others = others_at(now)
        if len(others) < self.min_runs:
            return None
        return _among_best(self.percentile / 100, now, own_at, others, f"the best {self.percentile:g}%")


def _among_best(share: float, now: int, own_at: OwnAt, others: Sequence[Reached], bar: str) -> Missed | None:
    """Compare best values so far: by its best value a run counts in the end, so a dip is no reason to stop."""
    value = own_at(now).best
    values = [value, *(other.best for other in others)]
    threshold = share_threshold(values, share)
    if value <= threshold:
        return None
    return Missed(now, value, threshold, len(values), f"{bar} of {len(values)} runs")


def _share_text(eta: float, max_iter: int | None) -> str:
    return f"{', ...' if max_iter is None else ''} logged values; about 1 in {eta:g} goes on"


BeyondWandb = Annotated[Asha | Median, Field(discriminator="type")]
"""The rules that W&B lacks; they stand below our own key, `sweeper: {early_terminate: ...}`."""
