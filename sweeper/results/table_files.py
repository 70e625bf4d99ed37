"""A table of runs written as CSV, JSON or Parquet: to a file that is there whole or not at all, or to stdout."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Literal, get_args

from sweeper.errors import ResultError, UsageError
from sweeper.metric_value import float_or_nan
from sweeper.results.export import Cells, Table

Format = Literal["csv", "json", "parquet"]

_BATCH = 10_000
"""Rows in memory at a time, and in a row group of a Parquet file."""


def choose_format(chosen: Format | None, output: Path | None) -> Format:
    """Take the format that is asked for, else that of the file's name, else CSV.

    Raises:
        UsageError: Parquet has nowhere to go.
        ResultError: It cannot be written here.
    """
    suffix = output.suffix.removeprefix(".").lower() if output else ""
    by_name: Mapping[str, Format] = {name: name for name in get_args(Format)}
    found = chosen or by_name.get(suffix, "csv")
    if found == "parquet":
        if output is None:
            raise UsageError("parquet is no text for a terminal", "give a file: --output runs.parquet")
        _pyarrow()
    return found


def check_output(output: Path | None, *, force: bool) -> None:
    """See that a file can be written.

    Raises:
        ResultError: It is there already, or its folder is not.
    """
    if output is None:
        return
    if output.exists() and not force:
        raise ResultError(f"{output} exists", "give another --output, or --force to write over it")
    if not output.parent.is_dir():
        raise ResultError(f"there is no folder {output.parent}", "make it, or give another --output")


def write(table: Table, form: Format, output: Path | None, stdout: IO[str]) -> None:
    """Write a table: to a file that is there whole or not at all, or as text.

    Raises:
        ResultError: The file cannot be written.
    """
    if output is None:
        _WRITERS[form](table, stdout)
        return
    try:
        with replacing(output) as part:
            if form == "parquet":
                _write_parquet(table, part)
                return
            with part.open("w", encoding="utf-8", newline="") as file:
                _WRITERS[form](table, file)
    except OSError as error:
        raise ResultError(f"cannot write {output}: {error.strerror or error}", "give another --output") from error


@contextlib.contextmanager
def replacing(output: Path) -> Iterator[Path]:
    """Give a file beside another that takes its place if all goes well."""
    # in a folder that only we can enter: in a shared one, somebody may have linked any name elsewhere
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.", suffix=".part") as folder:
        part = Path(folder) / output.name
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())  # or a crash of the machine could leave the name without the rows
        part.replace(output)


def _write_csv(table: Table, file: IO[str]) -> None:
    columns = table.columns
    file.write(_csv_line(map(_no_formula, columns)))
    for row in table.rows():
        file.write(_csv_line(_as_cell_of_csv(row.get(column)) for column in columns))


def _csv_line(cells: Iterable[str]) -> str:
    """Write a row. By hand: before Python 3.13, csv leaves a carriage return bare, behind which another row begins."""
    quoted = ('"' + cell.replace('"', '""') + '"' if _QUOTED.search(cell) else cell for cell in cells)
    return (",".join(quoted) or '""') + "\n"


def _write_json(table: Table, file: IO[str]) -> None:
    columns = table.columns
    between = "[\n"
    to_ascii = (
        not str(getattr(file, "encoding", None) or "utf").lower().startswith("utf")
    )  # a terminal's letters are none of JSON's
    for row in table.rows():
        whole = {column: _as_json(row.get(column)) for column in columns}
        file.write(between + json.dumps(whole, ensure_ascii=to_ascii, allow_nan=False))
        between = ",\n"
    file.write("[]\n" if between == "[\n" else "\n]\n")


_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 the wide forms count too
"""What a text begins with that spreadsheets compute."""
_QUOTED = re.compile(r'[,"\r\n]')
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|-Infinity")

_WRITERS = {"csv": _write_csv, "json": _write_json}


def _as_json(value: Any) -> Any:
    """Make a value strict JSON: NaN and infinities are the words that W&B has for them."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if isinstance(value, dict):
        return {name: _as_json(item) for name, item in value.items()}
    return value


def _as_cell_of_csv(value: Any) -> str:
    return _no_formula(value) if isinstance(value, str) else _as_text(value)


def _no_formula(text: str) -> str:
    """Have a spreadsheet take a text for text: a run's name may be `=HYPERLINK(...)`; text that is a number stays."""
    if not text.startswith(_FORMULA) or _NUMBER.fullmatch(text):
        return text
    return f"'{text}"


def _as_text(value: Any) -> str:
    clean = _as_json(value)
    if clean is None:
        return ""
    return clean if isinstance(clean, str) else json.dumps(clean, ensure_ascii=False)


def _pyarrow() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        fix = "install it: pip install 'sweeper[parquet]', or take --format csv or json"
        raise ResultError("parquet needs pyarrow, which is not installed", fix) from error
    return pyarrow


def _write_parquet(table: Table, path: Path) -> None:
    arrow = _pyarrow()
    kinds = {"bool": arrow.bool_(), "int": arrow.int64(), "float": arrow.float64(), "text": arrow.string()}
    schema = arrow.schema([(column, kinds[table.kind(column)]) for column in table.columns])
    with arrow.parquet.ParquetWriter(path, schema) as writer:
        for batch in _batches(table.rows()):
            cells = [
                arrow.array([_as_cell(row.get(field.name), table.kind(field.name)) for row in batch], field.type)
                for field in schema
            ]
            writer.write_table(arrow.Table.from_arrays(cells, schema=schema))


def _batches(rows: Iterator[Cells]) -> Iterator[list[Cells]]:
    batch: list[Cells] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    yield batch


def _as_cell(value: Any, kind: str) -> Any:
    if value is None or kind in {"bool", "int"}:
        return value
    # an integer of more than 308 digits is infinite, as the search takes it
    return float_or_nan(value) if kind == "float" else _as_text(value)
