"""What the history of a run that ends well lacks: looked for once, when it ends."""

from __future__ import annotations

import json
from itertools import pairwise

from sweeper.search.history_gap import AROUND, gap_behind, gap_where_resumed
from sweeper.server.store import history_gaps, lines
from sweeper.server.store.database import Connection
from sweeper.server.store.lines import Stream
from sweeper.server.store.runs import StoredRun


def find(db: Connection, run: StoredRun) -> str:
    """Say what a run's history lacks; empty if nothing is known to be missing."""
    end = lines.count(db, run.id, Stream.HISTORY)
    if gap := gap_behind(end, run.reached):
        return gap
    if not run.joins:
        return ""
    borders = [0, *sorted(json.loads(run.joins)), end]
    return gap_where_resumed(
        [history_gaps.ends_of(db, run.id, first, behind, AROUND) for first, behind in pairwise(borders)]
    )


def begun_anew(db: Connection, run: StoredRun, *, again: bool) -> dict[str, object]:
    """Give the columns of a run whose history is emptied for its next attempt.

    Args:
        db: The write connection, on which the history is still there.
        run: The run.
        again: Whether it was handed out again; else somebody uses its id for another run.
    """
    reached = max(run.reached, lines.count(db, run.id, Stream.HISTORY)) if again else 0
    return {"reached": reached, "joins": "", "gap": ""}
