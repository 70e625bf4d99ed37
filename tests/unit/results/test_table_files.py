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


HUGE = 10**400
LARGEST = 1.7976931348623157e308
WHATEVER = [  # a value; what CSV, JSON and Parquet have of it
    (1, "1", 1, 1),
    (-1, "-1", -1, -1),
    (0, "0", 0, 0),
    (True, "true", True, True),
    (False, "false", False, False),
    (None, "", None, None),
    (-0.0, "-0.0", -0.0, -0.0),
    (0.1, "0.1", 0.1, 0.1),
    (5e-324, "5e-324", 5e-324, 5e-324),
    (LARGEST, "1.7976931348623157e+308", LARGEST, LARGEST),
    (math.inf, "Infinity", "Infinity", math.inf),
    (-math.inf, "-Infinity", "-Infinity", -math.inf),
    (2**53 + 1, "9007199254740993", 2**53 + 1, 2**53 + 1),
    (2**63 - 1, "9223372036854775807", 2**63 - 1, 2**63 - 1),
    (-(2**63), "-9223372036854775808", -(2**63), -(2**63)),
    (2**63, "9223372036854775808", 2**63, 2.0**63),
    (-(2**63) - 1, "-9223372036854775809", -(2**63) - 1, -(2.0**63)),
    (2**1024 - 2**970, str(2**1024 - 2**970), 2**1024 - 2**970, math.inf),
    (HUGE, str(HUGE), HUGE, math.inf),
    (-HUGE, str(-HUGE), -HUGE, -math.inf),
    ("", "", "", ""),
    ("a\0b", "a\0b", "a\0b", "a\0b"),
    ("😀\u2028\x85\x0b", "😀\u2028\x85\x0b", "😀\u2028\x85\x0b", "😀\u2028\x85\x0b"),
    ("a\ud800b", "a\ufffdb", "a\ufffdb", "a\ufffdb"),
    ("\udfff", "\ufffd", "\ufffd", "\ufffd"),
    ("\ud83d\ude00", "😀", "😀", "😀"),
    ("\\ud800", "\\ud800", "\\ud800", "\\ud800"),
    ([], "[]", [], "[]"),
    ([HUGE, "\ud800", [None, True]], f'[{HUGE}, "\ufffd", [null, true]]', [HUGE, "\ufffd", [None, True]], ...),
]


@pytest.mark.parametrize(("value", "as_csv", "as_json", "as_parquet"), WHATEVER)
def test_whatever_a_run_may_log_goes_into_every_format(tmp_path, value, as_csv, as_json, as_parquet):
    """Whole where the format has it; else the nearest: a float for a huge integer, U+FFFD for half a character."""
    made = table({"run": "a", "x": value, "between": 1}, {"run": "b"})
    line, empty = csv.DictReader(io.StringIO(text(made, "csv"), newline=""))
    assert (line["x"], empty["x"]) == (as_csv, "")
    made = table({"run": "a", "x": value}, {"run": "b"})
    first, second = json.loads(text(made, "json").encode(), parse_constant=pytest.fail)
    assert (repr(first["x"]), second["x"]) == (repr(as_json), None)
    with table({"run": "a", "x": value}, {"run": "b"}) as made:
        write(made, "parquet", tmp_path / "runs.parquet", io.StringIO())
    first, second = pyarrow.parquet.read_table(tmp_path / "runs.parquet").to_pylist()
    assert (repr(first["x"]), second["x"]) == (repr(as_csv if as_parquet is ... else as_parquet), None)


