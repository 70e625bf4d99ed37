"""The server as a whole: it survives its own restart."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

SWEEP = {
    "method": "grid",
    "name": "first <b>sweep</b>",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"values": [0.1, 0.2]}},
}


def test_restart_loses_nothing(running_server):
    """Agents, pending and running runs, keys and signed addresses are the same after a restart."""
    with running_server() as client:
        key = client.http.headers["Authorization"]
        sweep = client.sweep(SWEEP)
        first, second = client.agent(sweep), client.agent(sweep)
        (running,) = client.beat(first)
        client.init(running["run_id"])
        client.log(running["run_id"], {"_step": 0, "loss": 1.0})
        (pending,) = client.beat(second)
        address = client.upload_url(running["run_id"], "a.txt")
    with running_server() as client:
        assert client.http.headers["Authorization"] == key
        assert client.beat(second) == [pending]
        assert client.beat(first, running["run_id"]) == []
        assert client.http.put(address, content=b"x", headers={"Authorization": ""}).status_code == 200
        assert client.run(running["run_id"], "state historyLineCount") == {"state": "running", "historyLineCount": 1}


@pytest.fixture
def running_server(serve, tmp_path):
    """Start a server over one data directory, as often as wanted."""

    @contextmanager
    def start():
        yield from serve(tmp_path / "data")

    return start


def test_unknown_address_is_not_found(client):
    """An address nobody serves is 404 with a message, not a page of HTML."""
    answer = client.http.get("/a/b/c/d/e")
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["message"]
