"""Names clients choose and ids we choose."""

from __future__ import annotations

import re
import secrets
import string

from sweeper.plain_text import HOSTILE
from sweeper.server.errors import RequestError

UNCATEGORIZED = "uncategorized"
RESERVED = frozenset(
    {"-", "artifact-files", "artifacts", "artifactsV2", "files", "graphql", "healthz", "login", "logout", "sdk"}
)
"""What addresses of ours begin with: pages of an entity of such a name could not be told from them. A test compares
them with the routes."""
_ALPHABET = string.ascii_lowercase + string.digits
_NAME = re.compile(rf"[^{HOSTILE}/\\#?%:\ud800-\udfff]{{1,128}}\Z")


def new_id() -> str:
    """Make the id of a sweep, run or agent: eight lower-case letters and digits, as W&B does."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(8))


def check_entity(name: str) -> str:
    """Give back a name that may be an entity's.

    Raises:
        RequestError: It may not.
    """
    if name in RESERVED:
        raise RequestError(f"{name!r} cannot be the name of an entity: addresses of the server's own begin with it")
    return check_name(name, "entity")


def check_name(name: str, what: str) -> str:
    """Give back a name that is safe in an address and as the name of a folder.

    Raises:
        RequestError: It is not.
    """
    # a dot in front: `..` climbs, and folders of ours begin with one; 200 bytes: file systems take 255
    if name.startswith(".") or not name.strip(". ") or not _NAME.match(name) or len(name.encode()) > 200:
        rule = r"use 1-128 characters without / \ # ? % : and without a dot in front"
        raise RequestError(f"{name[:200]!r} cannot be the name of a {what}: {rule}")
    return name
