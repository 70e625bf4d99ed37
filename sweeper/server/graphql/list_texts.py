"""Lists of sweeps and of names as sweeper's own commands read them, each one text."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sweeper.errors import DefinitionError
from sweeper.server.graphql.context import Context
from sweeper.server.rules import prior_runs
from sweeper.server.store import sweep_lists, sweep_runs
from sweeper.server.store.database import Connection
from sweeper.server.store.sweep_lists import ListedSweep
from sweeper.server.store.sweep_runs import Beside
from sweeper.server.store.sweeps import Sweep, gist

MAX_NAMES = 20_000
"""Of sweeps or runs in one answer, the newest."""


def sweeps_text(context: Context, entity: str | None = None, project: str | None = None) -> str:
    """Tell all sweeps that are there for who asks, what was active last first, and who that is.

    Args:
        context: The request.
        entity: Those of this entity; None for all.
        project: Those of projects of this name; None for all.
    """
    with context.store.read() as db:
        listed = sweep_lists.all_of(db, sweep_lists.visible(db, project, entity))
        beside = sweep_runs.beside_files(db)
        told = [_told(db, one, beside.get(one.sweep.id, sweep_runs.NOTHING_BESIDE)) for one in listed]
    return json.dumps({"sweeps": told, "user": context.user.name, "now": context.now})


def _told(db: Connection, one: ListedSweep, beside: Beside) -> dict[str, Any]:
    sweep = one.sweep
    told = {
        **_named(one.project.entity, one.project.name, sweep.name, sweep.display_name, sweep.state),
        "created_at": _moment(sweep.created_at),
        "active_at": _moment(one.active_at),
        "counts": one.counts,
        "agents": one.agents,
    }
    try:
        outline, expected = gist(sweep.definition_text)
    except DefinitionError:  # of another version: one such sweep hides no other
        return told | {"outline": None}
    best = sweep_lists.best_of(db, sweep, outline)
    if beside != sweep_runs.NOTHING_BESIDE:
        expected = prior_runs.expected_beside(db, sweep, beside)
    return told | {"outline": outline.to_json(), "expected": expected, "best": best}


def _named(entity: str, project: str, id_: str, name: str | None, state: str) -> dict[str, Any]:
    return {"entity": entity, "project": project, "id": id_, "name": name or "", "state": state}


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def names_text(context: Context, project: str | None = None) -> str:
    """Tell what the sweeps are called that are there for who asks, the newest first; and the projects."""
    with context.store.read() as db:
        places = {place.id: place for place in sweep_lists.visible(db, project)}
        found = sweep_lists.names(db, places, MAX_NAMES)
    told = [_named(places[at].entity, places[at].name, id_, name, state) for at, id_, name, state in found]
    listed = [{"entity": place.entity, "project": place.name} for place in places.values()]
    return json.dumps({"sweeps": told, "projects": listed, "user": context.user.name})


def run_names_text(context: Context, sweep: Sweep, prefix: str | None, first: int | None) -> str:
    """Tell what a sweep's runs are called whose ids begin so, the newest first: id, name and state of each."""
    limit = max(0, min(MAX_NAMES if first is None else first, MAX_NAMES))
    with context.store.read() as db:
        return json.dumps(sweep_lists.run_names(db, sweep.id, prefix or "", limit))
