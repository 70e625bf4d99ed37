"""The page on which runs stand side by side: what was given to them and differs, what came of it, and their curves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sweeper.metric_value import flat
from sweeper.server.errors import NotFoundError
from sweeper.server.pages.rendering import page
from sweeper.server.pages.sweep_rows import address
from sweeper.server.store import projects, runs, sweeps
from sweeper.server.store.database import Connection, Store
from sweeper.server.store.projects import Project
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Sweep
from sweeper.side_by_side import ComparedRow, rows_of

MOST = 20
"""Runs side by side: more lines and columns nobody tells apart."""
COLOURS = 8
"""The second eight have dashed lines, and the rest dotted ones (`assets/compare.js`)."""
MOST_KEYS = 400
"""Logged keys that have charts."""


async def compare_page(request: Request) -> Response:
    """Show the runs in `runs`: names with commas between them, or several times one."""
    asked = request.query_params.getlist("runs")
    return await run_in_threadpool(_compare_page, request.app.state.store, asked, **request.path_params)


def _compare_page(store: Store, asked: Sequence[str], entity: str, project: str) -> Response:
    with store.read() as db:
        place = projects.find(db, entity, project)
        if place is None:
            raise NotFoundError(f"no project {entity}/{project} here")
        found, unknown = _find(db, place, asked)
        shown = found[:MOST]
        within = {run.sweep_id: sweeps.get(db, run.sweep_id) for run in shown if run.sweep_id is not None}
    config = sorted(rows_of([_config(run) for run in shown]), key=lambda row: (row.same, row.name)) if shown else []
    summary = [row for row in rows_of([_summary(run) for run in shown]) if not row.name.startswith("_")]
    names = [run.name for run in shown]
    return page(
        "compare.html",
        project=place,
        runs=[_told(run, number, names, within, place) for number, run in enumerate(shown)],
        unknown=unknown,
        more=len(found) - len(shown),
        config=config,
        summary=sorted(summary, key=lambda row: (row.same, row.name)),
        keys=_keys(shown),
        live=any(not run.state.ended for run in shown),
        names=names,
        address=address,
        cell=_cell,
    )


def _find(db: Connection, place: Project, asked: Sequence[str]) -> tuple[list[StoredRun], list[str]]:
    """Find runs in the order in which they are named, and give the names of those that are not there."""
    # a name may hold a comma itself
    whole = [(text, runs.find(db, place.id, text)) for text in asked]
    names = [name for text, run in whole for name in ([text] if run else text.split(",")) if name]
    known = {run.name: run for run in runs.named(db, place.id, names) if not run.offered}
    wanted = dict.fromkeys(names)
    return [known[name] for name in wanted if name in known], [name for name in wanted if name not in known]


def _told(
    run: StoredRun, number: int, names: Sequence[str], within: Mapping[int, Sweep], place: Project
) -> dict[str, Any]:
    sweep = within.get(run.sweep_id or 0)
    return {
        "run": run,
        "colour": number % COLOURS,
        "stroke": number // COLOURS,
        "page": address(place.entity, place.name, "runs", run.name),
        "sweep": sweep,
        "sweep_page": address(place.entity, place.name, "sweeps", sweep.name) if sweep else "",
        "others": [name for name in names if name != run.name],
    }


def _config(run: StoredRun) -> dict[str, Any]:
    """Give the config by dotted names, without the SDK's own part."""
    entries = {name: entry for name, entry in json.loads(run.config).items() if name != "_wandb"}
    return dict(
        flat({name: entry.get("value") if isinstance(entry, dict) else entry for name, entry in entries.items()})
    )


def _summary(run: StoredRun) -> dict[str, Any]:
    return dict(flat(json.loads(run.summary)))


def _keys(found: Sequence[StoredRun]) -> list[str]:
    """List the keys under which any of the runs logged numbers; what two runs have comes first."""
    counts: dict[str, int] = {}
    for run in found:
        for key, entry in json.loads(run.history_keys).get("keys", {}).items():
            if not key.startswith("_") and any(known["type"] == "number" for known in entry["typeCounts"]):
                counts[key] = counts.get(key, 0) + 1
    return sorted(counts, key=lambda key: (-min(counts[key], 2), key.count("/"), key))[:MOST_KEYS]


def _cell(row: ComparedRow, number: int) -> Any:
    """Give a run's value as it is shown: text, or a number; None where it has none."""
    value = row.to_json()[number]
    return json.dumps(value) if isinstance(value, list | dict | bool) else value


ROUTES = [Route("/{entity}/{project}/compare", compare_page)]
