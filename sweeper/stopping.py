"""The rules of early termination, as the sweep file gives them; `sweeper.search` applies them."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sweeper.parameters import Model, Number, rule


class Hyperband(Model):
    """Early termination: a ladder of rungs at which the worse runs stop.

    Rungs count logged values of the metric. Either `min_iter`, min_iter * eta, min_iter * eta^2, ...; or, from above,
    max_iter / eta, ... `s` times.

    Attributes:
        min_iter: The first rung.
        max_iter: The length of a whole run.
        s: The number of rungs below `max_iter`.
        eta: About one run in eta survives each rung.
        strict: Judge a run by its value at the rung, not by its best so far. W&B's docs say the default is false; its
            engine (`sweeps` 0.3.0) fills in true, and so do we.
    """

    type: Literal["hyperband"]
    min_iter: int | None = Field(default=None, ge=1)
    max_iter: int | None = Field(default=None, ge=1)
    s: int | None = Field(default=None, ge=1)
    eta: Number = Field(default=3, gt=1)
    strict: bool = True

    @model_validator(mode="after")
    def _has_rungs(self) -> Self:
        if self.max_iter is None and self.min_iter is None:
            raise rule("needs `min_iter`, or `max_iter` and `s`", "add `min_iter: 3`")
        if self.max_iter is not None and self.s is None:
            raise rule("`max_iter` needs `s`, the number of rungs below it", "add `s: 2`", "max_iter")
        if self.max_iter is not None and self.max_iter / self.eta < 1:
            raise rule(f"no rung lies below max_iter {self.max_iter}", f"take at least {self.eta:g}", "max_iter")
        return self


class Asha(Model):
    """Asynchronous successive halving (Li et al., arXiv 1810.05934): a run is judged once at each rung.

    Three differences to W&B's ladder: about the best 1/eta go on and not one more, whoever has passed a rung is not
    judged there again, and runs are compared by their best values so far.

    Attributes:
        min_iter: The first rung; each further one is eta times as far.
        max_iter: The length of a whole run: there is no rung at it or above. Without it the ladder has no end.
        eta: One run in eta survives each rung. 5 by measurement (`benchmarks/early_stopping.py`): 3 and 4, usual
            elsewhere, find as good a final value and save less; 8 starts to miss it.
    """

    type: Literal["asha"]
    min_iter: int = Field(ge=1)
    max_iter: int | None = Field(default=None, ge=2)
    eta: Number = Field(default=5, gt=1)

    @model_validator(mode="after")
    def _has_rungs(self) -> Self:
        if self.max_iter is not None and self.max_iter <= self.min_iter:
            raise rule(f"no rung lies below max_iter {self.max_iter}", f"take more than {self.min_iter}", "max_iter")
        return self


class Median(Model):
    """The median rule, with a percentile to choose: at every iteration, only the better part of the runs goes on.

    A run's best value so far is compared with those of all runs that got as far. They are ever fewer and better, so few
    runs get far, and what they have trained stays small.

    Attributes:
        warm_up: Iterations of a run before it is first judged.
        min_runs: Other runs that must have got as far; with fewer, nobody is stopped.
        percentile: How many of 100 go on. 50 is the median of the rule's name; on the curves of
            `benchmarks/early_stopping.py` it ends a sweep no sooner than W&B's rule, a third does.
    """

    type: Literal["median"]
    warm_up: int = Field(default=1, ge=0)
    min_runs: int = Field(default=5, ge=1)
    percentile: Number = Field(default=33, gt=0, lt=100)


BeyondWandb = Annotated[Asha | Median, Field(discriminator="type")]
"""The rules that W&B lacks; they stand below our own key, `sweeper: {early_terminate: ...}`."""

StoppingRule = Hyperband | Asha | Median
