"""`sweeper export` of a real sweep."""

from __future__ import annotations

import csv
import io
import json

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
