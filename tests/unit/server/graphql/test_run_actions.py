"""What a client may do to one run: stop it, delete its files, alert, read of it."""

from __future__ import annotations

import json

import pytest

from sweeper.server.store.lines import MAX_STEP

STOP = "mutation($id: ID!) { stopRun(input: {id: $id}) { success clientMutationId } }"


def test_a_stop_reaches_the_run_in_the_answer_to_what_it_logs(client):
    """Stopped by its id, a run reads it in file_stream, says so to SDK 0.29, and ends as killed with who did it."""
    id_ = client.init("r", config="{}")["bucket"]["id"]
    assert client.log("r", {"_step": 0, "loss": 1}) == {"exitcode": None, "limits": {}, "stopped": False}
    assert client.graphql(STOP, id=id_)["stopRun"] == {"success": True, "clientMutationId": None}
    assert client.run("r", "stopped shouldStop state") == {"stopped": True, "shouldStop": True, "state": "running"}
    assert client.log("r", {"_step": 1, "loss": 1}, offset=1)["stopped"]
    client.stream("r", complete=True, exitcode=255)
    assert client.run("r", "state summaryMetrics") == {
        "state": "killed",
        "summaryMetrics": json.dumps({"_sweeper": {"reason": "stopped by local"}}),
    }


def test_a_stop_is_noted_once(client):
    """For the run's page; who asks again, or for what has ended, changes nothing."""
    id_ = client.init("r")["bucket"]["id"]
    for _ in range(2):
        client.graphql(STOP, id=id_)
    client.stream("r", complete=True, exitcode=255)
    client.graphql(STOP, id=id_)
    said = client.http.get("/-/data/local/p/runs/r/actions").json()["said"]
    assert [(one["name"], one["user_name"], one["run"]) for one in said] == [("stop", "local", "r")]


def test_an_unknown_run_cannot_be_stopped(client):
    """An id of nothing is a 404."""
    client.init("r")
    assert "no run" in client.graphql(STOP, status=404, id="UnVuOnYxOng6cDpsb2NhbA==")
    assert "not the id of a run" in client.graphql(STOP, status=404, id="nonsense")


def test_a_run_is_deleted_once_and_for_all(client):
    """Asked twice it is gone all the same; one that never was is a 404."""
    client.init("kept")
    id_ = client.init("r")["bucket"]["id"]
    query = "mutation($id: ID!) { deleteRun(input: {id: $id, deleteArtifacts: true}) { clientMutationId } }"
    for _ in range(2):
        assert client.graphql(query, id=id_)["deleteRun"] == {"clientMutationId": None}
    assert client.runs() == ["kept"]
    assert "no run" in client.graphql(query, status=404, id="UnVuOnYxOng6cDpsb2NhbA==")


def test_files_are_deleted_by_their_ids(client):
    """A file goes from the list and from the disk; once more changes nothing, and a wrong id is a 404."""
    client.init("r")
    client.upload("r", "dir/a:b.txt", b"a")
    client.upload("r", "keep.txt", b"b")
    id_ = client.run("r", 'files(names: ["dir/a:b.txt"]) { edges { node { id } } }')["files"]["edges"][0]["node"]["id"]
    query = "mutation($files: [ID!]!) { deleteFiles(input: {files: $files, projectId: 1}) { success } }"
    for _ in range(2):
        assert client.graphql(query, files=[id_])["deleteFiles"] == {"success": True}
    left = client.run("r", "fileCount files { edges { node { name } } }")
    assert left == {"fileCount": 1, "files": {"edges": [{"node": {"name": "keep.txt"}}]}}
    assert [path.name for path in (client.data_dir / "files").rglob("*.txt")] == ["keep.txt"]
    client.graphql(query, status=404, files=["nonsense"])


@pytest.mark.parametrize(("step", "taken"), [(MAX_STEP, True), (-MAX_STEP, True), (MAX_STEP + 2, False), (0.5, False)])
def test_a_run_is_rewound_to_a_step_that_there_may_be(client, step, taken):
    """Whole, and no larger than a client can ask for."""
    client.init("r")
    query = """mutation($s: JSON!) { rewindRun(input: {runName: "r", projectName: "p",
        metricName: "_step", metricValue: $s}) { rewoundRun { name } } }"""
    if taken:
        client.log("r", {"_step": step})
        assert client.graphql(query, s=float(step))["rewindRun"]["rewoundRun"] == {"name": "r"}
    else:
        assert "whole `_step`" in client.graphql(query, status=400, s=float(step))
