"""What `sweeper server prune` reads, each one text: what may go, some sweeps at a time; the room of the database."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sweeper.server.graphql import inputs
from sweeper.server.graphql.context import Context, global_id
from sweeper.server.rules.retention import BEST, Retained, Retention, confirming_of
from sweeper.server.store import holdings, retention, space, sweep_lists
from sweeper.server.store.database import Connection
from sweeper.server.store.users import EMBEDDED_USER

SWEEPS, RUNS = 100, 2_000
"""What one answer looks at: so many sweeps, and none more behind so many runs."""


def retention_text(context: Context, fields: object) -> str:
    """Tell what may go of sweeps that are over, and what stays of them for another reason than being best."""
    sent = inputs.read(inputs.RetentionPage, fields)
    with context.store.read() as db:
        places = {place.id: place for place in sweep_lists.visible(db, sent.project_name, sent.entity_name)}
        rules = Retention(
            user=context.user,
            before=sent.before,
            keep=sent.keep,
            address=_address,
            confirming=confirming_of(db, places),
        )
        found = retention.over(db, places, before=sent.before, after=sent.after, limit=SWEEPS)
        told: list[dict[str, Any]] = []
        seen, last = 0, None
        for sweep in found:
            last = sweep.id
            one = rules.of_sweep(db, sweep)
            if one is None:
                continue
            place = places[sweep.project_id]
            if one.going or one.whole or any(staying.why != BEST for staying in one.staying):
                told.append({"entity": place.entity, "project": place.name, **_told(db, one)})
            seen += len(one.going) + len(one.staying)
            if seen >= RUNS:
                break
        more = len(found) == SWEEPS or (bool(found) and last != found[-1].id)
        silent = [] if sent.after else retention.silent(db, places, before=sent.before)
    return json.dumps({"sweeps": told, "silent": silent, "next": last if more else None})


def _address(artifact_id: int) -> str:
    """Write how the SDK (0.31.0) begins references to an artifact's files: with its id's bytes in hexadecimal."""
    return f"wandb-artifact://{b64decode(global_id('Artifact', str(artifact_id))).hex()}/"


def _told(db: Connection, one: Retained) -> dict[str, Any]:
    files, artifacts = holdings.files_of(db, one.going), holdings.artifacts_of(db, one.going)
    return {
        "id": global_id("Sweep", one.sweep.name),
        "sweep": one.sweep.name,
        "name": one.sweep.display_name or "",
        "ended_at": datetime.fromtimestamp(retention.ended_at(db, one.sweep), UTC).isoformat(timespec="seconds"),
        "whole": one.whole,
        "runs": [*one.going.values()],
        "staying": [asdict(staying) for staying in one.staying],
        "rows": retention.rows_of(db, one.going),
        "files": files.number,
        "file_bytes": files.size,
        "artifacts": artifacts.number,
        "artifact_bytes": artifacts.size,
    }


def space_text(context: Context, *, counted: bool = True) -> str | None:
    """Tell the room that the database takes; nothing to another user than the server's own.

    Args:
        context: The request.
        counted: Whether to count the rows, too, which takes seconds for a hundred million.
    """
    if context.user.name != EMBEDDED_USER:
        return None
    with context.store.read() as db:
        taken = space.of(db)
        told = {"bytes": taken.size, "free_bytes": taken.free, "gives_back": taken.gives_back}
        if counted:
            told["rows"] = space.rows(db)
    return json.dumps(told)
