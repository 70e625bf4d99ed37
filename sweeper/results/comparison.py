"""Runs side by side: what was given to them and differs, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sweeper.backend.run_facts import RunFacts
from sweeper.metric_value import flat
from sweeper.ref import SweepRef
from sweeper.results.status import RunStatus, SweepStatus
from sweeper.side_by_side import MISSING, ComparedRow, rows_of


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """One of the runs that are compared.

    Attributes:
        sweep: Its sweep.
        run: What the sweep's status tells of it.
        status: The sweep's status.
        facts: What the server knows of it alone.
    """

    sweep: SweepRef
    run: RunStatus
    status: SweepStatus
    facts: RunFacts

    @property
    def config(self) -> dict[str, Any]:
        """All of its config, and the parameters that the sweep gave it, by dotted name."""
        given = dict(flat(self.facts.config))
        return given | {name: value for name, value in self.run.params.items() if name not in given}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Some runs compared.

    Attributes:
        runs: The runs.
        config: What was given to them.
        results: The sweeps' metrics, best and last, and the other numbers of their summaries.
        course: State, reason, duration, attempts, slot.
    """

    runs: tuple[ComparedRun, ...]
    config: tuple[ComparedRow, ...] = field(default=())
    results: tuple[ComparedRow, ...] = field(default=())
    course: tuple[ComparedRow, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Give the object that `sweeper compare --json` prints."""
        return {
            "runs": [
                {
                    "id": one.run.id,
                    "name": one.run.name,
                    "sweep": one.sweep.path,
                    "path": one.sweep.run(one.run.id).path,
                }
                for one in self.runs
            ],
            "config": {row.name: {"values": row.to_json(), "same": row.same} for row in self.config},
            "results": {row.name: {"values": row.to_json(), "same": row.same} for row in self.results},
            "course": {row.name: {"values": row.to_json(), "same": row.same} for row in self.course},
        }


def compare(runs: Sequence[ComparedRun]) -> Comparison:
    """Compare runs, two at least; what differs comes first, and before that the parameters that a sweep varies."""
    searched = dict.fromkeys(name for one in runs for name in one.run.params)
    config = rows_of([one.config for one in runs])
    first = [row for row in config if row.name in searched]
    rest = [row for row in config if row.name not in searched]
    return Comparison(
        tuple(runs),
        config=tuple(sorted([*first, *rest], key=lambda row: row.same)),
        results=tuple(_results(runs)),
        course=tuple(_course(runs)),
    )


def _results(runs: Sequence[ComparedRun]) -> list[ComparedRow]:
    """Give the metrics of the runs' sweeps, then the other numbers that they left in their summaries."""
    rows: list[ComparedRow] = []
    for metric in dict.fromkeys(one.status.facts.metric for one in runs if one.status.facts.metric):
        own = [one.run if one.status.facts.metric == metric else None for one in runs]
        rows.append(ComparedRow(f"best {metric}", tuple(run.best if run else None for run in own)))
        rows.append(ComparedRow(f"last {metric}", tuple(run.last if run else None for run in own)))
    summaries = [_numbers(one.facts.summary) for one in runs]
    # the last value of the one metric stands there already
    told = {row.name.removeprefix("last ") for row in rows}
    rows += [row for row in sorted(rows_of(summaries), key=lambda row: row.name) if row.name not in told]
    return [ComparedRow(row.name, tuple(MISSING if value is None else value for value in row.values)) for row in rows]


def _numbers(summary: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in flat(summary) if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _course(runs: Sequence[ComparedRun]) -> list[ComparedRow]:
    facts: dict[str, list[Any]] = {
        "state": [one.run.state.value for one in runs],
        "reason": [one.run.reason or None for one in runs],
        "duration_s": [one.run.duration_s for one in runs],
        "attempts": [one.run.attempts for one in runs],
        "slot": [one.run.slot or None for one in runs],
        "host": [one.facts.host or None for one in runs],
    }
    rows = [
        ComparedRow(name, tuple(MISSING if value is None else value for value in found))
        for name, found in facts.items()
    ]
    return [row for row in rows if any(value is not MISSING for value in row.values)]
