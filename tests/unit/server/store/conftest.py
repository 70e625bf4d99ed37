"""A database in memory, and rows to ask it for."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from sweeper.run import RunState
from sweeper.server.store import artifact_collections, projects, runs, sweeps, users
from sweeper.server.store.artifact_collections import Collection
from sweeper.server.store.database import MEMORY, Store
from sweeper.server.store.projects import Project
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Sweep

DEFINITION = {"method": "random", "metric": {"name": "loss"}, "parameters": {"lr": {"min": 0.0, "max": 1.0}}}


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    """A transaction of an empty database."""
    store = Store(MEMORY)
    with store.write() as connection:
        yield connection
    store.close()


@pytest.fixture
def project(db) -> Project:
    """The project local/p."""
    return projects.ensure(db, "local", "p", now=0)


@pytest.fixture
def make_sweep(db, project) -> Callable[..., Sweep]:
    """What makes a sweep of the project."""
    user = users.ensure_user(db, "local", "k" * 40, now=0)

    def make(**changes: Any) -> Sweep:
        text = yaml.safe_dump({key: value for key, value in {**DEFINITION, **changes}.items() if value is not None})
        return sweeps.create(db, project.id, text, user_id=user.id, seed=7, display_name=None, now=0)

    return make


@pytest.fixture
def make_run(db, project) -> Callable[..., StoredRun]:
    """What makes a run of the project."""

    def make(name: str, state: RunState = RunState.RUNNING, **columns: Any) -> StoredRun:
        return runs.create(db, project.id, name, state=state, now=100, **columns)

    return make


@pytest.fixture
def make_collection(db, project) -> Callable[..., Collection]:
    """What makes a collection of the project, or finds it; there is a user 1 to log to it."""
    users.ensure_user(db, "local", "k" * 40, now=0)

    def make(name: str, artifact_type: str = "dataset") -> Collection:
        artifact_collections.add(db, project.id, name, artifact_collections.SEQUENCE, artifact_type, now=0)
        found = artifact_collections.find(db, project.id, name)
        assert found is not None
        return found

    return make
