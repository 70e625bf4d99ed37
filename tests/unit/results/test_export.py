"""Runs as a table: rows, columns and values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from sweeper.backend.run_reader import ServerRun
from sweeper.backend.sweep_reader import SweepView
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.journal.attempt import Attempt
from sweeper.ref import SweepRef
from sweeper.results.export import HISTORY_COLUMNS, RUN_COLUMNS, Table, flat, history_table, run_table
from sweeper.run import Run, RunState, SweepState

START = datetime(2026, 1, 1, tzinfo=UTC)
DEFINITION = SweepDefinition.from_yaml(
    "method: random\nmetric: {name: acc, goal: maximize}\nparameters: {lr: {min: 0.0, max: 1.0}}"
)


@dataclass
class Handle:
    """The history that the SDK would read from the server."""

    history: list[dict]

    def scan_history(self, **_asked):
        """Read all rows."""
        return iter(self.history)


def server_run(name: str, config=None, summary=None, *history: dict, sweep: str = "s") -> ServerRun:
    return ServerRun(
        id=name,
        name=f"run {name}",
        state=RunState.FINISHED,
        sweep=sweep,
        config=config or {},
        summary=summary or {},
        created_at=START,
        notes="",
        tags=(),
        last_step=None,
        handle=Handle(list(history)),
    )


def runs_of(*runs: ServerRun) -> Table:
    """The table of a sweep of these runs, of which this machine ran `a`."""
    seen = [
        Run(
            id=run.id,
            state=run.state,
            history=(0.5, 0.9, 0.7),
            created_at=START,
            duration_s=5.0,
            prior=run.sweep != "s",
        )
        for run in runs
    ]
    view = SweepView(
        ref=SweepRef("e", "p", "s"), url="", definition=DEFINITION, state=SweepState.FINISHED, runs=tuple(seen)
    )
    return run_table(view, runs, {"a": Attempt(run_id="a", slot="gpu0", attempt=3)}, now=START)


def rows_of(made: Table) -> list[dict]:
    """The rows with all columns, as a file has them."""
    with made:
        return [{column: row.get(column) for column in made.columns} for row in made.rows()]


def test_a_run_is_a_row_with_everything_in_it():
    """Metric, times and attempts, then parameters and summary, nested ones dotted; W&B's own values are left out."""
    config = {"optimizer": {"lr": 0.1, "name": "ädam"}, "sizes": [1, 2], "_wandb": {"t": 1}}
    summary = {"acc": 0.7, "_step": 9, "drawn": {"_type": "histogram", "bins": [1]}, "by": {"class": 1}}
    runs = [server_run("a", config, summary), server_run("b", {"momentum": 0.9}, sweep="earlier")]
    made = runs_of(*runs)
    rows = rows_of(made)
    assert [(row["run"], row["prior"]) for row in rows] == [("a", False), ("b", True)]
    assert list(rows[0]) == [
        *RUN_COLUMNS,
        *("config.momentum", "config.optimizer.lr", "config.optimizer.name", "config.sizes"),
        *("summary.acc", "summary.by.class"),
    ]
    first = rows[0]
    assert (first["best"], first["last"], first["attempts"], first["slot"]) == (0.9, 0.7, 3, "gpu0")
    assert (first["created_at"], first["duration_s"]) == ("2026-01-01T00:00:00+00:00", 5.0)
    assert (first["config.optimizer.name"], first["config.sizes"], first["config.momentum"]) == ("ädam", [1, 2], None)
    assert rows[1]["attempts"] is None  # it ran on another machine


def test_columns_do_not_depend_on_the_order_of_runs():
    """Two exports of the same runs have the same header."""
    one, other = {"run": "a", "z": 1, "b": 1}, {"run": "b", "c": 1}
    with Table(("run",)) as made, Table(("run",)) as reversed_:
        for row, back in ((one, other), (other, one)):
            made.add(row)
            reversed_.add(back)
        assert made.columns == reversed_.columns == ["run", "b", "c", "z"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([], "text"),
        ([None], "text"),
        ([1, None], "int"),
        ([2**63 - 1, -(2**63)], "int"),
        ([2**63], "float"),
        ([-(2**63) - 1], "float"),
        ([1, 0.5], "float"),
        ([1, 10**400], "float"),
        ([math.nan], "float"),
        ([True, False, None], "bool"),
        ([True, 1], "text"),
        ([True, 0.5], "text"),
        (["x", 1], "text"),
        ([[1]], "text"),
        ([{}], "text"),
    ],
)
def test_a_column_is_of_the_kind_that_holds_all_its_values(values, kind):
    """In any order; nothing is of every kind."""
    for order in (1, -1):
        with Table(("run",)) as made:
            for value in values[::order]:
                made.add({"x": value})
            assert made.kind("x") == kind
            assert made.kind("run") == "text"


def test_a_history_has_a_row_for_each_step():
    """In long form, with W&B's own columns under plain names; a logged name that is taken gets a prefix."""
    told = []
    runs = [
        server_run("a", {}, {}, {"_step": 0, "_timestamp": 1.5, "_runtime": 0.5, "acc": 0.1, "step": 7}),
        server_run("b", {}, {}, {"_step": 4, "nested": {"x": 1}}),
    ]
    made = history_table(runs, tell=lambda: told.append(1))
    rows = rows_of(made)
    assert list(rows[0]) == [*HISTORY_COLUMNS, "acc", "logged.step", "nested.x"]
    assert list(rows[0].values()) == ["a", 0, 1.5, 0.5, 0.1, 7, None]
    assert list(rows[1].values()) == ["b", 4, None, None, None, None, 1]
    assert len(told) == 2


def test_the_words_for_nan_are_numbers():
    """They come so from W&B's API, and are NaN in a table."""
    ((_, value), (_, other)) = flat({"x": "NaN", "y": "nancy"})
    assert math.isnan(value)
    assert other == "nancy"