@pytest.mark.parametrize(
    ("values", "kind", "found"),
    [
        ([1, 0.5], "double", [1.0, 0.5]),
        ([1, 2**63], "double", [1.0, 2.0**63]),
        ([0.5, -HUGE, 1], "double", [0.5, -math.inf, 1.0]),
        ([1, True], "string", ["1", "true"]),
        ([0.5, False], "string", ["0.5", "false"]),
        ([HUGE, "x"], "string", [str(HUGE), "x"]),
        ([1, [1]], "string", ["1", "[1]"]),
        ([None, True], "bool", [None, True]),
        ([None, 1], "int64", [None, 1]),
        ([None, None], "string", [None, None]),
    ],
)
def test_a_column_of_parquet_has_one_type(tmp_path, values, kind, found):
    """Whole numbers and others are numbers together; truth values are none."""
    for order in (1, -1):
        with table(*({"x": value} for value in values[::order])) as made:
            write(made, "parquet", tmp_path / "runs.parquet", io.StringIO())
        read = pyarrow.parquet.read_table(tmp_path / "runs.parquet")
        assert str(read.schema.field("x").type) == kind
        assert read.column("x").to_pylist() == found[::order]


@pytest.mark.parametrize("odd", ["", " ", "a\0b", "a.b", "😀", "x" * 70_000, 'a"b,c', "a\r\nb"])
def test_whatever_a_key_is_called_is_a_column(tmp_path, odd):
    """Also nothing at all."""
    for form in ("csv", "json", "parquet"):
        with table({"run": "a", odd: 1}) as made:
            write(made, form, tmp_path / "runs", io.StringIO())
        if form == "csv":
            with (tmp_path / "runs").open(newline="", encoding="utf-8") as file:
                csv.field_size_limit(100_000)
                assert list(csv.reader(file)) == [["run", odd], ["a", "1"]]
        elif form == "json":
            assert json.loads((tmp_path / "runs").read_text("utf-8")) == [{"run": "a", odd: 1}]
        else:
            assert pyarrow.parquet.read_table(tmp_path / "runs").to_pylist() == [{"run": "a", odd: 1}]


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_half_a_character_in_a_name_is_replaced_too(tmp_path, form):
    """The file is UTF-8, and the value stands under what became of the name."""
    with table({"run": "a", "x\ud800": 1}) as made:
        assert made.columns == ["run", "x\ufffd"]
        write(made, form, tmp_path / "runs", io.StringIO())
    read = {
        "csv": lambda: list(csv.DictReader((tmp_path / "runs").read_text("utf-8").splitlines())),
        "json": lambda: json.loads((tmp_path / "runs").read_text("utf-8")),
        "parquet": lambda: pyarrow.parquet.read_table(tmp_path / "runs").to_pylist(),
    }
    assert read[form]() == [{"run": "a", "x\ufffd": "1" if form == "csv" else 1}]


@pytest.mark.parametrize("count", [0, 9_999, 10_000, 10_001, 20_000])
def test_every_row_is_in_a_parquet_file_once_and_in_order(tmp_path, count):
    """They are written ten thousand at a time."""
    with table(*({"x": number} for number in range(count))) as made:
        write(made, "parquet", tmp_path / "runs.parquet", io.StringIO())
    read = pyarrow.parquet.read_table(tmp_path / "runs.parquet")
    assert read.num_rows == count
    assert read.column_names == ["run", "x"][: 1 + bool(count)]
    assert not count or read.column("x").to_pylist() == list(range(count))


@pytest.mark.parametrize(
    ("chosen", "output", "form"),
    [
        (None, None, "csv"),
        (None, "a.json", "json"),
        (None, "a.PARQUET", "parquet"),
        (None, "a.x", "csv"),
        ("json", "a.csv", "json"),
        ("json", None, "json"),
        ("csv", "a.parquet", "csv"),
        (None, "parquet", "csv"),
        (None, "a.json.csv", "csv"),
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


def test_a_file_is_on_disk_before_it_takes_its_place(tmp_path, monkeypatch):
    """Whole: or a crash of the machine could leave the name without the rows."""
    path, seen = tmp_path / "runs.csv", []

    def fsync(descriptor: int) -> None:
        seen.append((os.fstat(descriptor).st_size, path.exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    with table({"run": "a"}) as made:
        write(made, "csv", path, io.StringIO())
    assert seen == [(path.stat().st_size, False)]


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
