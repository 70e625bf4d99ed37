"""How long artifacts live: their time to live (TTL), which W&B counts from their creation, and who carries it out."""

from __future__ import annotations

import asyncio
import logging
import time

from anyio import to_thread

from sweeper.server.artifacts import commit
from sweeper.server.artifacts.blobs import BlobStore
from sweeper.server.errors import RequestError
from sweeper.server.store import artifact_collections, artifacts
from sweeper.server.store.artifact_collections import Collection
from sweeper.server.store.artifacts import Artifact
from sweeper.server.store.database import Connection, Store
from sweeper.server.store.disk import DiskFullError

log = logging.getLogger(__name__)

INHERITED, FOREVER = -1, -2
"""What the SDK (0.15 to 0.31.0) sends for "as the project says", which here is for ever, and for "for ever"."""
EVERY_S = 5.0
LAST_MOMENT = 253_402_300_000.0
"""Seconds since 1970 to the end of the year 9999: whatever expires later does not."""
_MADE_BY_SDK = ("run_table", "code", "job")


def check(db: Connection, collection: Collection, artifact_id: int | None, ttl_s: int | None) -> None:
    """Refuse a time to live to what W&B keeps: what the SDK makes by itself, and what is linked.

    Args:
        db: The database.
        collection: Where the artifact is logged to.
        artifact_id: The artifact; None before there is one.
        ttl_s: The time to live, as sent.

    Raises:
        RequestError: It is such an artifact.
    """
    if ttl_s is None or ttl_s <= 0:
        return
    if collection.type in _MADE_BY_SDK or collection.type.startswith("wandb-"):
        raise RequestError(f"artifacts of the type {collection.type!r} have no time to live: the SDK makes them itself")
    if artifact_id is not None and len(artifact_collections.memberships_of(db, artifact_id)) > 1:
        raise RequestError("a linked artifact has no time to live: unlink it first, then set one")


def lifetime(ttl_s: int | None, since: float) -> dict[str, float | int | None]:
    """Give the columns that say how long an artifact lives.

    Args:
        ttl_s: The time to live in seconds, as sent.
        since: What it counts from.
    """
    expires = since + ttl_s if ttl_s is not None and ttl_s > 0 else None
    return {
        "ttl_s": None if ttl_s == INHERITED else ttl_s,
        "expires_at": expires if expires is not None and expires < LAST_MOMENT else None,
    }


def changed(artifact: Artifact, ttl_s: int) -> dict[str, float | int | None]:
    """Give the columns of an artifact whose time to live is changed: it counts from where the last one did."""
    if artifact.expires_at is None or artifact.ttl_s is None:
        return lifetime(ttl_s, artifact.created_at)
    return lifetime(ttl_s, artifact.expires_at - artifact.ttl_s)


def logged_again(db: Connection, artifact: Artifact, ttl_s: int | None, *, now: float) -> Artifact:
    """Let an artifact whose content is logged again live as long as whoever does that expects."""
    if artifact.expires_at is None:
        return artifact
    longer = lifetime(ttl_s, now)
    if (longer["expires_at"] or LAST_MOMENT) <= artifact.expires_at:
        return artifact
    return artifacts.update(db, artifact.id, now=now, **longer)


def keep(db: Connection, artifact: Artifact, *, now: float) -> None:
    """Take an artifact's time to live from it: what is linked does not expire."""
    if artifact.expires_at is not None:
        artifacts.update(db, artifact.id, now=now, **lifetime(FOREVER, now))


class Expiry:
    """Deletes what has expired, aliases and all; the newest version that is left is the latest then.

    Args:
        store: The database.
        blobs: Where contents lie.
    """

    def __init__(self, store: Store, blobs: BlobStore) -> None:
        self._store, self._blobs = store, blobs

    async def work(self) -> None:
        """Look again and again."""
        while True:
            found = False
            try:
                # one at a time: an artifact may have a million files, and others want to write
                found = await to_thread.run_sync(self.go_on, time.time())
            except DiskFullError as error:
                log.warning("%s", error.message)
            except Exception:
                log.exception("deleting what has expired failed; it is tried again")
            await asyncio.sleep(0 if found else EVERY_S)

    def go_on(self, now: float) -> bool:
        """Delete the artifact that expired first; tell whether there was one."""
        with self._store.read() as db:
            found = artifacts.next_expired(db, now)
            name = artifact_collections.get(db, found.collection_id).name if found else ""
        if found is None:
            return False

        def choose(db: Connection) -> list[Artifact]:
            # somebody may have changed its time to live, or deleted it, since
            there = artifacts.exists(db, found.id) and artifacts.get(db, found.id)
            return [there] if there and there.expires_at is not None and there.expires_at <= now else []

        commit.delete(self._store, self._blobs, choose)
        log.info("an artifact of %s has expired", name, extra={"action": "expired", "artifact": found.id})
        return True
