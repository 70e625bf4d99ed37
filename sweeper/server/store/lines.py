"""What runs log: history, system events and console, as raw lines by index."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, islice
from itertools import count as count_from
from typing import Any

from sweeper.metric_value import float_or_nan, lookup
from sweeper.run import Goal, sign
from sweeper.server.budget import Budget
from sweeper.server.errors import RequestError
from sweeper.server.store import bulk, history_blocks, runs

MAX_INTEGER = 2**63 - 1
"""The largest that a column holds; a client may send any."""
MAX_LINES = 2**31 - 1
"""Lines of a stream: GraphQL's Int, in which clients ask how many there are, counts no further."""
MAX_STEP = 2**53
"""The largest `_step`: clients ask for the rows before the one behind the last, and every JSON reader counts so far."""


class Stream(StrEnum):
    """The streams of a run."""

    HISTORY = "history"
    EVENTS = "events"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """A line of the history, as sent and as read."""

    number: int
    text: str
    row: Mapping[str, Any]

    @property
    def step(self) -> int | None:
        """The `_step` it was logged at."""
        step = self.row.get("_step")
        return step if isinstance(step, int) and -MAX_INTEGER <= step <= MAX_STEP else None


def put(db: sqlite3.Connection, run_id: int, stream: Stream, offset: int, texts: Sequence[str]) -> None:
    """Set the lines from `offset` on; the same request twice leaves the same lines."""
    _check_place(offset, len(texts))
    # OR REPLACE: after a lost answer the SDK sends the request again, and a progress bar rewrites its line
    rows = [(run_id, stream, offset + i, text) for i, text in enumerate(texts)]
    bulk.insert(db, "INSERT OR REPLACE INTO lines (run_id, stream, number, text)", rows)


def _check_place(first: int, length: int) -> None:
    """Refuse lines that no client could ask for.

    Raises:
        RequestError: They lie too far behind.
    """
    if first + length > MAX_LINES:
        raise RequestError(f"line {first + length} is more than a stream of a run has: {MAX_LINES} at most")


def put_history(db: sqlite3.Connection, run_id: int, history: Sequence[HistoryLine]) -> None:
    """Set lines of the history, with their steps."""
    _check_place(max((line.number for line in history), default=0), 1)
    rows = [(run_id, Stream.HISTORY, line.number, line.step, line.text) for line in history]
    bulk.insert(db, "INSERT OR REPLACE INTO lines (run_id, stream, number, step, text)", rows)
    if rows:
        numbers = [line.number for line in history]
        history_blocks.changed(db, run_id, min(numbers), max(numbers))


def history(db: sqlite3.Connection, run_id: int, *, first: int = 0) -> list[HistoryLine]:
    """Give the lines of the history from a number on."""
    query = "SELECT number, text FROM lines WHERE run_id = ? AND stream = ? AND number >= ? ORDER BY number"
    rows = db.execute(query, (run_id, Stream.HISTORY, first))
    return [HistoryLine(row["number"], row["text"], json.loads(row["text"])) for row in rows]


def put_metric(
    db: sqlite3.Connection,
    sweep_id: int,
    run_id: int,
    key: str,
    history: Sequence[HistoryLine],
    *,
    known: int = MAX_INTEGER,
    sought: bool = True,
) -> bool:
    """Keep the values of a sweep's metric found in lines of a run's history; tell whether there were any.

    Args:
        db: The write connection.
        sweep_id: The sweep.
        run_id: The run.
        key: The key that the metric is read from (`metric_value.reading`).
        history: The lines.
        known: Lines from this one on are new: of those nothing is kept yet.
        sought: Whether they will be looked up by their numbers or by how good they are (`Sweep.seeks_values`).
    """
    if not history:
        return False
    first = min(line.number for line in history)
    found = [(line.number, float_or_nan(lookup(line.row, key))) for line in history]
    logged = {number: value for number, value in found if value is not None}
    finite = {number: value for number, value in logged.items() if math.isfinite(value)}
    if first < known:  # what is kept of these lines makes place, and what lies behind them is numbered anew
        for table in ("metric_values", "nonfinite_values"):
            query = f"DELETE FROM {table} WHERE sweep_id = ? AND run_id = ? AND line = ?"  # noqa: S608 - names of ours
            db.executemany(query, [(sweep_id, run_id, number) for number, _ in found if number < known])
        query = "DELETE FROM metric_values WHERE sweep_id = ? AND run_id = ? AND line >= ? RETURNING line, value"
        finite |= dict(db.execute(query, (sweep_id, run_id, first)).fetchall())
    bad = [(sweep_id, run_id, number) for number in logged.keys() - finite.keys()]
    bulk.insert(db, "INSERT INTO nonfinite_values (sweep_id, run_id, line)", bad)
    columns = "(sweep_id, run_id, sought, line, value, iteration, lowest, highest)"
    own = (sweep_id, run_id, int(sought))
    rows = [own + row for row in _numbered(db, sweep_id, run_id, first, finite)]
    bulk.insert(db, f"INSERT INTO metric_values {columns}", rows)
    return bool(logged)


