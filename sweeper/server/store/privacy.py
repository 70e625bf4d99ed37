"""Private projects: there for their owner and for the server's own user, and for nobody else.

A request knows from its door on who asks (`asking`), and whatever finds rows by what a request names finds none in a
project that is hidden from the asker: the answer is that of a project which does not exist. A project is private from
its beginning or never, so nothing was seen or linked before; and what it holds stays in it (`rights.check_stays`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sweeper.server.store.users import EMBEDDED_USER, User

# carried along by the request's task and threads, and not through every call: no lookup can forget to pass it on
_ASKER: ContextVar[int | None] = ContextVar("asker", default=None)


@contextmanager
def asking(user: User | None) -> Iterator[None]:
    """Let a user ask for what is looked up meanwhile; None is the server itself, from which nothing is hidden."""
    token = _ASKER.set(None if user is None or user.name == EMBEDDED_USER else user.id)
    try:
        yield
    finally:
        _ASKER.reset(token)


def hidden(db: sqlite3.Connection) -> frozenset[int]:
    """Give the ids of the projects that are not there for who asks."""
    asker = _ASKER.get()
    if asker is None:
        return frozenset()
    query = "SELECT id FROM projects WHERE private AND owner_id IS NOT ?"
    return frozenset(row["id"] for row in db.execute(query, (asker,)))


def hides_artifact(db: sqlite3.Connection, artifact_id: int) -> bool:
    """Whether an artifact lies in a project that is not there for who asks."""
    query = "SELECT c.project_id FROM artifacts a JOIN artifact_collections c ON c.id = a.collection_id WHERE a.id = ?"
    return bool(unseen := hidden(db)) and any(row[0] in unseen for row in db.execute(query, (artifact_id,)))


def hides_collection(db: sqlite3.Connection, collection_id: int) -> bool:
    """Whether a collection lies in a project that is not there for who asks."""
    query = "SELECT project_id FROM artifact_collections WHERE id = ?"
    return bool(unseen := hidden(db)) and any(row[0] in unseen for row in db.execute(query, (collection_id,)))
