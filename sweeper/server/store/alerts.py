"""What runs report with `run.alert()`: kept with the run, shown on its page, and in the server's log."""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import dataclass

from sweeper.server.store.runs import StoredRun

log = logging.getLogger(__name__)

MAX_TEXT = 10_000
"""Characters kept; a mail or a chat message has fewer."""


@dataclass(frozen=True, slots=True)
class Alert:
    """What a run had to say."""

    title: str
    text: str
    severity: str
    created_at: float


def record(db: sqlite3.Connection, run: StoredRun, alert: Alert) -> None:
    """Keep an alert; `wait_duration` is the client's to observe."""
    query = "INSERT INTO alerts (run_id, title, text, severity, created_at) VALUES (?, ?, ?, ?, ?)"
    db.execute(query, (run.id, alert.title[:MAX_TEXT], alert.text[:MAX_TEXT], alert.severity, alert.created_at))
    # repr: a line break in a title would make a line of the log that looks like one of ours
    told = {"action": "alert", "run": run.name}
    log.warning("run %s: %s: %r %r", run.name, alert.severity, alert.title[:200], alert.text[:500], extra=told)


def of_run(db: sqlite3.Connection, run_id: int) -> list[Alert]:
    """List a run's alerts, the oldest first."""
    query = "SELECT title, text, severity, created_at FROM alerts WHERE run_id = ? ORDER BY id"
    return [Alert(*row) for row in db.execute(query, (run_id,))]
