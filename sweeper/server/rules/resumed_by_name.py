"""A process that goes on with an ended run and names it by its id alone, as the SDK does up to 0.17.

One that overwrites the run says the same at its start. Who resumes has asked for the run just before; what both tell
apart for certain is the number of the first row they send, which the one counts on and the other begins at 0.
"""

from __future__ import annotations

import json

from sweeper.server.rules import run_transitions
from sweeper.server.store import line_cuts, lines, runs
from sweeper.server.store.database import Connection
from sweeper.server.store.lines import Stream
from sweeper.server.store.runs import StoredRun

RECENT_S = 120.0
"""The SDK asks, and then begins, at once; its retries take longer."""


def may_go_on(run: StoredRun, *, now: float) -> bool:
    """Whether somebody has just asked for what an ended run had logged, to go on with it."""
    return run.state.ended and run.started_at is not None and 0 <= now - run.resuming < RECENT_S


def begin(db: Connection, run: StoredRun, writing: set[str], *, now: float) -> StoredRun:
    """Let a process go on with a run until its first row tells whether it does.

    Raises:
        RequestError: The run was taken from that process.
    """
    run = run_transitions.resumes(db, run, writing, now=now)
    # the columns of synced_parts.py: no line is moved
    placed = {stream.value: 0 for stream in Stream}
    return runs.update(db, run.id, part=json.dumps({**placed, "step": 0, "again": True, "by_name": True}))


def settled(db: Connection, run: StoredRun, offset: int) -> StoredRun:
    """Forget what was there before a process that counts its rows from 0: it is the whole run from now on."""
    if not json.loads(run.part or "{}").get("by_name"):
        return run
    if offset == 0 and lines.count(db, run.id, Stream.HISTORY):
        line_cuts.clear(db, run.id)
        run = runs.update(db, run.id, summary="{}", history_keys="{}", gap="")
    return runs.update(db, run.id, part="")
