"""A server with data to be backed up and checked, and what the check says of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from sweeper.findings import Finding
from sweeper.server.admin import integrity
from tests.unit.server.graphql.test_artifact_operations import Logger

GRID = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"lr": {"values": [0.1, 0.2]}}}
ALL_WELL = dict.fromkeys(("version", "database", "references", "states", "files", "artifacts"), "ok")


def findings(data: Path, **options: bool) -> dict[str, str]:
    """What the check says: by what it looked at, the verdict."""
    return {finding.check: finding.verdict.value for finding in integrity.examine(data, **options)}


def found(data: Path, check: str, **options: bool) -> Finding:
    """What the check says of one thing."""
    return next(finding for finding in integrity.examine(data, **options) if finding.check == check)


def faults(data: Path, *, deep: bool = False) -> dict[str, tuple[str, str]]:
    """What the check says is not well."""
    found = integrity.examine(data, deep=deep)
    return {one.check: (one.verdict.value, one.found) for one in found if one.verdict != "ok"}


def place_of(client, content: bytes) -> Path:
    """Where a content lies."""
    (place,) = client.data_dir.glob(f"artifacts/*/*/{hashlib.md5(content, usedforsecurity=False).hexdigest()}")
    return place


@pytest.fixture
def full(client):
    """A server with a sweep, a run of it with a history, and two files."""
    sweep = client.sweep(GRID)
    (command,) = client.beat(client.agent(sweep))
    client.init(command["run_id"], sweep=sweep)
    client.log(command["run_id"], {"loss": 2.0, "_step": 0}, {"loss": 1.0, "_step": 1})
    client.upload(command["run_id"], "model.onnx", b"weights")
    client.upload(command["run_id"], "media/images/a b.png", b"pixels")
    return client, sweep, command["run_id"]


@pytest.fixture
def log(client):
    """A client that logs an artifact with two files."""
    client.init("r")
    return Logger(client)
