"""What rows must never say, for the check of a data directory: each query names the rows that break one rule."""

from __future__ import annotations

import sqlite3

from sweeper.run import RunState, SweepState

MOST_FAULTS = 100
"""Faults of its pages that SQLite lists before it gives up: a torn database has one for every row."""


def broken_pages(db: sqlite3.Connection) -> list[str]:
    """Have SQLite look at every page and index; list what it finds, in its words."""
    found = db.execute(f"PRAGMA integrity_check({MOST_FAULTS})")
    return [text for (text,) in found if text != "ok"]


def alien_schema(db: sqlite3.Connection) -> list[str]:
    """List what no migration of ours makes and SQL of a stranger's could hide in: triggers, views, virtual tables."""
    query = "SELECT name FROM sqlite_master WHERE type NOT IN ('table', 'index') OR sql LIKE 'CREATE VIRTUAL%'"
    return [str(name) for (name,) in db.execute(query)]


def loose_references(db: sqlite3.Connection) -> list[str]:
    """List the rows that refer to a row which is not there, as `TABLE row NUMBER`."""
    return [f"{table} row {row}" for table, row, *_ in db.execute("PRAGMA foreign_key_check")]


def counted(db: sqlite3.Connection) -> tuple[int, int]:
    """Count the runs and the sweeps."""
    runs, sweeps = db.execute("SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM sweeps)").fetchone()
    return runs, sweeps


def runs_in_no_state(db: sqlite3.Connection) -> list[str]:
    """List the runs with a state that there is none of."""
    return _names(db, f"SELECT name FROM runs WHERE state NOT IN ({_words(RunState)})")  # noqa: S608 - words of ours


def sweeps_in_no_state(db: sqlite3.Connection) -> list[str]:
    """List the sweeps with a state that there is none of."""
    return _names(db, f"SELECT name FROM sweeps WHERE state NOT IN ({_words(SweepState)})")  # noqa: S608 - words of ours


def agents_with_several_runs(db: sqlite3.Connection) -> list[str]:
    """List the agents that have more than one running run: an agent works on one at a time."""
    return _names(
        db,
        """SELECT a.name FROM agents a JOIN runs r ON r.agent_id = a.id AND r.state = 'running'
        GROUP BY a.id HAVING count(*) > 1""",
    )


def runs_of_foreign_agents(db: sqlite3.Connection) -> list[str]:
    """List the runs of a sweep that are an agent's of another sweep."""
    return _names(
        db,
        """SELECT r.name FROM runs r JOIN agents a ON a.id = r.agent_id
        WHERE r.sweep_id IS NOT NULL AND r.sweep_id <> a.sweep_id""",
    )


def ended_runs_without_end(db: sqlite3.Connection) -> list[str]:
    """List the ended runs of which nobody knows when they ended."""
    ended = ", ".join(f"'{state}'" for state in RunState if state.ended)
    return _names(db, f"SELECT name FROM runs WHERE state IN ({ended}) AND ended_at IS NULL")  # noqa: S608


def misnumbered_metrics(db: sqlite3.Connection) -> list[str]:
    """List the runs whose values of a sweep's metric are not numbered 1, 2, 3: early termination looks up by number."""
    return _names(
        db,
        """SELECT r.name FROM metric_values v JOIN runs r ON r.id = v.run_id
        GROUP BY v.sweep_id, v.run_id HAVING count(*) <> max(v.iteration) OR min(v.iteration) <> 1""",
    )


def _words(states: type[RunState] | type[SweepState]) -> str:
    return ", ".join(f"'{state}'" for state in states)


def _names(db: sqlite3.Connection, query: str) -> list[str]:
    return [name for (name,) in db.execute(query)]
