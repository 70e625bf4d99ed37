"""Sections of a sweep file: what it optimises, and who searches."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sweeper.definition.strict_model import Faults, Number, StrictModel, reads, rule
from sweeper.run import Goal, reaches, sign

Impute = Literal["worst", "best", "latest"]


class Metric(StrictModel):
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
    """Whether a Bayesian search takes running runs as results (`false` in quotes: not).

    Each counts with its best value so far, and with this one of the ended runs' values while it has none.
    """

    @property
    def sign(self) -> float:
        """The factor that turns its values into losses: 1, or -1 where high values are good."""
        return sign(self.goal)

    def better(self, value: float, other: float) -> bool:
        """Whether one value is better than another, not as good."""
        return not reaches(self.goal, other, value)

    def reached_by(self, value: float) -> bool:
        """Whether a value is as good as the target, if there is one."""
        return self.target is not None and reaches(self.goal, value, self.target)


class Controller(StrictModel):
    """Where W&B's search runs."""

    type: Literal["cloud", "local"]
    """`cloud`: in the server. `local`: in a `wandb.controller()` of the user's."""


class Scheduler(StrictModel):
    """A search of the user's own, run by `wandb sweep-scheduler`."""

    engine: Literal["wandb", "optuna", "ax"]
    """Whose search it is; `optuna` and `ax` need `method: custom`."""
    source: str | None = None
    """The Python file that holds the functions below. Whoever runs the scheduler imports it."""
    optimizer: str | None = None
    """The function in `source` that makes the study or client."""
    search_space: str | None = None
    """The function in `source` that draws parameters (Optuna only); it makes `parameters` optional."""

    @reads("optimizer", "source")
    def _check_optimizer_has_a_file(self) -> Faults:
        if self.optimizer is not None and self.source is None:
            yield rule(*_of_no_file("optimizer"))

    @reads("search_space", "source")
    def _check_search_space_has_a_file(self) -> Faults:
        if self.search_space is not None and self.source is None:
            yield rule(*_of_no_file("search_space"))


def _of_no_file(name: str) -> tuple[str, str, str]:
    return f"`{name}` is a function of a file that is not named", "add `source: FILE.py`", name
