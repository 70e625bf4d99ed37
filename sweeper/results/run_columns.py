"""What a table of runs may show, be sorted by and be filtered by: each name, and where its value is found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sweeper.backend.run_reader import ServerRun
from sweeper.errors import ResultError
from sweeper.metric_value import flat
from sweeper.nearest import nearest
from sweeper.results.run_filter import RunCondition
from sweeper.results.status import RunStatus, SweepStatus
from sweeper.run import Goal, sign

Direction = Literal["", "+", "-"]
Get = Callable[[RunStatus], Any]
NOT_THERE = None
_ALIASES = {"run": "id", "duration": "duration_s", "time": "duration_s", "created": "created_at", "tries": "attempts"}
MOST_NAMED = 30
"""Names in an error message."""


@dataclass(frozen=True, slots=True)
class RunColumn:
    """A column.

    Attributes:
        name: As it may be typed.
        get: Gives its value of a run; None if there is none.
        goal: In which direction it is good, if it is a metric; then the best come first.
        is_time: Whether its values are moments.
    """

    name: str
    get: Get
    goal: Goal | None = None
    is_time: bool = False


@dataclass
class RunColumns:
    """The columns of one sweep's runs.

    Attributes:
        status: The sweep.
        created: When each run was made, by id.
        read: Gives the runs whole; asked only for a name that is none of a status.
    """

    status: SweepStatus
    created: Mapping[str, datetime]
    read: Callable[[], Iterable[ServerRun]]
    _whole: dict[str, tuple[dict[str, Any], dict[str, Any]]] | None = field(default=None, repr=False)

    def fixed(self) -> dict[str, RunColumn]:
        """Give what every run has."""
        goal = self.status.facts.goal if self.status.facts.metric else None
        columns = (
            RunColumn("id", lambda run: run.id),
            RunColumn("name", lambda run: run.name),
            RunColumn("state", lambda run: run.state.value),
            RunColumn("best", lambda run: run.best, goal),
            RunColumn("last", lambda run: run.last, goal),
            RunColumn("duration_s", lambda run: run.duration_s),
            RunColumn("slot", lambda run: run.slot or None),
            RunColumn("attempts", lambda run: run.attempts),
            RunColumn("created_at", lambda run: self.created.get(run.id), is_time=True),
            RunColumn("reason", lambda run: run.reason or None),
            RunColumn("kind", lambda run: run.kind or None),
            RunColumn("gap", lambda run: run.gap or None),
        )
        return {column.name: column for column in columns}

    def metrics(self) -> dict[str, RunColumn]:
        """Give the sweep's metric, best value, or its several ones, last values."""
        facts = self.status.facts
        if facts.metrics:
            return {name: RunColumn(name, _value_of(name), goal) for name, goal in facts.metrics.items()}
        return {facts.metric: RunColumn(facts.metric, lambda run: run.best, facts.goal)} if facts.metric else {}

    def parameters(self) -> dict[str, RunColumn]:
        """Give the parameters that the sweep varies, in the order of its file."""
        names = dict.fromkeys(name for run in self.status.runs for name in run.params)
        return {name: RunColumn(name, _parameter(name)) for name in names}

    def find(self, name: str) -> RunColumn | None:
        """Find a column by what was typed; None if there is none of that name."""
        name = _ALIASES.get(name, name)
        for known in (self.fixed(), self.metrics(), self.parameters()):
            if name in known:
                return known[name]
        if found := self._by_last_part(name):
            return found
        whole = self._read()
        for part, prefix in ((0, "config."), (1, "summary.")):
            key = name.removeprefix(prefix)
            if name.startswith(prefix) and any(key in values[part] for values in whole.values()):
                return RunColumn(name, self._in(part, key))
        for part in (1, 0):  # what was logged, before what was given
            if any(name in values[part] for values in whole.values()):
                return RunColumn(name, self._in(part, name))
        return None

    def _by_last_part(self, name: str) -> RunColumn | None:
        """Find a parameter by how tables write it: `lr` of `optimizer.lr`."""
        found = [column for column in self.parameters().values() if column.name.rpartition(".")[2] == name]
        return found[0] if len(found) == 1 else None

    def _in(self, part: int, key: str) -> Get:
        whole = self._read()
        return lambda run: whole.get(run.id, ({}, {}))[part].get(key)

    def _read(self) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
        if self._whole is None:
            self._whole = {run.id: (dict(flat(run.config)), dict(flat(run.summary))) for run in self.read()}
        return self._whole

    def names(self) -> list[str]:
        """List all names, those of the sweep before those of every run."""
        whole = self._read().values()
        own = [*self.metrics(), *self.parameters(), *self.fixed()]
        logged = sorted({key for _, summary in whole for key in summary} - set(own))
        given = sorted({f"config.{key}" for config, _ in whole for key in config if key not in own})
        return [*own, *logged, *given]

    def get(self, name: str, option: str) -> RunColumn:
        """Find a column that must be there.

        Args:
            name: What was typed.
            option: Where.

        Raises:
            ResultError: There is none of that name.
        """
        found = self.find(name)
        if found is None:
            raise ResultError(f"{option}: no run has a column {name!r}", self._what_there_is(name))
        return found

    def filtered(self, conditions: Sequence[RunCondition]) -> list[RunStatus]:
        """Give the runs for which all conditions hold.

        Raises:
            ResultError: A name is none, or is compared with what it cannot be.
        """
        columns: list[RunColumn] = []
        for condition in conditions:
            column = self.find(condition.name)
            if column is None:
                what = f"no run has a column {condition.name!r}"
                raise condition.fault(what, self._what_there_is(condition.name))
            condition.check(is_time=column.is_time)
            columns.append(column)
        pairs = list(zip(conditions, columns, strict=True))
        return [run for run in self.status.runs if all(one.holds(column.get(run)) for one, column in pairs)]

    def _what_there_is(self, name: str) -> str:
        names = self.names()
        meant = nearest(name, names)
        shown = ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" * (len(names) > MOST_NAMED))
        return f"did you mean {meant}? There are: {shown}" if meant else f"there are: {shown}"


