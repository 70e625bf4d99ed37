"""The rules of early termination, as the sweep file gives them; `sweeper.search` applies them."""

from __future__ import annotations

from typing import Literal, Self

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
