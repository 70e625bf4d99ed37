"""The model that a run has left, whichever way its trainer kept it."""

from __future__ import annotations

import pytest

from sweeper.server.page_data.model_file import model_file
from sweeper.server.store import projects, runs
from tests.unit.server.artifact_logger import Logger


@pytest.fixture
def left(client):
    """A run, and what tells which model it has left."""
    client.init("r")

    def read():
        with client.http.app.state.store.read() as db:
            place = projects.find(db, "local", "p")
            return model_file(db, place, runs.find(db, place.id, "r"))

    return read


def test_a_run_without_a_model_has_none(left, client):
    """Whatever else it uploads."""
    client.upload("r", "notes.txt", b"x")
    assert left() is None


def test_the_file_of_the_usual_name_comes_first(left, client):
    """Then any that is a model by its name; each leads to its content."""
    client.upload("r", "a/weights.pt", b"weights")
    assert (left()["path"], left()["size"]) == ("a/weights.pt", 7)
    client.upload("r", "model.onnx", b"model")
    found = left()
    assert found["path"] == "model.onnx"
    assert client.http.get(found["url"]).content == b"model"


def test_of_artifacts_the_newest_model_counts(left, client):
    """Those of another type, and what is no model in one, do not."""
    for name, kind, contents in (
        ("data", "dataset", {"x.onnx": b"no model of the run"}),
        ("net", "model", {"net.onnx": b"first"}),
        ("later", "model", {"a.txt": b"notes", "later.onnx": b"second"}),
    ):
        Logger(client, name, contents).log(artifactTypeName=kind, runName="r")
    found = left()
    assert found["path"] == "later.onnx"
    assert client.http.get(found["url"]).content == b"second"
