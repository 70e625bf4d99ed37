"""The pages that list: home, an entity's, a project's, and what a search finds."""

from __future__ import annotations

import shutil
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sweeper import __version__
from sweeper.server.errors import NotFoundError
from sweeper.server.page_data.search import look_up
from sweeper.server.pages.rendering import page
from sweeper.server.pages.sweep_rows import SweepRow, address, listed_in, rows_of
from sweeper.server.rules.dispatcher import Dispatcher
from sweeper.server.store import page_lists, projects, space
from sweeper.server.store.database import Connection
from sweeper.server.store.projects import Project
from sweeper.server.store.sweep_lists import ListedSweep

RECENT = 10
"""Sweeps on the first page that are not at work."""
MOST_LOOSE = 500
"""Runs outside sweeps on a project's page."""
MOST_FOUND = 50
"""Of each sort on the page of a search."""
STARTED_AT = time.time()


async def home(request: Request) -> Response:
    """Show what is at work, all projects, and how the server is; or what is called as the words in `q` say."""
    words = request.query_params.get("q", "")
    return await run_in_threadpool(_found if words.strip() else _home, request)


def _found(request: Request) -> Response:
    words = request.query_params["q"]
    with request.app.state.store.read() as db:
        found = look_up(db, words, MOST_FOUND)
    return page("found.html", words=words, found=found)


def _home(request: Request, entity: str | None = None) -> Response:
    dispatcher: Dispatcher = request.app.state.dispatcher
    now, changes = time.time(), dispatcher.past.changes
    with dispatcher.store.read() as db:
        places = projects.all_of(db, entity)
        if entity is not None and not places:
            raise NotFoundError(f"no project of {entity!r} here")
        listed = listed_in(db, places)
        at_work = [one for one in listed if one.counts.get("running") or one.counts.get("preempting")]
        busy = {one.sweep.id for one in at_work}
        others = [one for one in listed if one.sweep.id not in busy][:RECENT]
        rows = rows_of(db, [*at_work, *others], dispatcher, now=now, changes=changes)
        loose = page_lists.loose_counts(db)
        loose_at_work = page_lists.loose_at_work(db, RECENT)
        health = _health(db, request, now)
    return page(
        "home.html",
        entity=entity,
        at_work=rows[: len(at_work)],
        recent=rows[len(at_work) :],
        loose=[run for run in loose_at_work if entity in {None, run.entity}],
        projects=_projects(places, listed, loose),
        health=health,
        address=address,
    )


def _projects(
    places: Sequence[Project], listed: Sequence[ListedSweep], loose: dict[int, tuple[int, float]]
) -> list[dict[str, Any]]:
    """Sum up projects, the one in which something happened last first."""
    by_project = defaultdict[int, list[ListedSweep]](list)
    for one in listed:
        by_project[one.sweep.project_id].append(one)
    found = []
    for place in places:
        count, made_at = loose.get(place.id, (0, 0.0))
        known = by_project[place.id]
        entry = {
            "project": place,
            "page": address(place.entity, place.name),
            "sweeps": len(known),
            "runs": count + sum(sum(one.counts.values()) for one in known),
            "running": sum(one.counts.get("running", 0) + one.counts.get("preempting", 0) for one in known),
            "active_at": max([place.created_at, made_at, *(one.active_at for one in known)]),
        }
        found.append(entry)
    return sorted(found, key=lambda entry: entry["active_at"], reverse=True)


def _health(db: Connection, request: Request, now: float) -> dict[str, Any]:
    """Tell how the server is; whatever it tells is told to everybody who may log in."""
    state = request.app.state
    agents, hosts = page_lists.agents_at_work(db, now - state.dispatcher.policy.agent_s)
    disk = shutil.disk_usage(Path(state.files.root))
    return {
        "version": __version__,
        "agents": agents,
        "hosts": hosts,
        "database": space.of(db).size,
        "free": disk.free,
        "disk": disk.total,
        "is_short": disk.free < 0.05 * disk.total or disk.free < 2 * 10**9,
        "up_s": now - STARTED_AT,
        "states": page_lists.run_states(db),
    }


async def entity_page(request: Request) -> Response:
    """Show the same of one user or team."""
    return await run_in_threadpool(_home, request, request.path_params["entity"])


async def project_page(request: Request) -> Response:
    """Show one project: its sweeps and its other runs."""
    every_run = request.query_params.get("runs") == "all"
    return await run_in_threadpool(_project_page, request, every_run=every_run, **request.path_params)


def _project_page(request: Request, entity: str, project: str, *, every_run: bool) -> Response:
    dispatcher: Dispatcher = request.app.state.dispatcher
    now, changes = time.time(), dispatcher.past.changes
    with dispatcher.store.read() as db:
        place = projects.find(db, entity, project)
        if place is None:
            raise NotFoundError(f"no project {entity}/{project} here")
        rows = rows_of(db, listed_in(db, [place]), dispatcher, now=now, changes=changes)
        count, _ = page_lists.loose_counts(db).get(place.id, (0, 0.0))
        loose = page_lists.loose_runs(db, place.id, count if every_run else MOST_LOOSE)
    return page(
        "project.html",
        project=place,
        sweeps=rows,
        runs=loose,
        more=count - len(loose),
        facts=_facts(rows, count),
        address=address,
    )


def _facts(rows: Sequence[SweepRow], loose: int) -> dict[str, Any]:
    return {
        "sweeps": len(rows),
        "runs": loose + sum(row.total for row in rows),
        "running": sum(row.counts["running"] for row in rows),
        "failed": sum(row.counts["failed"] for row in rows),
        "compute_s": sum(row.compute_s or 0.0 for row in rows),
        "active_at": max((row.active_at for row in rows), default=0.0),
    }


ROUTES = [
    Route("/", home),
    Route("/{entity}", entity_page),
    Route("/{entity}/{project}", project_page),
]
