"""Alerts: kept with the run, and told in the server's log."""

from __future__ import annotations

import logging

from sweeper.server.store import alerts
from sweeper.server.store.alerts import MAX_TEXT, Alert


def test_alerts_are_kept_in_their_order(db, make_run):
    """A run's alerts are its own, the oldest first."""
    run, other = make_run("r"), make_run("s")
    for number, owner in enumerate((run, other, run)):
        alerts.record(db, owner, Alert(f"title {number}", "text", "WARN", 5.0 - number))
    assert [alert.title for alert in alerts.of_run(db, run.id)] == ["title 0", "title 2"]


def test_a_long_alert_is_cut(db, make_run):
    """What a run has to say is bounded, in the database and more so in the log."""
    run = make_run("r")
    alerts.record(db, run, Alert("t" * 20_000, "x" * 20_000, "ERROR", 1.0))
    (alert,) = alerts.of_run(db, run.id)
    assert (len(alert.title), len(alert.text)) == (MAX_TEXT, MAX_TEXT)


def test_an_alert_is_a_line_of_the_log(db, make_run, caplog):
    """Whoever watches the log hears of it, on one line, whatever was sent."""
    with caplog.at_level(logging.WARNING):
        alerts.record(db, make_run("r"), Alert("loss\nis high", "look", "WARN", 1.0))
    (record,) = caplog.records
    assert record.getMessage() == r"run r: WARN: 'loss\nis high' 'look'"
    assert (record.action, record.run) == ("alert", "r")
