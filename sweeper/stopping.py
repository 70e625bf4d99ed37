"""The rules of early termination, as the sweep file gives them; `sweeper.search` applies them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sweeper.model import Count, Faults, Model, Number, rule


class Hyperband(Model):
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

    def _check_eta(self) -> Faults:
        if self.eta <= 1:
            yield rule(f"eta {self.eta:g} is not above 1", "write `eta: 3`: a third of the runs goes on", "eta")

    def _check_has_rungs(self) -> Faults:
        if self.max_iter is None and self.min_iter is None:
            yield rule("needs `min_iter`, or `max_iter` and `s`", "add `min_iter: 3`")
        elif self.max_iter is not None and self.s is None:
            yield rule("`max_iter` needs `s`, the number of rungs below it", "add `s: 2`", "max_iter")

    def _check_rungs_are_reached(self) -> Faults:
        if self.max_iter is not None and self.eta > 1 and self.max_iter / self.eta < 1:
            yield rule(f"no rung lies below max_iter {self.max_iter}", f"take at least {self.eta:g}", "max_iter")
