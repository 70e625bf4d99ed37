"""A table in a file: formats, values and what becomes of a file that is there."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import sys
from pathlib import Path

import pyarrow.parquet
import pytest

from sweeper.errors import ResultError, UsageError
from sweeper.results.export import Table
from sweeper.results.table_files import check_output, choose_format, write


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


def test_json_is_strict():
    """NaN and infinities are the words that W&B has for them, also within lists."""
    made = table({"run": "a", "x": math.nan, "y": -math.inf, "z": [math.inf, {"k": math.nan}], "true": True})
    rows = json.loads(text(made, "json"), parse_constant=pytest.fail)
    assert rows == [{"run": "a", "true": True, "x": "NaN", "y": "-Infinity", "z": ["Infinity", {"k": "NaN"}]}]
    assert json.loads(text(table(), "json")) == []


def test_json_is_json_on_any_terminal():
    """Letters that its encoding lacks are escaped, and all others of ours with them: a parser takes it for UTF-8."""
    file = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    with table({"run": "größe …"}) as made:
        write(made, "json", None, file)
    file.flush()
    assert json.loads(file.buffer.getvalue()) == [{"run": "größe …"}]


def test_csv_holds_any_text():
    """Line breaks, quotes and umlauts come back; lists are JSON, nothing is nothing."""
    made = table({"run": 'a,"b"\nü', "list": [1, "x"], "none": None, "bool": False, "nan": math.nan})
    (row,) = csv.DictReader(io.StringIO(text(made, "csv"), newline=""))
    assert row == {"run": 'a,"b"\nü', "list": '[1, "x"]', "none": "", "bool": "false", "nan": "NaN"}


@pytest.mark.parametrize("odd", ["=1+1", "+cmd|' /C calc'!A0", "-2+3+cmd|x", "@SUM(1)", "\t=1", "\r=1", "-", "－1+1"])  # noqa: RUF001
def test_no_cell_is_a_formula(odd):
    """Neither names nor values nor the names of columns: a spreadsheet shows them. Numbers stay numbers."""
    made = table({"run": odd, odd: 1, "a": -1, "b": -0.5, "c": -math.inf, "d": "-1.5e-3", "e": [odd]})
    header, row = csv.reader(io.StringIO(text(made, "csv"), newline=""))
    cells = dict(zip(header, row, strict=True))
    assert cells["run"] == f"'{odd}"
    assert cells[f"'{odd}"] == "1"
    assert [cells[name] for name in "abcd"] == ["-1", "-0.5", "-Infinity", "-1.5e-3"]
    assert cells["e"].startswith("[")


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
    with pytest.raises(UsageError, match="terminal"):
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


def test_no_link_that_lies_in_wait_is_followed(tmp_path):
    """In a folder that others can write to, the file's own name and any other that we could take may be links."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    shared = tmp_path / "shared"
    shared.mkdir()
    output = shared / "runs.csv"
    for name in ("runs.csv", "runs.csv.part", f".runs.csv.{os.getpid()}.part", ".runs.csv.part", "runs.csv.tmp"):
        (shared / name).symlink_to(victim)
    with table({"run": "a"}) as made:
        write(made, "csv", output, io.StringIO())
    assert victim.read_text() == "mine"
    assert output.read_text() == "run\na\n"
    assert not output.is_symlink()
    assert len(list(shared.iterdir())) == 5
