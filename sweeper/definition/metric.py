"""Sections of a sweep file: what it optimises, and who searches."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sweeper.definition.strict_model import Faults, Model, Number, rule
from sweeper.run import Goal

Impute = Literal["worst", "best", "latest"]


class Metric(Model):
    """What the sweep optimises."""

    name: str = Field(min_length=1)
    """The key the trainer logs."""
    goal: Goal = "minimize"
    """Whether low or high values are good."""
    target: Number | None = None
    """The sweep is over once a run logs a value as good as this."""
    impute: Impute = "worst"
    """What a Bayesian search takes as the value of a run that failed before it logged one."""
    impute_while_running: Literal["worst", "best", "latest", "false"] = "false"
    """Whether a Bayesian search takes running runs as results, and with which value (`false` in quotes: not)."""

    def reached_by(self, value: float) -> bool:
        """Whether a value is as good as the target, if there is one."""
        if self.target is None:
            return False
        return value <= self.target if self.goal == "minimize" else value >= self.target


class Controller(Model):
    """Where W&B's search runs."""

    type: Literal["cloud", "local"]
    """`cloud`: in the server. `local`: in a `wandb.controller()` of the user's."""


class Scheduler(Model):
    """A search of the user's own, run by `wandb sweep-scheduler`."""

    engine: Literal["wandb", "optuna", "ax"]
    """Whose search it is; `optuna` and `ax` need `method: custom`."""
    source: str | None = None
    """The Python file that holds the functions below. Whoever runs the scheduler imports it."""
    optimizer: str | None = None
    """The function in `source` that makes the study or client."""
    search_space: str | None = None
    """The function in `source` that draws parameters (Optuna only); it makes `parameters` optional."""

    def _check_source(self) -> Faults:
        for name in ("optimizer", "search_space"):
            if getattr(self, name) is not None and self.source is None:
                yield rule(f"`{name}` is a function of a file that is not named", "add `source: FILE.py`", name)
