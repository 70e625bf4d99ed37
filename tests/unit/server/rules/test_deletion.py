"""Deleted runs are gone for good."""

from __future__ import annotations

from sweeper.server.rules import deletion
from sweeper.server.store import runs

GRID = {
    "method": "grid",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"values": [0.1, 0.2, 0.3]}},
}
DELETE = "mutation($id: ID!) { deleteRun(input: {id: $id, deleteArtifacts: true}) { clientMutationId } }"


def test_a_deleted_run_is_gone_and_does_not_come_back(client):
    """Rows, files and the run go; its process is told to stop, and its id is refused to the next."""
    id_ = client.init("r", config="{}")["bucket"]["id"]
    client.log("r", {"_step": 0, "loss": 1})
    client.upload("r", "a.txt", b"a")
    url = client.upload_url("r", "b.txt")
    client.graphql(DELETE, id=id_)
    assert client.run("r", "id") is None
    assert list((client.data_dir / "files").rglob("*.txt")) == []
    assert client.log("r", {"_step": 1, "loss": 1})["stopped"]
    assert client.http.put(url, content=b"b").status_code == 404
    query = 'mutation { upsertBucket(input: {name: "r", modelName: "p"}) { inserted } }'
    assert "new id" in client.graphql(query, status=404)
    assert client.run("r", "id") is None


def test_a_deleted_run_of_a_grid_is_made_again(client):
    """Its configuration is open again, as if it had never been proposed."""
    agent = client.agent(client.sweep(GRID))
    (command,) = client.beat(agent)
    client.graphql(DELETE, id=client.init(command["run_id"])["bucket"]["id"])
    assert client.beat(agent)[0]["args"] == command["args"]


def test_suggestions_ahead_go_on_after_a_deletion(ahead):
    """They are numbered as the sweep's runs: with one run fewer, one is computed that takes its number."""
    sweep = ahead.sweep(GRID)
    run = ahead.given(ahead.agent(sweep))
    assert [found.number for found in ahead.settled(sweep) if found.params] == [2, 3]
    with ahead.store.write() as db:
        deletion.delete_run(db, ahead.read(run), now=ahead.now)
    ahead.dispatcher.changed(sweep.id)
    assert [found.number for found in ahead.settled(sweep) if found.params] == [1, 2, 3]


def test_files_that_a_killed_server_left_go_with_its_next_start(tmp_path, serve):
    """It had deleted the rows, and not come to the files yet; what others have stays."""
    for client in serve(tmp_path):
        for name in ("gone", "kept"):
            client.init(name, config="{}")
            client.upload(name, "a.txt", b"a")
        with client.http.app.state.store.write() as db:
            (run,) = runs.named(db, 1, ["gone"])
            deletion.delete_run(db, run, now=1.0)
        assert (tmp_path / "files" / "local" / "p" / "gone").exists()
    for _ in serve(tmp_path):
        assert [place.name for place in (tmp_path / "files" / "local" / "p").iterdir()] == ["kept"]
