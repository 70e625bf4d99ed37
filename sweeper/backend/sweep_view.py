"""What a server says about a sweep, whichever way it was asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from sweeper.definition.outline import Outline
from sweeper.errors import BackendError, DefinitionError
from sweeper.ref import SweepRef
from sweeper.run import Run, SweepState

if TYPE_CHECKING:
    from sweeper.definition.sweep_definition import SweepDefinition


@dataclass(frozen=True)  # no slots: it keeps what it has parsed
class ToldDefinition:
    """A sweep file that the server has summed up: parsed only where more is wanted, for that takes a while.

    Attributes:
        text: What was registered.
        outline: The file in short.
        expected_runs: How many runs the sweep will have; None if it goes on until stopped.
    """

    text: str
    outline: Outline
    expected_runs: int | None = None

    @cached_property
    def whole(self) -> SweepDefinition:
        """The file, parsed.

        Raises:
            BackendError: It has a form we cannot read.
        """
        from sweeper.definition.sweep_definition import SweepDefinition

        try:
            return SweepDefinition.from_yaml(self.text, by_hand=False)
        except DefinitionError as error:
            fix = "docs/sweep-files.md lists the forms this version reads; watch such a sweep on its page"
            raise BackendError(f"the sweep has a form we cannot read: {error.message}", fix) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepView:
    """What the server says about a sweep.

    Attributes:
        ref: Its full name.
        definition: What was registered.
        url: Its page.
        state: Where it is in its life.
        runs: All of its runs and those attached to it, oldest first.
        scheduler_heard_at: When a scheduler of its own was last heard; None if it has none, or the server does not say.
        confirms: The id of the sweep that it confirms; empty if it confirms none.
        confirmed_by: The ids of the sweeps that confirm it; None where the server does not say.
    """

    ref: SweepRef
    url: str
    definition: SweepDefinition | ToldDefinition
    state: SweepState
    runs: tuple[Run, ...]
    scheduler_heard_at: datetime | None = None
    confirms: str = ""
    confirmed_by: tuple[str, ...] | None = None

    @property
    def outline(self) -> Outline:
        """Its file in short."""
        definition = self.definition
        return definition.outline if isinstance(definition, ToldDefinition) else Outline.of(definition)

    @property
    def whole_definition(self) -> SweepDefinition:
        """Its file, parsed.

        Raises:
            BackendError: It has a form we cannot read.
        """
        return self.definition.whole if isinstance(self.definition, ToldDefinition) else self.definition

    @property
    def expected_runs(self) -> int | None:
        """How many runs it will have; None if it goes on until stopped."""
        if isinstance(self.definition, ToldDefinition):
            return self.definition.expected_runs
        from sweeper.search import expected_runs

        return expected_runs(self.definition, self.runs)


@dataclass(frozen=True, slots=True)
class AgentSeen:
    """An agent of a sweep, as its server has heard it.

    Attributes:
        host: The machine that it named.
        heard_at: When it was last heard (aware).
    """

    host: str
    heard_at: datetime


def utc(text: str) -> datetime:
    """Read a time of the API; one that does not say where is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
