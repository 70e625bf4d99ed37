"""The web pages, at the addresses that the SDK prints."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sweeper.server.errors import NotFoundError
from sweeper.server.pages import sweep_view
from sweeper.server.pages.rendering import page
from sweeper.server.pages.run_page import run_page, tab_of
from sweeper.server.rules import prior_runs
from sweeper.server.store import projects, runs, sweeps
from sweeper.server.store.database import Connection, Store
from sweeper.server.store.projects import Project
from sweeper.server.store.sweeps import Sweep

SECTIONS = frozenset(
    ["", "sweeps", "runs", "workspace", "overview", "table", "groups", "artifacts", "reports", "reportlist", "jobs"]
)
"""What W&B has below a project, and the SDK prints; nothing for an address with a slash at its end."""


async def home(request: Request) -> Response:
    """Show all projects with their sweeps."""
    return await run_in_threadpool(_home, request.app.state.store)


def _home(store: Store) -> Response:
    with store.read() as db:
        known = _by_project(db, sweeps.all_of(db))
        shown = [(project, known[project.id]) for project in projects.all_of(db)]
    return page("home.html", projects=shown)


async def entity_page(request: Request) -> Response:
    """Show the projects of one user or team."""
    return await run_in_threadpool(_entity_page, request.app.state.store, **request.path_params)


def _entity_page(store: Store, entity: str) -> Response:
    with store.read() as db:
        places = projects.all_of(db, entity)
        if not places:
            raise NotFoundError(f"no project of {entity!r} here")
        known = _by_project(db, [sweep for place in places for sweep in sweeps.of_project(db, place.id)])
    return page("home.html", projects=[(place, known[place.id]) for place in places])


async def project_page(request: Request) -> Response:
    """Show one project: its sweeps and its other runs."""
    return await run_in_threadpool(_project_page, request.app.state.store, **request.path_params)


def _project_page(store: Store, entity: str, project: str) -> Response:
    with store.read() as db:
        place = _find_project(db, entity, project)
        loose = runs.without_sweep(db, place.id)
        known = _by_project(db, sweeps.of_project(db, place.id))
    return page("project.html", project=place, sweeps=known[place.id], runs=loose[::-1])


def _by_project(db: Connection, known: Sequence[Sweep]) -> defaultdict[int, list[dict[str, Any]]]:
    """Sum up sweeps by the ids of their projects, in a number of queries that does not grow with theirs."""
    done, expected = runs.counts(db), prior_runs.expected_by_sweep(db, known)
    found = defaultdict[int, list[dict[str, Any]]](list)
    for sweep in known:
        entry = {"sweep": sweep, "done": done.get(sweep.id, 0), "expected": expected[sweep.id]}
        found[sweep.project_id].append(entry)
    return found


async def page_above(request: Request) -> Response:
    """Go on from an address that W&B has below a project, a sweep or a run to the page of ours that shows most of it.

    Raises:
        NotFoundError: W&B has none there either.
    """
    names = dict(request.path_params)
    rest = names.pop("rest")
    if len(names) == 2 and rest.partition("/")[0] not in SECTIONS:
        raise NotFoundError(f"no page {request.url.path[:300]!r} here")
    kind = [f"{kind}s" for kind in ("sweep", "run") if kind in names]
    entity, project, *below = (quote(name, safe="") for name in names.values())
    tab = tab_of(rest) if "run" in names else ""
    return RedirectResponse("/" + "/".join([entity, project, *kind, *below]) + tab, 302)


def _find_project(db: Connection, entity: str, name: str) -> Project:
    found = projects.find(db, entity, name)
    if found is None:
        raise NotFoundError(f"no project {entity}/{name} here")
    return found


ROUTES = [
    Route("/", home),
    Route("/{entity}", entity_page),
    Route("/{entity}/{project}", project_page),
    *sweep_view.ROUTES,
    Route("/{entity}/{project}/runs/{run}", run_page),
    Route("/{entity}/{project}/sweeps/{sweep}/{rest:path}", page_above),
    Route("/{entity}/{project}/runs/{run}/{rest:path}", page_above),
    Route("/{entity}/{project}/{rest:path}", page_above),
]
