"""What runs hold beside their rows: files, artifacts, and what other sweeps have learned from them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from typing import NamedTuple


class Holding(NamedTuple):
    """A number of things, and the bytes of all of them."""

    number: int
    size: int


def files_of(db: sqlite3.Connection, run_ids: Collection[int]) -> Holding:
    """Count and weigh the files that some runs have uploaded."""
    query = "SELECT count(*), coalesce(sum(size), 0) FROM files WHERE run_id IN (SELECT value FROM json_each(?))"
    return Holding(*db.execute(query, (json.dumps([*run_ids]),)).fetchone())


def artifacts_of(db: sqlite3.Connection, run_ids: Collection[int]) -> Holding:
    """Count and weigh the artifacts that some runs have made; what they share with others, and stays, is among it."""
    made = "SELECT artifact_id FROM artifact_runs WHERE role = 'output' AND run_id IN (SELECT value FROM json_each(?))"
    query = f"SELECT count(*), coalesce(sum(size), 0) FROM artifacts WHERE state = 'COMMITTED' AND id IN ({made})"  # noqa: S608
    return Holding(*db.execute(query, (json.dumps([*run_ids]),)).fetchone())


def learners_of(db: sqlite3.Connection, run_ids: Collection[int]) -> list[str]:
    """Name the sweeps to which some of the runs are attached."""
    query = (
        "SELECT DISTINCT s.name FROM prior_runs p JOIN sweeps s ON s.id = p.sweep_id"
        " WHERE p.run_id IN (SELECT value FROM json_each(?)) ORDER BY 1"
    )
    return [name for (name,) in db.execute(query, (json.dumps([*run_ids]),))]
