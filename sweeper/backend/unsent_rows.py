"""Rows that a killed process took along: its transaction log holds them, and sweeper's own server does not.

wandb-core (0.31.0) writes each row into the log before it sends it. Rows are set by their line numbers, so the same
ones twice change nothing, and under the name of the process that logged them, so the server refuses them once its run
belongs to another one.
"""

from __future__ import annotations

import glob
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sweeper.backend import sdk, transaction_log
from sweeper.backend.own_server import HistoryEnd, OwnServer, UnknownQuestionError
from sweeper.backend.transaction_log import Record
from sweeper.errors import BackendError
from sweeper.ref import RunRef
from sweeper.settings import Backend, Settings

TIMEOUT_S = 10.0
"""For all of it: the run's next attempt waits."""
ANSWER_S = 5.0
AT_ONCE = 500
"""Rows in a request."""

_CUT_OFF = {"running", "preempting", "preempted", "crashed"}
"""A process that reported its run's end has sent all, and is not to bring the run back to life."""
Row = dict[str, Any]


def deliver(
    run: RunRef, folder: Path, *, holder: str, settings: Settings, clock: Callable[[], float] = time.monotonic
) -> int:
    """Send what the server lacks of the rows that a dead process logged; tell how many it took.

    Nothing of this may keep the run's next attempt back: whatever goes wrong, what was sent has no hole.

    Args:
        run: The run.
        folder: Where the process had its logs: WANDB_DIR.
        holder: The name of the process, under which the server knows it; empty if that is not known.
        settings: The environment, which names the server.
        clock: Tells the time in seconds; a test gives its own.
    """
    if not settings.base_url or not holder:
        return 0
    backend = Backend(kind="wandb", base_url=settings.base_url, api_key=settings.api_key)
    try:
        log = newest_log(folder, run.run_id)
        if log is None:
            return 0
        if not sdk.speaks_sweeper(backend):  # another server hands out no run again
            return 0
        return _send(OwnServer(backend, settings, timeout_s=ANSWER_S), run, log, holder, clock)
    except (BackendError, UnknownQuestionError, OSError, ValueError):  # a proxy may answer in its place
        return 0


def _send(server: OwnServer, run: RunRef, log: Path, holder: str, clock: Callable[[], float]) -> int:
    deadline = clock() + TIMEOUT_S
    end = server.history_end(run)
    if end is None or end.state not in _CUT_OFF:
        return 0
    missing = lacking([*rows_of(log)], end)
    summary = summed_up(end.summary, transaction_log.read(log)) if missing else {}
    sent = 0
    while sent < len(missing) and clock() < deadline:
        some = missing[sent : sent + AT_ONCE]
        server.put_rows(run, end.count + sent, [json.dumps(row) for row in some], summary, holder=holder)
        sent += len(some)
    return sent


def newest_log(folder: Path, run_id: str) -> Path | None:
    """Find the log that a run's last process wrote; None if there is none.

    wandb-core makes it before the server hears of the process: where there is none of the last attempt, the history is
    still that of the one before.
    """
    name = glob.escape(run_id)
    logs = folder.glob(f"wandb/run-*-{name}/run-{name}.wandb")
    return max(logs, key=lambda log: log.stat().st_mtime, default=None)


def rows_of(log: Path) -> Iterator[Row]:
    """Read the rows of a log, up to where its process was killed."""
    for record in transaction_log.read(log):
        if record.WhichOneof("record_type") == "history":
            row: Row = {}
            _update(row, record.history.item)
            if type(row.get("_step")) is int:
                yield row


def lacking(rows: Sequence[Row], end: HistoryEnd) -> list[Row]:
    """Choose the rows behind the end of a history; none if it ends otherwise than these rows tell.

    Args:
        rows: What a process logged, in order.
        end: Where the history on the server ends.
    """
    if end.last is None:
        return [*rows]
    step = end.last.get("_step")
    if not rows or type(step) is not int:
        return []
    # it ends before this process began, or with a row of this process: else it is another history
    same = [row for row in rows if row["_step"] == step and row.get("_timestamp") == end.last.get("_timestamp")]
    return [row for row in rows if row["_step"] > step] if same or step < rows[0]["_step"] else []


def summed_up(summary: Mapping[str, Any], records: Iterable[Record]) -> Row:
    """Bring a summary up to what a log says of it."""
    told = dict(summary)
    for record in records:
        if record.WhichOneof("record_type") == "summary":
            _update(told, record.summary.update)
            for item in record.summary.remove:
                told.pop(item.key or item.nested_key[0], None)
    return told


def _update(values: Row, items: Iterable[Record]) -> None:
    for item in items:
        *groups, name = item.nested_key or [item.key]
        place = values
        for group in groups:
            inner = place.get(group)
            place[group] = place = dict(inner) if isinstance(inner, dict) else {}
        place[name] = json.loads(item.value_json)
