"""A version of an artifact as its page asks for it."""

from __future__ import annotations

import pytest

from sweeper.server.errors import NotFoundError
from sweeper.server.page_data import artifact_facts
from sweeper.server.store import projects
from tests.unit.server.artifact_logger import Logger


@pytest.fixture
def logged(client):
    """A client of a server with an artifact of three files, and an older version of it."""
    Logger(client, "net").log(aliases=[{"artifactCollectionName": "net", "alias": "first"}])
    contents = {"a/notes.txt": b"<b>x</b>", "m.onnx": b"\0\1", "z.csv": b"x\n1\n"}
    Logger(client, "net", contents).log(aliases=[{"artifactCollectionName": "net", "alias": "best"}])
    return client


def ask(client, what, version="v1", status=200, **query):
    answer = client.http.get(f"/-/data/local/p/artifacts/net/{version}/{what}", params=query)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_files_are_listed_by_path(logged):
    """Each leads to its content, which a session may read."""
    told = ask(logged, "files")
    assert [(file["path"], file["size"], file["kind"]) for file in told["files"]] == [
        ("a/notes.txt", 8, "text"),
        ("m.onnx", 2, "model"),
        ("z.csv", 4, "text"),
    ]
    assert (told["more"], told["bytes"]) == (0, 14)
    assert [file["model"] for file in told["files"]] == [None, "/-/models/local/p/artifacts/net/v1/m.onnx", None]
    assert logged.http.get(told["files"][0]["url"]).content == b"<b>x</b>"


def test_a_file_is_shown(logged):
    """As what it is, by the name that the artifact gives it."""
    assert ask(logged, "preview", path="a/notes.txt")["text"] == "<b>x</b>"
    assert ask(logged, "preview", path="z.csv")["rows"] == [["1"]]
    assert ask(logged, "preview", path="m.onnx") == {"kind": "binary"}


@pytest.mark.parametrize("path", ["nope", "", "../a/notes.txt", "a"])
def test_what_the_version_does_not_hold_is_not_shown(logged, path):
    """Whatever else lies here."""
    assert "no file" in ask(logged, "preview", status=404, path=path)["errors"][0]["message"]


@pytest.mark.parametrize(("version", "number"), [("v0", 0), ("v1", 1), ("first", 0), ("best", 1), ("latest", 1)])
def test_a_version_is_found_by_its_number_or_an_alias(logged, version, number):
    """As `use_artifact` finds it."""
    with logged.http.app.state.store.read() as db:
        place = projects.find(db, "local", "p")
        assert artifact_facts.find_version(db, place.id, "net", version).listed.version == number


@pytest.mark.parametrize(("name", "version"), [("net", "v2"), ("net", "v01"), ("net", "none"), ("other", "v0")])
def test_a_version_that_there_is_not_is_named(logged, name, version):
    """With 404."""
    with logged.http.app.state.store.read() as db, pytest.raises(NotFoundError, match="no "):
        artifact_facts.find_version(db, projects.find(db, "local", "p").id, name, version)


def test_a_content_that_is_gone_is_said_to_be(logged):
    """Its row alone is none."""
    for file in (logged.data_dir / "artifacts").glob("*/*/*"):
        file.unlink()
    assert "gone" in ask(logged, "preview", status=404, path="z.csv")["errors"][0]["message"]
