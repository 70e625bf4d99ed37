"""Netron, which draws models of neural networks: its files as its package has them, under an address of ours.

It runs in a browser alone, and reads what strangers made. So it is shown in a sandbox: its page has no origin, no
cookie, and no right to anything but its own files and the one model that its address is signed for (`http/models.py`).
Two things it cannot do there, and a script of ours that runs before its own does them for it.

Two more things in its first page are for its author's site: it asks where the viewer lives and whether to count the
visit, and half a year later it wants to be replaced before it shows anything. Neither is of use where nothing outside
can be reached, so that page is sent without its version and date, and with the answer.
"""

from __future__ import annotations

import gzip
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sweeper.server.errors import NotFoundError
from sweeper.server.pages.assets import FOLDER

ROOT = "/-/netron"
INDEX = "index.html"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-scripts allow-downloads"
)
"""Its own, for its styles stand in its page: it may load files of ours only, stand in pages of ours only, and has no
origin, also where somebody opens its address in a window."""
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".ico": "image/x-icon",
}
"""What is sent; the package's Python is not."""
_OF_ITS_SITE = {
    r'<meta name="version" content="[^"]*">': '<meta name="version" content="0.0.0">',
    r'<meta name="date" content="[^"]*">': '<meta name="date" content="">',
    r'<meta http-equiv="Content-Security-Policy" [^>]*>\n': "",  # ours says more, and where its worker comes from
}
OURS = {"sweeper-frame.js": FOLDER / "netron" / "frame.js", "sweeper-frame.css": FOLDER / "netron" / "frame.css"}
"""What its page loads of ours, before its scripts and after its styles."""
_LOADED = {
    r'(?=<script type="text/javascript" src="index\.js">)': '<script src="sweeper-frame.js"></script>\n',
    r"(?=</head>)": '<link rel="stylesheet" href="sweeper-frame.css">\n',
}


@cache
def folder() -> Path | None:
    """Find the files; None where the package is not installed."""
    spec = find_spec("netron")
    return Path(spec.origin).parent if spec and spec.origin else None


async def send(request: Request) -> Response:
    """Send one of its files."""
    return await run_in_threadpool(_send, request.path_params["path"], request.headers.get("accept-encoding", ""))


def _send(path: str, encodings: str) -> Response:
    place = _place(path)
    headers = {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        # its frame has no origin: to it they are another site's
        "Access-Control-Allow-Origin": "null",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Vary": "Accept-Encoding",
        "Cache-Control": "private, max-age=86400",
    }
    if path == INDEX or path in OURS:
        headers["Cache-Control"] = "no-cache"
    content = _content(place)
    if "gzip" in encodings and place.suffix not in {".png", ".ico"}:
        headers["Content-Encoding"] = "gzip"
        content = _packed(place)
    return Response(content, media_type=TYPES[place.suffix], headers=headers)


def _place(path: str) -> Path:
    """Find a file of the package.

    Raises:
        NotFoundError: It has none of that name, or is not installed.
    """
    home = folder()
    if home is None:
        raise NotFoundError("Netron is not installed with this server: `pip install netron` puts it there")
    if path in OURS:
        return OURS[path]
    # all of them lie beside each other: what has a slash is none
    place = home / path
    if "/" in path or "\\" in path or place.suffix not in TYPES or not place.is_file():
        raise NotFoundError(f"Netron has no file {path[:300]!r}")
    return place


@cache
def _packed(place: Path) -> bytes:
    return gzip.compress(_content(place), 6, mtime=0)


def _content(place: Path) -> bytes:
    content = place.read_bytes()
    if place.name == INDEX:
        text = content.decode()
        for found, instead in (_OF_ITS_SITE | _LOADED).items():
            text = re.sub(found, instead, text, count=1)
        content = text.encode()
    return content


ROUTES = [Route(ROOT + "/{path:path}", send)]
