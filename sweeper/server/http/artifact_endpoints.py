"""The HTTP endpoints for what artifacts hold: signed addresses, and those that the SDK makes up itself."""

from __future__ import annotations

from pathlib import Path

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from sweeper.server.artifacts.blobs import BlobStore
from sweeper.server.errors import NotFoundError, RequestError
from sweeper.server.graphql.artifact_addresses import PREFIX, READ, WRITE
from sweeper.server.http import limits, signed
from sweeper.server.store import projects
from sweeper.server.store.database import Store


async def upload(request: Request) -> Response:
    """Take one content, as a stream."""
    names, limit = _names(request), request.query_params.get("limit", "")
    check = signed.right_to(request, WRITE, *names, limit)
    check()
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > int(limit):
        raise RequestError(f"the upload has {length} bytes, it was announced with at most {limit}", 413)
    blobs: BlobStore = request.app.state.blobs
    try:
        chunks = signed.while_held(limits.upload(request, blobs.root), check)
        await blobs.save(int(names[0]), names[1], chunks, limit=int(limit))
    except ClientDisconnect as error:
        raise RequestError("the upload broke off") from error
    return Response(status_code=200)


async def download(request: Request) -> Response:
    """Give out one content."""
    project_id, md5 = _names(request)
    signed.right_to(request, READ, project_id, md5)()
    answer = await _content(request, int(project_id), md5)
    answer.headers.update(signed.READABLE_WITHOUT_ORIGIN)
    return answer


async def download_by_name(request: Request) -> Response:
    """Give out one content at the address the SDK makes from a manifest when a signed one does not work; with a key."""
    names = request.path_params
    project_id = await run_in_threadpool(_project, request.app.state.store, names["entity"], names["project"])
    return await _content(request, project_id, names["md5"])


async def download_of_entity(request: Request) -> Response:
    """Give out one content at the address that the SDK makes up to 0.25, which names no project; with a key."""
    names, state = request.path_params, request.app.state
    found = await run_in_threadpool(_having, state.store, state.blobs, names["entity"], names["md5"])
    return await _content(request, found, names["md5"])


def _having(store: Store, blobs: BlobStore, entity: str, md5: str) -> int:
    """Find a project of an entity that has a content; of those that are there for who asks."""
    with store.read() as db:
        places = projects.all_of(db, entity)
    found = next((place.id for place in places if blobs.size(place.id, md5) is not None), None)
    if found is None:
        raise NotFoundError("this content is not, or no longer, here")
    return found


def _project(store: Store, entity: str, name: str) -> int:
    with store.read() as db:
        place = projects.find(db, entity, name)
    if place is None:
        raise NotFoundError(f"no project {entity}/{name} here")
    return place.id


async def _content(request: Request, project_id: int, md5: str) -> Response:
    # the signature, or the key, is the right to it: the database knows of no content by itself
    blobs: BlobStore = request.app.state.blobs
    place: Path = blobs.place(project_id, md5)
    if not await anyio.Path(place).is_file():
        raise NotFoundError("this content is not, or no longer, here")
    # what was uploaded may be a web page: it must not act in our name
    headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}
    return FileResponse(place, media_type="application/octet-stream", headers=headers)


def _names(request: Request) -> tuple[str, str]:
    return request.path_params["project"], request.path_params["md5"]


ROUTES = [
    Route(PREFIX + "{project}/{md5}", upload, methods=["PUT"]),
    Route(PREFIX + "{project}/{md5}", download, methods=["GET"]),
    Route("/artifactsV2/{region}/{entity}/{project}/{collection}/{birth}/{md5}/{name:path}", download_by_name),
    Route("/artifactsV2/{region}/{entity}/{birth}/{md5}", download_of_entity),
    Route("/artifacts/{entity}/{md5}", download_of_entity),
]
