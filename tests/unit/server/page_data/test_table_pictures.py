"""The pictures in a table that a run logged."""

from __future__ import annotations

import json

import pytest

from tests.unit.server.artifact_logger import Logger

TABLE = {"_type": "table-file", "path": "media/table/t.table.json"}
BEHIND = "wandb-client-artifact://mine/t.table.json"
CELL = {"_type": "image-file", "path": "media/images/a.png"}
ROWS = [["one", CELL], ["two", {"_type": "image-file", "path": "gone.png"}], ["three", {"path": "media/images/a.png"}]]


def logged(client, artifact_path, content):
    """Log a table and the artifact beside it; give what the run's page is told of the table."""
    client.init("r")
    client.log("r", {"_step": 0, "t": {**TABLE, "artifact_path": artifact_path}})
    own = {"columns": ["name", "picture"], "data": [[name, "Image"] for name, _ in ROWS]}
    client.upload("r", TABLE["path"], json.dumps(own).encode())
    Logger(client, "run-r-t", {"media/images/a.png": b"PNG", "t.table.json": content}).log(clientID="mine")
    return client.http.get("/-/data/local/p/runs/r/tables?key=t").json()


def test_a_cell_leads_to_the_picture_in_the_artifact(client):
    """What the artifact does not hold, and what is no picture, stays the word that it was."""
    found = logged(client, BEHIND, json.dumps({"columns": ["name", "picture"], "data": ROWS}).encode())
    assert [(one["row"], one["column"]) for one in found["pictures"]] == [(0, 1)]
    assert client.http.get(found["pictures"][0]["url"]).content == b"PNG"
    assert found["rows"][0] == ["one", "Image"]


@pytest.mark.parametrize(
    ("artifact_path", "content"),
    [
        (None, b"{}"),
        ("wandb-client-artifact://other/t.table.json", b"{}"),
        ("wandb-client-artifact://mine/other.table.json", b"{}"),
        (BEHIND, b"no JSON"),
        (BEHIND, b'{"columns": 3}'),
    ],
)
def test_a_table_without_its_artifact_is_shown_all_the_same(client, artifact_path, content):
    """Or with one of another form."""
    found = logged(client, artifact_path, content)
    assert (found["pictures"], len(found["rows"])) == ([], 3)


def test_pictures_of_another_project_are_not_shown(client):
    """A client may say any artifact is the one behind its table; the address would lead into this run's project."""
    content = json.dumps({"columns": ["name", "picture"], "data": ROWS}).encode()
    theirs = Logger(client, "run-r-t", {"media/images/a.png": b"PNG", "t.table.json": content})
    theirs.log(clientID="theirs", projectName="other")
    assert logged(client, "wandb-client-artifact://theirs/t.table.json", content)["pictures"] == []
