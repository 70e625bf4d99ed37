"""The names of the numbers that a sweep's runs log, found in some of them: they are a trainer's, and so alike."""

from __future__ import annotations

import json
import sqlite3

ASKED = 40
"""Runs that are asked, half of them the first and half the last."""
MOST = 2000
"""Names: a trainer that makes them up as it goes would fill a page with nothing else."""
_KEYS = (
    "SELECT history_keys FROM (SELECT history_keys, id FROM runs WHERE sweep_id = :sweep AND history_keys <> '{{}}'"
    " AND NOT offered ORDER BY id {order} LIMIT :asked)"
)


def numbers(db: sqlite3.Connection, sweep_id: int) -> list[str]:
    """List the keys under which numbers were logged, those of W&B's own (`_step`) left out."""
    found: dict[str, None] = {}
    for order in ("ASC", "DESC"):
        given = {"sweep": sweep_id, "asked": ASKED // 2}
        for (text,) in db.execute(_KEYS.format(order=order), given):
            keys = json.loads(text).get("keys", {}).items()
            found |= dict.fromkeys(name for name, entry in keys if name[:1] != "_" and _has_numbers(entry))
    return sorted(found)[:MOST]


def _has_numbers(entry: dict[str, object]) -> bool:
    counts = entry.get("typeCounts")
    return isinstance(counts, list) and any(count.get("type") == "number" for count in counts)
