"""A run that was resumed lies in several folders: `wandb sync` sends these parts one by one, under one id.

A part is sent by a process that does not resume, as one that overwrites an old id is. The steps tell the two apart: a
part goes on behind the step at which the last one ended, one that is synced again does not. wandb-core (0.29 to 0.31.0)
counts a part's history on from the rows that it is told of, and its other lines from 0. `wandb beta sync` of 0.31.0
resumes, and needs none of this.
"""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any

from sweeper.server import strict_json
from sweeper.server.store import line_cuts, lines, runs
from sweeper.server.store.database import Connection
from sweeper.server.store.lines import Stream
from sweeper.server.store.runs import StoredRun


def may_follow(run: StoredRun, program: str | None) -> bool:
    """Whether what a process says first of a run may be the next part of it: it is the SDK's own command that speaks.

    Args:
        run: The run.
        program: What the process names as its program.
    """
    is_command = program == "-m wandb.__main__" or PurePath(program or "").name == "wandb"
    return is_command and run.state.ended and _last_step(run) is not None


def begin(db: Connection, run: StoredRun) -> StoredRun:
    """Note where the next part's lines begin: behind all that is there."""
    begins = {stream.value: lines.count(db, run.id, stream) for stream in Stream}
    return runs.update(db, run.id, part=json.dumps({**begins, "step": _last_step(run), "again": False}))


def settled(db: Connection, run: StoredRun, offset: int, first_row: str) -> StoredRun:
    """Forget what was there before a part that goes on behind none of it: it is the whole run from now on.

    Args:
        db: The write connection.
        run: The run.
        offset: The number of the first history line that is at hand, as the part counts.
        first_row: That line.
    """
    part = _part(run)
    if not part or part["again"] or offset != part[Stream.HISTORY]:
        return run
    step = strict_json.parse_object(first_row, "a history line").get("_step")
    if isinstance(step, int) and step > part["step"]:
        return run
    for stream in Stream:
        line_cuts.cut_before(db, run.id, stream, part[stream])
    lines.clear_metrics(db, run.id)
    return runs.update(db, run.id, summary="{}", history_keys="{}", part=json.dumps({**part, "again": True}))


def place_of(run: StoredRun, stream: Stream, offset: int) -> int:
    """Say where a line lies that a part, or a process of its own, counts as `offset`."""
    part = _part(run)
    if not part:
        return offset
    if stream is Stream.HISTORY:
        return max(0, offset - part[stream]) if part["again"] else offset
    return offset if part["again"] else offset + part[stream]


def is_behind_others(run: StoredRun) -> bool:
    """Whether a part of a run is being synced that goes on behind others: it sums up its own rows only."""
    part = _part(run)
    return bool(part) and not part["again"]


def _part(run: StoredRun) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run.part or "{}")
    return found


def _last_step(run: StoredRun) -> int | None:
    found: int | None = json.loads(run.history_keys).get("lastStep")
    return found
