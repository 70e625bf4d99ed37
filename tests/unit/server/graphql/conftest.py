"""A request without its HTTP, and a client that logs artifacts."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from sweeper.server.graphql.context import Context
from sweeper.server.signing import Signer
from sweeper.server.store import users
from sweeper.server.store.database import MEMORY, Store
from tests.unit.server.artifact_logger import Logger


@pytest.fixture
def log(client):
    """A client that logs an artifact with two files."""
    client.init("r")
    return Logger(client)


@pytest.fixture
def context():
    """A request of the user `local`, over an empty database, without files and without rules."""
    store = Store(MEMORY)
    with store.write() as db:
        users.ensure_user(db, "local", "k" * 40, now=1.0)
        user = users.authenticate(db, "k" * 40)
    yield Context(
        SimpleNamespace(store=store), None, None, Signer(b"secret", lambda _: [user.key]), user, "http://host:1", 1000.0
    )
    store.close()
