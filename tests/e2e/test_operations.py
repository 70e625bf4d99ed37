"""What whoever runs a server does: back it up, put it back, check it, upgrade it."""

from __future__ import annotations

import contextlib
import json
import sqlite3

import pytest

from sweeper.server.store.database import Store

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@pytest.mark.long
def test_a_running_server_is_backed_up_checked_and_restored(user, wire):
    """Backup and check beside the server; restore where none runs; the restored one has runs, files and the key."""
    sdk = user.serve()
    client = wire(sdk["WANDB_BASE_URL"], sdk["WANDB_API_KEY"])
    client.init("r")
    client.log("r", 0, {"loss": 1})
    client.upload("r", "model.onnx", b"weights")
    assert "6 ok" in user.run("server", "check", "--deep").stderr
    made = user.run("server", "backup", "all.tar.gz")
    assert "next: sweeper server restore all.tar.gz --data DIR" in made.stdout
    assert "a server runs on" in user.run("server", "restore", "all.tar.gz", code=1).stderr
    assert "a server runs on" in user.run("serve", code=1).stderr
    user.run("server", "stop")
    assert "replaced-" in user.run("server", "restore", "all.tar.gz", "--force").stdout
    again = user.serve()
    client = wire(again["WANDB_BASE_URL"], again["WANDB_API_KEY"])
    assert again == sdk
    assert client.history("r") == [{"loss": 1}]
    assert client.download("r", "model.onnx") == b"weights"


def test_damage_and_newer_data_are_told(user):
    """A check that fails exits with 1 and says what to do; a newer database is refused, by `create` too."""
    data = user.home / "server"
    data.mkdir()
    Store(data / "sweeper.db").close()
    with contextlib.closing(sqlite3.connect(data / "sweeper.db")) as db:
        db.execute("INSERT INTO projects (id, entity, name, created_at) VALUES (1, 'local', 'p', 0)")
        db.execute(
            "INSERT INTO runs (id, project_id, name, display_name, state, created_at, heartbeat_at)"
            " VALUES (1, 1, 'r', 'run-1', 'running', 0, 0)"
        )
        db.execute("INSERT INTO files VALUES (1, 'gone.txt', 3, 'x', NULL, 0)")
        db.commit()
        checked = user.run("server", "check", "--json", code=1)
        faults = [one for one in json.loads(checked.stdout) if one["verdict"] == "fail"]
        assert [(one["check"], "local/p/r/gone.txt is missing" in one["found"]) for one in faults] == [("files", True)]
        assert "restore a backup" in faults[0]["fix"]
        db.execute("INSERT INTO migrations VALUES (9999, 'of a newer one')")
        db.commit()
    refused = user.run("serve", code=1)
    assert "was written by a newer sweeper: it has migration 9999" in refused.stderr
    user.write("sweep.yaml", "method: grid\nparameters: {x: {values: [1]}}")
    started = user.run("create", "sweep.yaml", code=1)
    assert "was written by a newer sweeper" in started.stderr
    assert "no server" in user.run("server", "status", code=1).stdout
