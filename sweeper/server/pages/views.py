"""The web pages, at the addresses that the SDK prints."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sweeper.server.errors import NotFoundError
from sweeper.server.pages import artifact_pages, compare, lists, sweep_view
from sweeper.server.pages.run_page import run_page, tab_of

SECTIONS = frozenset(
    ["", "sweeps", "runs", "workspace", "overview", "table", "groups", "artifacts", "reports", "reportlist", "jobs"]
)
"""What W&B has below a project, and the SDK prints; nothing for an address with a slash at its end."""


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


ROUTES = [
    *lists.ROUTES,
    *compare.ROUTES,
    *sweep_view.ROUTES,
    Route("/{entity}/{project}/runs/{run}", run_page),
    *artifact_pages.ROUTES,
    Route("/{entity}/{project}/sweeps/{sweep}/{rest:path}", page_above),
    Route("/{entity}/{project}/runs/{run}/{rest:path}", page_above),
    Route("/{entity}/{project}/{rest:path}", page_above),
]
