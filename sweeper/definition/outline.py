"""What a status says of a sweep file: short enough to be sent with every answer, and read without the file's models.

Those take a quarter of a second to import: as long as all else that `sweeper status` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from sweeper.run import Goal

if TYPE_CHECKING:
    from sweeper.definition.sweep_definition import SweepDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A metric of a sweep.

    Attributes:
        name: Its name.
        goal: In which direction it is good.
        target: The value at which the sweep has what it is for; None if there is none.
    """

    name: str
    goal: Goal = "minimize"
    target: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A sweep file in short, in the words of `SweepDefinition`.

    Attributes:
        name: Its name; empty if it was given none.
        method: How it searches.
        objectives: The metrics that it optimises.
        several: Whether it has several of them, under `metrics`, and no `metric`.
        run_cap: How many runs it allows; None if it does not say.
        steered: Whether what runs log decides which runs there are, how far they go, or when the sweep is over.
        engine: That of the sweep's own scheduler; empty if the server searches.
        searched: The parameters with more than one value; none where a scheduler has a search space of its own.
    """

    name: str = ""
    method: str
    objectives: tuple[Objective, ...] = ()
    several: bool = False
    run_cap: int | None = None
    steered: bool = False
    engine: str = ""
    searched: tuple[str, ...] = ()

    @classmethod
    def of(cls, definition: SweepDefinition) -> Self:
        """Sum a sweep file up."""
        return cls(
            name=definition.name or "",
            method=definition.method,
            objectives=tuple(
                Objective(name=metric.name, goal=metric.goal, target=metric.target) for metric in definition.objectives
            ),
            several=definition.metrics is not None,
            run_cap=definition.run_cap,
            steered=definition.steered,
            engine=definition.scheduler.engine if definition.scheduler else "",
            searched=tuple(definition.space.searched),
        )

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """Read what `to_json` gives.

        Raises:
            TypeError: It is something else.
        """
        parts = {
            "objectives": tuple(Objective(**one) for one in told["objectives"]),
            "searched": tuple(told["searched"]),
        }
        return cls(**{**told, **parts})

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return asdict(self)

    @property
    def metric(self) -> Objective | None:
        """What it optimises; None if nothing, or if it has several metrics."""
        return self.objectives[0] if self.objectives and not self.several else None

    @property
    def metrics(self) -> dict[str, Goal]:
        """Several metrics, each with its direction; empty if it has one or none."""
        return {one.name: one.goal for one in self.objectives} if self.several else {}

    @property
    def goal(self) -> Goal:
        """The direction of the metric; W&B's default where none is given."""
        return self.metric.goal if self.metric else "minimize"