def _numbered(
    db: sqlite3.Connection, sweep_id: int, run_id: int, first: int, found: Mapping[int, float]
) -> Iterator[tuple[int, float, int, float, float]]:
    """Give a run's last values, from a line on: each with its line, its number and the extremes so far."""
    query = (
        "SELECT iteration, lowest, highest FROM metric_values WHERE sweep_id = ? AND run_id = ? AND line < ?"
        " ORDER BY line DESC LIMIT 1"
    )
    # extremes are kept with each value: early termination asks for the best so far of every run at every rung
    before = db.execute(query, (sweep_id, run_id, first)).fetchone()
    iteration, lowest, highest = before or (0, math.inf, -math.inf)
    numbers = sorted(found)
    values = [found[number] for number in numbers]
    so_far = (islice(accumulate(values, best, initial=at), 1, None) for best, at in ((min, lowest), (max, highest)))
    return zip(numbers, values, count_from(iteration + 1), *so_far, strict=False)


def copy_metric(db: sqlite3.Connection, source_id: int, sweep_id: int, run_id: int, *, sought: bool = True) -> None:
    """Take over a run's metric from another sweep that has the same one; `sought` as in `put_metric`."""
    for table in ("metric_values", "nonfinite_values"):
        db.execute(f"DELETE FROM {table} WHERE sweep_id = ? AND run_id = ?", (sweep_id, run_id))  # noqa: S608
    # copied by SQLite: reading the lines of a thousand prior runs again would hold the write lock for seconds
    query = (
        "INSERT INTO metric_values (sweep_id, run_id, line, value, iteration, lowest, highest, sought)"
        " SELECT ?, run_id, line, value, iteration, lowest, highest, ? FROM metric_values"
        " WHERE sweep_id = ? AND run_id = ?"
    )
    db.execute(query, (sweep_id, sought, source_id, run_id))
    query = (
        "INSERT INTO nonfinite_values (sweep_id, run_id, line)"
        " SELECT ?, run_id, line FROM nonfinite_values WHERE sweep_id = ? AND run_id = ?"
    )
    db.execute(query, (sweep_id, source_id, run_id))


def metric_history(db: sqlite3.Connection, sweep_id: int, run_id: int) -> tuple[float, ...]:
    """Give a sweep's metric of one run in logged order."""
    query = "SELECT value FROM metric_values WHERE sweep_id = ? AND run_id = ? ORDER BY line"
    return tuple(value for (value,) in db.execute(query, (sweep_id, run_id)))


def metric_until(db: sqlite3.Connection, sweep_id: int, run_id: int, iteration: int) -> tuple[float, ...]:
    """Give a sweep's metric of one run up to and with an iteration."""
    query = "SELECT value FROM metric_values WHERE sweep_id = ? AND run_id = ? AND iteration <= ? ORDER BY line"
    return tuple(value for (value,) in db.execute(query, (sweep_id, run_id, iteration)))


