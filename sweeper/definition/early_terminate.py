"""The rules of early termination, as the sweep file gives them; `sweeper.search` applies them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sweeper.definition.strict_model import Count, Faults, Number, StrictModel, reads, rule


class Hyperband(StrictModel):
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


class Asha(StrictModel):
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


class Median(StrictModel):
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


BeyondWandb = Annotated[Asha | Median, Field(discriminator="type")]
"""The rules that W&B lacks; they stand below our own key, `sweeper: {early_terminate: ...}`."""

StoppingRule = Hyperband | Asha | Median
