"""The pages of artifacts: those of a project, and one version with its files and where it comes from."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sweeper.server.errors import NotFoundError
from sweeper.server.page_data.answers import find_project
from sweeper.server.page_data.artifact_facts import find_version, lineage, metadata
from sweeper.server.pages.rendering import page
from sweeper.server.store import artifact_collections, artifact_versions
from sweeper.server.store.artifact_versions import ArtifactVersion
from sweeper.server.store.database import Store

TABS = ("overview", "files", "versions", "lineage")
ARTIFACTS = "/{entity}/{project}/artifacts"
VERSION = ARTIFACTS + "/{type}/{name}/{version}"
_THEIRS = {"metadata": "overview", "usage": "overview", "graph": "lineage"}
"""Tabs that W&B has (2026) and that have another name here."""


def address_of(one: ArtifactVersion) -> str:
    """Give the path of a version's page, as the SDK prints it."""
    names = (one.entity, one.project, "artifacts", one.type, one.name, f"v{one.version}")
    return "/" + "/".join(quote(name, safe="") for name in names)


async def artifacts_page(request: Request) -> Response:
    """Show the artifacts of a project, all or those of one type."""
    return await run_in_threadpool(_artifacts_page, request)


def _artifacts_page(request: Request) -> Response:
    store: Store = request.app.state.store
    wanted = request.path_params.get("type")
    with store.read() as db:
        place = find_project(db, request)
        newest = artifact_versions.newest_of_project(db, place.id)
    shown = [one for one in newest if wanted is None or one.type == wanted]
    if wanted is not None and not shown:
        raise NotFoundError(f"no artifact of the type {wanted!r} in {place.entity}/{place.name}")
    types = sorted({one.type for one in newest})
    listed = [(one, address_of(one)) for one in shown]
    return page("artifacts.html", project=place, types=types, wanted=wanted, artifacts=listed)


async def newest_page(request: Request) -> Response:
    """Go on to the newest version of a name."""
    return await run_in_threadpool(_newest_page, request)


def _newest_page(request: Request) -> Response:
    store: Store = request.app.state.store
    with store.read() as db:
        place, name = find_project(db, request), request.path_params["name"]
        collection = artifact_collections.find(db, place.id, name)
        versions = artifact_versions.of_collection(db, collection.id) if collection else []
    if collection is None or not versions:
        raise NotFoundError(f"no artifact {name!r} in {place.entity}/{place.name}")
    # a collection of links is the project's own, whatever project its versions were logged in
    names = (place.entity, place.name, "artifacts", collection.type, name, f"v{versions[0].version}")
    return RedirectResponse("/" + "/".join(quote(each, safe="") for each in names), 302)


async def artifact_page(request: Request) -> Response:
    """Show one version of an artifact."""
    return await run_in_threadpool(_artifact_page, request)


def _artifact_page(request: Request) -> Response:
    store: Store = request.app.state.store
    names, asked = request.path_params, request.query_params.get("tab", "")
    with store.read() as db:
        place = find_project(db, request)
        found = find_version(db, place.id, names["name"], names["version"])
        around = lineage(db, found.artifact.id)
        versions = artifact_versions.of_collection(db, found.collection.id)
    return page(
        "artifact.html",
        project=place,
        artifact=found.artifact,
        one=found.listed,
        metadata=metadata(found.artifact),
        versions=[(each, address_of(each)) for each in versions],
        lineage=around,
        address_of=address_of,
        tabs=TABS,
        tab=asked if asked in TABS else TABS[0],
    )


async def artifact_tab(request: Request) -> Response:
    """Go on from W&B's address of a tab, or of a file in it, to ours."""
    names = dict(request.path_params)
    tab, _, file = names.pop("rest").strip("/").partition("/")
    tab = _THEIRS.get(tab, tab)
    query = {"tab": tab} | ({"file": file} if file and tab == "files" else {}) if tab in TABS else {}
    home = [quote(names[key], safe="") for key in ("entity", "project", "type", "name", "version")]
    home.insert(2, "artifacts")
    return RedirectResponse("/" + "/".join(home) + (f"?{urlencode(query)}" if query else ""), 302)


ROUTES = [
    Route(ARTIFACTS, artifacts_page),
    Route(ARTIFACTS + "/{type}", artifacts_page),
    Route(ARTIFACTS + "/{type}/{name}", newest_page),
    Route(VERSION, artifact_page),
    Route(VERSION + "/{rest:path}", artifact_tab),
]