def metric_samples(db: sqlite3.Connection, sweep_id: int, run_id: int, limit: int) -> tuple[float, ...]:
    """Give at most about `limit` values of a sweep's metric of one run, evenly spread, the last among them."""
    last = iterations(db, sweep_id, run_id, MAX_INTEGER)
    query = (
        "SELECT value FROM metric_values WHERE sweep_id = :sweep AND run_id = :run"
        " AND (iteration % :stride = 0 OR iteration = :last) ORDER BY line"
    )
    given = {"sweep": sweep_id, "run": run_id, "stride": max(1, last // limit), "last": last}
    return tuple(value for (value,) in db.execute(query, given))


def metric_curves(
    db: sqlite3.Connection, sweep_id: int, names: Sequence[str], points: int
) -> dict[str, list[tuple[int, float]]]:
    """Give the curves of some of the runs that a sweep sees, by name: some `points` pairs of iteration and value each.

    They are spread evenly, the last value among them. Runs without a value are left out.
    """
    query = (
        # a name is looked up in its project, where an index has it
        "SELECT r.name, v.iteration, v.value FROM sweeps s JOIN json_each(:names) n"
        " JOIN runs r ON r.project_id = s.project_id AND r.name = n.value"
        " JOIN metric_values e ON e.sweep_id = :sweep AND e.run_id = r.id AND e.line ="
        " (SELECT max(line) FROM metric_values l WHERE l.sweep_id = :sweep AND l.run_id = r.id)"
        " JOIN metric_values v ON v.sweep_id = :sweep AND v.run_id = r.id"
        " AND (v.iteration % max(1, e.iteration / :points) = 0 OR v.iteration = e.iteration)"
        " WHERE s.id = :sweep ORDER BY n.key, v.line"
    )
    found: dict[str, list[tuple[int, float]]] = {}
    for name, *point in db.execute(query, {"names": json.dumps([*names]), "sweep": sweep_id, "points": points}):
        found.setdefault(name, []).append((point[0], point[1]))
    return found


def iterations(db: sqlite3.Connection, sweep_id: int, run_id: int, before: int) -> int:
    """Count a run's values of a sweep's metric before a line."""
    query = (
        "SELECT iteration FROM metric_values WHERE sweep_id = ? AND run_id = ? AND line < ? ORDER BY line DESC LIMIT 1"
    )
    row = db.execute(query, (sweep_id, run_id, before)).fetchone()
    return row[0] if row else 0


def metric_at(db: sqlite3.Connection, sweep_id: int, iteration: int) -> list[sqlite3.Row]:
    """Give `run_id`, `value`, `lowest` and `highest` so far of every run a sweep sees that got to an iteration."""
    query = "SELECT run_id, value, lowest, highest FROM metric_values WHERE sweep_id = ? AND iteration = ? AND sought"
    return db.execute(query, (sweep_id, iteration)).fetchall()


def metric_of(db: sqlite3.Connection, sweep_id: int, run_id: int, iteration: int) -> sqlite3.Row:
    """Give `value`, `lowest` and `highest` so far of a run at an iteration that it got to."""
    columns, place = "value, lowest, highest", "sweep_id = ? AND iteration = ? AND run_id = ? AND sought"
    query = f"SELECT {columns} FROM metric_values WHERE {place}"  # noqa: S608 - names of ours
    row: sqlite3.Row = db.execute(query, (sweep_id, iteration, run_id)).fetchone()
    return row


def nonfinite(db: sqlite3.Connection, sweep_id: int, run_id: int) -> int:
    """Count how often a run logged a sweep's metric as NaN or infinite."""
    query = "SELECT count(*) FROM nonfinite_values WHERE sweep_id = ? AND run_id = ?"
    number: int = db.execute(query, (sweep_id, run_id)).fetchone()[0]
    return number


def metric_histories(db: sqlite3.Connection, sweep_id: int) -> dict[int, tuple[float, ...]]:
    """Give the metric of every run that a sweep sees in logged order, by the run's row id."""
    query = "SELECT run_id, value FROM metric_values WHERE sweep_id = ? ORDER BY run_id, line"
    found: dict[int, list[float]] = {}
    for run_id, value in db.execute(query, (sweep_id,)):
        found.setdefault(run_id, []).append(value)
    return {run_id: tuple(values) for run_id, values in found.items()}


def metric_reached(db: sqlite3.Connection, sweep_id: int, target: float, goal: Goal) -> bool:
    """Whether a run that the sweep made, and that may lead, has logged a value of its metric as good as the target."""
    good = "<=" if sign(goal) > 0 else ">="
    query = (
        f"SELECT 1 FROM metric_values v JOIN runs r ON r.id = v.run_id"  # noqa: S608 - a sign of ours
        f" WHERE v.sweep_id = :id AND r.sweep_id = :id AND v.value {good} :target AND sought"
        f" AND {runs.MAY_LEAD} LIMIT 1"
    )
    return db.execute(query, {"id": sweep_id, "target": target}).fetchone() is not None


def count(db: sqlite3.Connection, run_id: int, stream: Stream) -> int:
    """Give the index of the line after the last one."""
    # not max(): inside an expression SQLite reads all lines for it
    query = "SELECT number + 1 FROM lines WHERE run_id = ? AND stream = ? ORDER BY number DESC LIMIT 1"
    row = db.execute(query, (run_id, stream)).fetchone()
    return row[0] if row else 0


def bounded(rows: Iterable[sqlite3.Row]) -> Iterator[sqlite3.Row]:
    """Read rows with a `text`, no more of them than one answer has room for: a run may have logged any number.

    Raises:
        SpentError: There are more.
    """
    budget = Budget()
    for row in rows:
        budget.weigh(row["text"] or "")
        yield row


def texts(db: sqlite3.Connection, run_id: int, stream: Stream, *, first: int = 0) -> list[str]:
    """Give the lines of a stream, all or those from a number on."""
    query = "SELECT text FROM lines WHERE run_id = ? AND stream = ? AND number >= ? ORDER BY number"
    return [row["text"] for row in bounded(db.execute(query, (run_id, stream, first)))]


def history_between(db: sqlite3.Connection, run_id: int, first: int, end: int) -> list[str]:
    """Give the lines of the history with `first` <= step < `end`, looked up by step (`+`) and then sorted."""
    # 'history' stands in the query as in the condition of the index lines_by_step, which is for that stream alone
    query = "SELECT text FROM lines WHERE run_id = ? AND stream = 'history' AND step >= ? AND step < ? ORDER BY +number"
    return [row["text"] for row in bounded(db.execute(query, (run_id, first, end)))]


def steps(db: sqlite3.Connection, run_id: int) -> list[int]:
    """Give the steps of the history, in logged order."""
    query = "SELECT step FROM lines WHERE run_id = ? AND stream = 'history' AND step IS NOT NULL ORDER BY number"
    return [row["step"] for row in db.execute(query, (run_id,))]


def clear_metrics(db: sqlite3.Connection, run_id: int) -> None:
    """Forget the values that sweeps keep of a run's metrics; its lines stay."""
    for table in ("metric_values", "nonfinite_values"):
        db.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))  # noqa: S608 - names of ours


def seek_metric(db: sqlite3.Connection, sweep_id: int, *, sought: bool) -> None:
    """Have the values that a sweep keeps of its metric looked up, or no longer; `sought` as in `put_metric`."""
    db.execute("UPDATE metric_values SET sought = ?1 WHERE sweep_id = ?2 AND sought <> ?1", (int(sought), sweep_id))


def clear_metric_of(db: sqlite3.Connection, sweep_id: int) -> None:
    """Forget the values that a sweep keeps of its metric, of all runs it sees."""
    for table in ("metric_values", "nonfinite_values"):
        db.execute(f"DELETE FROM {table} WHERE sweep_id = ?", (sweep_id,))  # noqa: S608 - names of ours


def tail(db: sqlite3.Connection, run_id: int, stream: Stream) -> list[str]:
    """Give the last line of a stream, as a list of at most one."""
    query = "SELECT text FROM lines WHERE run_id = ? AND stream = ? ORDER BY number DESC LIMIT 1"
    return [row["text"] for row in db.execute(query, (run_id, stream))]