def _value_of(metric: str) -> Get:
    return lambda run: run.values.get(metric)


def _parameter(name: str) -> Get:
    return lambda run: run.params.get(name)


def ordered(runs: Sequence[RunStatus], column: RunColumn, direction: Direction = "") -> list[RunStatus]:
    """Sort runs by a column; those without a value come last.

    Args:
        runs: The runs.
        column: What to sort by.
        direction: `+` upwards and `-` downwards, as in W&B's orders; without either a metric has its best first, and
            anything else goes upwards.
    """
    goal = None if direction else column.goal
    worth = [(run, _key(goal, column.get(run))) for run in runs]
    # stable: of equals the older comes first, in either direction
    down = direction == "-"
    there = sorted(((run, key) for run, key in worth if key is not None), key=lambda pair: pair[1], reverse=down)
    return [run for run, _ in there] + [run for run, key in worth if key is None]


def best_first(runs: Sequence[RunStatus], metric: RunColumn) -> list[RunStatus]:
    """Sort runs by a metric, those that may be the best of their sweep before those that failed or were killed."""
    found = ordered(runs, metric)
    return sorted(found, key=lambda run: not run.may_lead)


def _key(goal: Goal | None, value: Any) -> tuple[int, Any] | None:
    """Give what a value is sorted by: numbers before texts; None for what has no place, such as NaN."""
    if isinstance(value, datetime):
        return 0, value.timestamp()
    if isinstance(value, bool):
        return 0, int(value)
    if isinstance(value, int | float):
        if value != value:  # noqa: PLR0124 NaN
            return None
        return 0, value * (sign(goal) if goal else 1)
    return None if value is None else (1, str(value))


def cells(runs: Iterable[RunStatus], columns: Sequence[RunColumn]) -> Iterator[dict[str, Any]]:
    """Give the rows as a table is written: numbers as they are, moments as text."""
    for run in runs:
        found = {column.name: column.get(run) for column in columns}
        yield {name: value.isoformat() if isinstance(value, datetime) else value for name, value in found.items()}
