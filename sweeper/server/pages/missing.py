"""What a browser gets where there is no page: words and a way back, where the SDK gets JSON."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sweeper.server.names import RESERVED
from sweeper.server.pages.rendering import page


def wants_page(request: Request) -> bool:
    """Whether it is a browser that asks, and not the SDK or a script."""
    return request.method in {"GET", "HEAD"} and "text/html" in request.headers.get("accept", "")


def refusal_page(request: Request, message: str, status: int) -> Response:
    """Say what is wrong with an address, and offer the pages above it."""
    above, address = [], ""
    for name in [name for name in request.scope["path"].split("/") if name][:2]:  # entity, project
        address += f"/{quote(name, safe='')}"
        above.append((name, address))
    return page("missing.html", status=status, message=message, above=above)


def with_spaces(request: Request) -> Response | None:
    """Go on from an address with `+`, by which the SDK (0.31) means a space; None if it has none."""
    # one slash in front, or a browser would take what follows for the name of a site
    path = request.scope["path"].lstrip("/")
    if request.method not in {"GET", "HEAD"} or "+" not in path or path.partition("/")[0] in RESERVED:
        return None
    return RedirectResponse("/" + quote(path.replace("+", " ")), 302)
