"""Runs as a table: parameters, metric and summary of each, or every row of their histories."""

from __future__ import annotations

import contextlib
import csv
import json
import math
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Literal, Self, get_args

from sweeper.backend.run_reader import ServerRun
from sweeper.backend.sweep_reader import SweepView
from sweeper.errors import ResultError
from sweeper.journal.attempt import Attempt
from sweeper.results.status import RunStatus, summarise
from sweeper.run import float_or_nan

Format = Literal["csv", "json", "parquet"]

RUN_COLUMNS = (
    *("run", "name", "state", "prior", "reason", "created_at", "duration_s", "attempts", "slot"),
    *("best", "last"),
)
"""What every table of runs has, in front of `config.*` and `summary.*`."""

HISTORY_COLUMNS = ("run", "step", "timestamp", "runtime_s")
"""What every table of histories has, in front of what was logged."""

_HISTORY_NAMES = {"_step": "step", "_timestamp": "timestamp", "_runtime": "runtime_s"}
_BATCH = 10_000

Row = Mapping[str, Any]


@dataclass
class Table:
    """Rows that were put aside in a file, as nobody knows all columns before the last row; a context manager.

    Attributes:
        first: The columns that come first, in this order; the others follow by name.
    """

    first: tuple[str, ...]
    _kinds: dict[str, set[str]] = field(default_factory=dict)
    _file: IO[str] = field(default_factory=lambda: tempfile.TemporaryFile("w+", encoding="utf-8"))  # noqa: SIM115 see __exit__

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Forget the rows."""
        self._file.close()

    def add(self, row: Row) -> None:
        """Add a row."""
        for name, value in row.items():
            self._kinds.setdefault(name, set()).add(_kind(value))
        self._file.write(json.dumps(row) + "\n")

    @property
    def columns(self) -> list[str]:
        """All columns: the same for the same runs, in whatever order they come."""
        return [*self.first, *sorted(self._kinds.keys() - set(self.first))]

    def kind(self, column: str) -> str:
        """Say what is in a column: `bool`, `int`, `float`, or `text` for anything else and for a mixture."""
        kinds = self._kinds.get(column, set()) - {"none"}
        if kinds <= {"int", "float"} and kinds:
            return "float" if "float" in kinds else "int"
        return kinds.pop() if len(kinds) == 1 else "text"

    def rows(self) -> Iterator[Row]:
        """Read the rows."""
        self._file.seek(0)
        return map(json.loads, self._file)


def _kind(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if -(2**63) <= value < 2**63 else "float"
    return "float" if isinstance(value, float) else "text"


def run_table(view: SweepView, runs: Iterable[ServerRun], records: Mapping[str, Attempt], *, now: datetime) -> Table:
    """Make a row of each of a sweep's runs and of those attached to it, the oldest first.

    Args:
        view: The sweep.
        runs: The same runs, whole.
        records: What this machine's workers wrote, by run id.
        now: The time (aware).
    """
    alike = [replace(run, prior=False) for run in view.runs]  # a status has no prior runs
    status = summarise(
        view.definition, alike, records, ref=view.ref, state=view.state, url=view.url, now=now, models={}
    )
    shown = {run.id: run for run in status.runs}
    table = Table(RUN_COLUMNS)
    for run in runs:
        if run.id in shown:  # and not made in the meantime
            table.add({**_run_row(run, shown[run.id]), "prior": run.sweep != view.ref.sweep_id})
    return table


def _run_row(run: ServerRun, status: RunStatus) -> Row:
    row = {
        "run": run.id,
        "name": run.name,
        "state": run.state.value,
        "reason": status.reason,
        "created_at": run.created_at.isoformat(),
        "duration_s": status.duration_s,
        "attempts": status.attempts if status.slot else None,
        "slot": status.slot,
        "best": status.best,
        "last": status.last,
    }
    row |= {f"config.{name}": value for name, value in flat(run.config)}
    return row | {f"summary.{name}": value for name, value in flat(run.summary)}


def history_table(runs: Iterable[ServerRun], *, tell: Callable[[], None] = lambda: None) -> Table:
    """Make a row of every step that each run has logged, run after run.

    Args:
        runs: The runs, whole.
        tell: Told of every run that has been read.
    """
    table = Table(HISTORY_COLUMNS)
    for run in runs:
        for logged in run.rows():
            named = {_HISTORY_NAMES[name]: value for name, value in logged.items() if name in _HISTORY_NAMES}
            values = {f"logged.{name}" if name in HISTORY_COLUMNS else name: value for name, value in flat(logged)}
            table.add({"run": run.id, **named, **values})
        tell()
    return table


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Name nested values with dots; leave out what W&B keeps for itself, and pictures, tables and histograms."""
    for name, value in values.items():
        if not prefix and name.startswith("_"):
            continue
        if isinstance(value, Mapping):
            if "_type" not in value:
                yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _number(value)


def _number(value: object) -> object:
    """Read the words that W&B has for NaN and infinities."""
    number = float_or_nan(value) if isinstance(value, str) else None
    return value if number is None else number


# Files


def choose_format(chosen: Format | None, output: Path | None) -> Format:
    """Take the format that is asked for, else that of the file's name, else CSV.

    Raises:
        ResultError: Parquet has nowhere to go, or cannot be written here.
    """
    suffix = output.suffix.removeprefix(".").lower() if output else ""
    by_name: Mapping[str, Format] = {name: name for name in get_args(Format)}
    found = chosen or by_name.get(suffix, "csv")
    if found == "parquet":
        if output is None:
            raise ResultError("parquet is no text for a terminal", "give a file: --output runs.parquet")
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
        with _replacing(output) as part:
            if form == "parquet":
                _write_parquet(table, part)
                return
            with part.open("w", encoding="utf-8", newline="") as file:
                _WRITERS[form](table, file)
    except OSError as error:
        raise ResultError(f"cannot write {output}: {error.strerror or error}", "give another --output") from error


@contextlib.contextmanager
def _replacing(output: Path) -> Iterator[Path]:
    """Give a file beside another that takes its place if all goes well."""
    part = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)


def _write_csv(table: Table, file: IO[str]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    columns = table.columns
    writer.writerow(columns)
    for row in table.rows():
        writer.writerow([_as_text(row.get(column)) for column in columns])


def _write_json(table: Table, file: IO[str]) -> None:
    columns = table.columns
    between = "[\n"
    for row in table.rows():
        whole = {column: _as_json(row.get(column)) for column in columns}
        file.write(between + json.dumps(whole, ensure_ascii=False, allow_nan=False))
        between = ",\n"
    file.write("[]\n" if between == "[\n" else "\n]\n")


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


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    yield batch


def _as_cell(value: Any, kind: str) -> Any:
    if value is None or kind in {"bool", "int"}:
        return value
    return float(value) if kind == "float" else _as_text(value)
