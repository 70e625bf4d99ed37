"""Runs as a table: columns, values and files."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet
import pytest

from sweeper.backend.run_reader import ServerRun
from sweeper.backend.sweep_reader import SweepView
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import ResultError
from sweeper.journal.attempt import Attempt
from sweeper.ref import SweepRef
from sweeper.results.export import (
    HISTORY_COLUMNS,
    RUN_COLUMNS,
    Table,
    check_output,
    choose_format,
    flat,
    history_table,
    run_table,
    write,
)
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


def table(*rows: dict) -> Table:
    made = Table(("run",))
    for row in rows:
        made.add(row)
    return made


def text(made: Table, form) -> str:
    file = io.StringIO(newline="")
    with made:
        write(made, form, None, file)
    return file.getvalue()


def test_a_run_is_a_row_with_everything_in_it():
    """Metric, times and attempts, then parameters and summary, nested ones dotted; W&B's own values are left out."""
    config = {"optimizer": {"lr": 0.1, "name": "ädam"}, "sizes": [1, 2], "_wandb": {"t": 1}}
    summary = {"acc": 0.7, "_step": 9, "drawn": {"_type": "histogram", "bins": [1]}, "by": {"class": 1}}
    runs = [server_run("a", config, summary), server_run("b", {"momentum": 0.9}, sweep="earlier")]
    rows = json.loads(text(runs_of(*runs), "json"))
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
    with table(one, other) as made, table(other, one) as reversed_:
        assert made.columns == reversed_.columns == ["run", "b", "c", "z"]


def test_a_history_has_a_row_for_each_step():
    """In long form, with W&B's own columns under plain names; a logged name that is taken gets a prefix."""
    told = []
    runs = [
        server_run("a", {}, {}, {"_step": 0, "_timestamp": 1.5, "_runtime": 0.5, "acc": 0.1, "step": 7}),
        server_run("b", {}, {}, {"_step": 4, "nested": {"x": 1}}),
    ]
    made = history_table(runs, tell=lambda: told.append(1))
    rows = list(csv.DictReader(io.StringIO(text(made, "csv"))))
    assert list(rows[0]) == [*HISTORY_COLUMNS, "acc", "logged.step", "nested.x"]
    assert list(rows[0].values()) == ["a", "0", "1.5", "0.5", "0.1", "7", ""]
    assert list(rows[1].values()) == ["b", "4", "", "", "", "", "1"]
    assert len(told) == 2


def test_json_is_strict():
    """NaN and infinities are the words that W&B has for them, also within lists."""
    made = table({"run": "a", "x": math.nan, "y": -math.inf, "z": [math.inf, {"k": math.nan}], "true": True})
    rows = json.loads(text(made, "json"), parse_constant=pytest.fail)
    assert rows == [{"run": "a", "true": True, "x": "NaN", "y": "-Infinity", "z": ["Infinity", {"k": "NaN"}]}]
    assert json.loads(text(table(), "json")) == []


def test_the_words_for_nan_are_numbers():
    """They come so from W&B's API, and are NaN in a table."""
    ((_, value), (_, other)) = flat({"x": "NaN", "y": "nancy"})
    assert math.isnan(value)
    assert other == "nancy"


def test_csv_holds_any_text():
    """Line breaks, quotes and umlauts come back; lists are JSON, nothing is nothing."""
    made = table({"run": 'a,"b"\nü', "list": [1, "x"], "none": None, "bool": False, "nan": math.nan})
    (row,) = csv.DictReader(io.StringIO(text(made, "csv"), newline=""))
    assert row == {"run": 'a,"b"\nü', "list": '[1, "x"]', "none": "", "bool": "false", "nan": "NaN"}


def test_parquet_has_types(tmp_path):
    """Whole numbers, numbers, truth values and text each have theirs; a mixture is text."""
    rows = [
        {"run": "a", "int": 1, "float": 1, "mixed": 1, "bool": True, "list": [1], "big": 2**70},
        {"run": "b", "float": math.nan, "mixed": "x", "int": None, "void": None},
    ]
    with table(*rows) as made:
        write(made, "parquet", tmp_path / "runs.parquet", io.StringIO())
    read = pyarrow.parquet.read_table(tmp_path / "runs.parquet")
    types = {field.name: str(field.type) for field in read.schema}
    assert types == {
        "run": "string",
        "big": "double",
        "bool": "bool",
        "float": "double",
        "int": "int64",
        "list": "string",
        "mixed": "string",
        "void": "string",
    }
    first, second = read.to_pylist()
    assert (first["int"], first["mixed"], first["list"], first["big"]) == (1, "1", "[1]", 2.0**70)
    assert math.isnan(second["float"])
    assert (second["int"], second["void"]) == (None, None)


@pytest.mark.parametrize(
    ("chosen", "output", "form"),
    [
        (None, None, "csv"),
        (None, "a.json", "json"),
        (None, "a.PARQUET", "parquet"),
        (None, "a.x", "csv"),
        ("json", "a.csv", "json"),
        ("json", None, "json"),
    ],
)
def test_the_format_is_asked_for_or_read_off_the_name(chosen, output, form):
    """CSV where neither says."""
    assert choose_format(chosen, output and Path(output)) == form


def test_parquet_needs_a_file_and_pyarrow(monkeypatch):
    """The message names the command that installs it."""
    with pytest.raises(ResultError, match="terminal"):
        choose_format("parquet", None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ResultError, match="pyarrow") as caught:
        choose_format(None, Path("a.parquet"))
    assert "pip install 'sweeper[parquet]'" in caught.value.hint


def test_a_file_is_written_over_only_with_force(tmp_path):
    """And a folder that is missing is said before anything is read."""
    there = tmp_path / "runs.csv"
    there.touch()
    with pytest.raises(ResultError, match="exists"):
        check_output(there, force=False)
    check_output(there, force=True)
    with pytest.raises(ResultError, match="no folder"):
        check_output(tmp_path / "nowhere" / "runs.csv", force=False)


def test_a_file_is_there_whole_or_not_at_all(tmp_path):
    """A failure leaves what was there, and nothing beside it."""
    path = tmp_path / "runs.csv"
    path.write_text("before")
    with table({"run": "a"}) as made:
        write(made, "csv", path, io.StringIO())
    assert path.read_text() == "run\na\n"
    made = table({"run": "a"})
    made._file.write("no JSON\n")
    with made, pytest.raises(json.JSONDecodeError):
        write(made, "csv", path, io.StringIO())
    assert path.read_text() == "run\na\n"
    assert list(tmp_path.iterdir()) == [path]
