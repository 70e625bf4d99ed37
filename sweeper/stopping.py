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

    W&B's ladder with two differences, which together end a sweep sooner: the best 1/eta go on and not one more, and
    whoever has passed a rung is not judged there again.

    Attributes:
        min_iter: The first rung; each further one is eta times as far.
        max_iter: The length of a whole run: there is no rung at it or above. Without it the ladder has no end.
        eta: One run in eta survives each rung. 4 as in the paper and in Ray Tune; `benchmarks/early_stopping.py`
            shows 3 beside it.
    """

    type: Literal["asha"]
    min_iter: int = Field(ge=1)
    max_iter: int | None = Field(default=None, ge=2)
    eta: Number = Field(default=4, gt=1)

    @model_validator(mode="after")
    def _has_rungs(self) -> Self:
        if self.max_iter is not None and self.max_iter <= self.min_iter:
            raise rule(f"no rung lies below max_iter {self.max_iter}", f"take more than {self.min_iter}", "max_iter")
        return self


class Median(Model):
    """Stops a run whose value is worse than the median of the others' at the same iteration.

    Judged at every iteration after the first few, among all runs that got that far. Those are ever fewer and better,
    so about one run in two is stopped at each iteration until `min_runs` are left to compare with.

    Attributes:
        warm_up: Iterations of a run before it is judged.
        min_runs: Other runs that must have reached the iteration.
    """

    type: Literal["median"]
    warm_up: int = Field(default=1, ge=0)
    min_runs: int = Field(default=4, ge=1)


BeyondWandb = Annotated[Asha | Median, Field(discriminator="type")]
"""The rules that W&B lacks; they stand below our own key, `sweeper: {early_terminate: ...}`."""

StoppingRule = Hyperband | Asha | Median
