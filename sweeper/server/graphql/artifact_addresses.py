"""Addresses of artifacts' contents: signed, because the SDK (0.31.0) sends no key to them."""

from __future__ import annotations

from urllib.parse import quote

from sweeper.server.graphql.context import Context
from sweeper.server.signing import READ_S, WRITE_S

PREFIX = "/artifact-files/"
LAYOUT, REGION = "artifactsV2", "here"
"""Of addresses that the SDK makes up itself; there is but one place where contents lie."""
READ, WRITE = "read artifact", "write artifact"
MIB = 2**20
MAX_MANIFEST = 256 * MIB
"""Bytes; one of 500,000 files has about 100 MiB."""
MAX_WHOLE = 2048 * MIB
"""Bytes of a file announced without parts: wandb-core 0.31.0 announces parts from this size on."""
PART = 100 * MIB
"""Bytes of a part, for files of up to 10,000 parts."""
MAX_PARTS, MAX_IN_PARTS = 10_000, 5 * 2**40


def content_url(context: Context, project_id: int, md5: str) -> str:
    """Give an address to read a content from."""
    token = context.sign(READ_S, READ, str(project_id), md5)
    return f"{context.base_url}{PREFIX}{project_id}/{md5}?token={token}"


def named_url(entity: str, project: str, collection: str, md5: str, path: str) -> str:
    """Give the path of the address that the SDK makes up for a content: who reads there needs a key or a session."""
    names = (LAYOUT, REGION, entity, project, collection, "0", md5)
    return "/" + "/".join(quote(name, safe="") for name in names) + "/" + quote(path.rpartition("/")[2], safe="")


def upload_url(context: Context, project_id: int, md5: str, limit: int) -> str:
    """Give an address to write a content of at most `limit` bytes to."""
    # the limit is signed too: the address alone says how much its holder may write
    token = context.sign(WRITE_S, WRITE, str(project_id), md5, str(limit))
    return f"{context.base_url}{PREFIX}{project_id}/{md5}?limit={limit}&token={token}"


def limit_of(parts: int) -> int:
    """Give the most bytes that a file announced with so many parts, or none, may have."""
    if parts == 0:
        return MAX_WHOLE
    return PART * parts if parts < MAX_PARTS else MAX_IN_PARTS
