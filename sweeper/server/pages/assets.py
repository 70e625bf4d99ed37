"""The files that pages load: our style and scripts, and the libraries that the build has put beside them.

They lie in `assets/`. An address names the state of all of them, so a browser keeps what it has until one changes.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sweeper.server.errors import NotFoundError

FOLDER = Path(str(files("sweeper.server.pages") / "assets"))
ROOT = "/-/assets"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""What is sent; nothing else that may lie there."""
FOREVER = "public, max-age=31536000, immutable"


@cache
def _contents() -> dict[str, bytes]:
    """Read all of them, by their paths."""
    found = {file.relative_to(FOLDER).as_posix(): file for file in sorted(FOLDER.rglob("*")) if file.suffix in TYPES}
    return {path: file.read_bytes() for path, file in found.items()}


@cache
def version() -> str:
    """Name the state of all files."""
    digest = hashlib.sha256()
    for path, content in _contents().items():
        digest.update(f"{path}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:12]


def address(path: str) -> str:
    """Give the address of a file.

    Raises:
        KeyError: There is none; a template names it wrongly.
    """
    if not has(path):
        raise KeyError(path)
    return f"{ROOT}/{version()}/{quote(path)}"


def has(path: str) -> bool:
    """Whether there is a file: a library may not have been fetched."""
    return path in _contents()


@cache
def _packed(path: str) -> bytes:
    return gzip.compress(_contents()[path], 9, mtime=0)


async def send(request: Request) -> Response:
    """Send a file; nobody needs a key for it."""
    path = request.path_params["path"]
    if not has(path):
        raise NotFoundError(f"no file {path[:300]!r} here")
    return await run_in_threadpool(_answer, request, path)


def _answer(request: Request, path: str) -> Response:
    fresh = request.path_params["version"] == version()
    headers = {"Cache-Control": FOREVER if fresh else "no-cache", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        content = _packed(path)
    else:
        content = _contents()[path]
    return Response(content, media_type=TYPES[Path(path).suffix], headers=headers)


ROUTES = [Route(ROOT + "/{version}/{path:path}", send)]
