"""`sweeper export` of a real sweep."""

from __future__ import annotations

import csv
import io
import json
import math

import pyarrow.parquet
import pytest

from sweeper.errors import ResultError, UsageError
from tests.unit.conftest import GRID


def test_a_table_goes_to_stdout_alone(here, embedded):
    """A row for every run; talk goes to stderr, as a pipe may take the table."""
    ref, runs = embedded.sweep(0, 1)
    rows = list(csv.DictReader(io.StringIO(here("export", ref).stdout)))
    assert [(row["run"], row["state"]) for row in rows] == [(runs[0], "finished"), (runs[1], "failed")]


def test_the_file_says_the_form(here, embedded, tmp_path):
    """`--output runs.json` writes JSON, and what was written is said on stderr."""
    ref, runs = embedded.sweep(0)
    file = tmp_path / "runs.json"
    done = here("export", ref, "--output", file)
    assert (done.exit_code, done.stdout) == (0, "")
    assert f"wrote  {file}" in done.stderr
    assert [row["run"] for row in json.loads(file.read_text())] == runs


def test_a_history_has_a_row_for_every_step(here, embedded):
    """Each with its run, and its metrics by name."""
    ref, (run,) = embedded.sweep(None)
    embedded.wire.log(run, 1, {"_step": 1, "loss": 0.05}, {"_step": 2, "loss": 0.04})
    rows = list(csv.DictReader(io.StringIO(here("export", ref, "--history").stdout)))
    assert [(row["run"], row["step"], row["loss"]) for row in rows] == [
        (run, "0", "0.1"),
        (run, "1", "0.05"),
        (run, "2", "0.04"),
    ]


ODD = {
    "huge": 10**400,
    "edge": 2**63 - 1,
    "least": -(2**63),
    "nan": math.nan,
    "infinite": -math.inf,
    "true": True,
    "": 3,
    "nul": "a\0b",
    "half\ud800": "b\udfff",
    "list": [10**400, "\ud800"],
    "nothing": None,
    "x": {"y": {"": 1}},
}
UPSERT = """mutation($run: String, $config: JSONString, $summary: JSONString) {
    upsertBucket(input: {name: $run, modelName: "p", config: $config, summaryMetrics: $summary}) { inserted } }"""


@pytest.fixture(scope="module")
def odd_sweep(embedded):
    """A sweep of two runs: one with odd values as parameters, as its summary and in its history, one with others."""
    ref, (odd, even) = embedded.sweep(None, None)
    config = json.dumps({name: {"value": value} for name, value in ODD.items()})
    embedded.wire.graphql(UPSERT, run=odd, config=config, summary=json.dumps({**ODD, "loss": 0.1}))
    embedded.wire.log(odd, 1, {"_step": 1, **ODD})
    embedded.wire.log(even, 1, {"_step": 1, **dict.fromkeys(ODD, "text"), "huge": 0.5, "edge": 1})
    for run in (odd, even):
        embedded.wire.stream(run, complete=True, exitcode=0)
    return ref


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
@pytest.mark.parametrize("history", [False, True])
def test_whatever_a_run_logged_is_exported(here, odd_sweep, tmp_path, form, history):
    """As a parameter, in its summary and in its history: numbers of any size, half characters, names of no letters."""
    file = tmp_path / f"table.{form}"
    done = here("export", odd_sweep, "--output", file, *["--history"][: int(history)])
    assert done.exit_code == 0, done.exception
    rows = {
        "csv": lambda: list(csv.DictReader(io.StringIO(file.read_bytes().decode(), newline=""))),
        "json": lambda: json.loads(file.read_bytes(), parse_constant=pytest.fail),
        "parquet": lambda: pyarrow.parquet.read_table(file).to_pylist(),
    }[form]()
    assert len(rows) == (4 if history else 2)
    row = rows[1] if history else rows[0]
    for prefix in [""] if history else ["config.", "summary."]:
        told = {
            name: str(row[f"{prefix}{name}"]) for name in ("", "half\ufffd", "nul", "true", "x.y.", "edge", "least")
        }
        assert told.pop("true").lower() == "true"
        assert [told.pop(name) for name in ("edge", "least")] == ["9223372036854775807", "-9223372036854775808"]
        assert told == {"": "3", "half\ufffd": "b\ufffd", "nul": "a\0b", "x.y.": "1"}
        assert [float(str(row[f"{prefix}{name}"])) for name in ("huge", "infinite")] == [math.inf, -math.inf]
        assert math.isnan(float(row[f"{prefix}nan"]))
        assert "\ufffd" in str(row[f"{prefix}list"])


def test_a_table_without_a_value_is_explained(here, embedded):
    """On stderr: what was logged instead of the metric; a table with a value needs no word."""
    ref, (run,) = embedded.sweep(0, text=GRID.replace("name: loss", "name: los"))
    done = here("export", ref)
    assert f"run {run} never logged `los`; it logged `loss`: did you mean `loss`?" in done.stderr
    assert "finished without a value of `los`" in done.stdout
    ref, _ = embedded.sweep(0)
    assert "never logged" not in here("export", ref).stderr


@pytest.mark.parametrize(
    ("options", "kind", "says"),
    [
        (["--format", "parquet"], UsageError, "terminal"),
        (["--output", "FOLDER/runs.csv"], ResultError, "exists"),
        (["--output", "FOLDER/nowhere/runs.csv"], ResultError, "no folder"),
    ],
)
def test_what_cannot_be_written_is_said_first(sweeper, tmp_path, options, kind, says):
    """Reading may take minutes; no server was started for it."""
    (tmp_path / "runs.csv").touch()
    error = sweeper("export", *(word.replace("FOLDER", str(tmp_path)) for word in options)).exception
    assert isinstance(error, kind), error
    assert says in error.message
    assert not (tmp_path / "home" / "server").exists()
