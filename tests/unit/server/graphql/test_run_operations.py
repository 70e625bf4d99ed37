"""Mutations of runs: what `wandb.init`, a run and wandb.Api() send."""

from __future__ import annotations

import json
from urllib.parse import quote

from sweeper.server.graphql.run_operations import MAX_FILES

GRID = {"method": "grid", "parameters": {"lr": {"values": [0.1, 0.2]}}}


def test_run_is_named_by_the_files_template(client):
    """A proposed run has the name that the file's template makes, wandb.init keeps it, and the user's own name wins."""
    named = {**GRID, "sweeper": {"run_name": "{number}-lr{lr:.1e}"}}
    agent = client.agent(client.sweep(named))
    (command,) = client.beat(agent)
    assert client.init(command["run_id"], config="{}")["bucket"]["displayName"] == "1-lr1.0e-01"
    client.stream(command["run_id"], complete=True, exitcode=0)
    (command,) = client.beat(agent)
    assert client.run(command["run_id"], "displayName")["displayName"] == "2-lr2.0e-01"
    query = """mutation($name: String) {
        upsertBucket(input: {name: $name, modelName: "p", displayName: "mine"}) { bucket { displayName } } }"""
    assert client.graphql(query, name=command["run_id"])["upsertBucket"]["bucket"]["displayName"] == "mine"


def test_pending_run_is_started_by_its_first_upsert(client):
    """The first upsert of a run handed out says `inserted` and sets it running; later ones change nothing of that."""
    (command,) = client.beat(client.agent(client.sweep(GRID)))
    name = command["run_id"]
    first = client.init(name, config='{"lr": {"value": 0.1}}')
    assert first["inserted"] is True
    assert first["bucket"]["historyLineCount"] == 0
    assert first["bucket"]["project"] == {"name": "p", "entity": {"name": "local"}}
    assert client.init(name, config='{"lr": {"value": 0.1}, "x": {"value": 1}}')["inserted"] is False
    assert client.run(name, "state")["state"] == "running"


def test_upsert_after_the_end_does_not_revive(client):
    """A run that has completed stays finished when its client sends its config once more."""
    client.init("r")
    client.stream("r", complete=True, exitcode=0)
    client.init("r", config='{"a": {"value": 1}}')
    assert client.run("r", "state config") == {"state": "finished", "config": '{"a": {"value": 1}}'}


def test_unset_fields_stay_as_they_are(client):
    """An upsert with null for a field leaves it alone."""
    client.init("r", config='{"a": {"value": 1}}')
    client.init("r", config=None)
    assert client.run("r", "config")["config"] == '{"a": {"value": 1}}'


UPDATE = "mutation($id: ID!, $s: String!) { updateRunState(input: {id: $id, state: $s}) { success } }"


def test_a_run_is_given_up_or_handed_out_again(client):
    """`sweeper retry` says pending, a person at the API failed; no other state can be set."""
    (command,) = client.beat(client.agent(client.sweep(GRID)))
    id_ = client.init(command["run_id"])["bucket"]["id"]
    assert client.graphql(UPDATE, id=id_, s="failed")["updateRunState"] == {"success": True}
    assert client.run(command["run_id"], "state") == {"state": "failed"}
    client.graphql(UPDATE, id=id_, s="pending")
    assert client.run(command["run_id"], "state") == {"state": "preempted"}  # it had started, so it waits to go on
    assert "pending or failed" in client.graphql(UPDATE, status=400, id=id_, s="finished")


def test_a_worker_says_why_it_gives_a_run_up(client):
    """In a header, for the SDK has no word for it; headers are ASCII, and what a trainer raises is not."""
    (command,) = client.beat(client.agent(client.sweep(GRID)))
    client.http.headers["X-Sweeper-Reason"] = quote("ValueError: größer")
    assert client.set_run_state(command["run_id"], "failed")
    summary = json.loads(client.run(command["run_id"], "summaryMetrics")["summaryMetrics"])
    assert summary["_sweeper"]["reason"] == "ValueError: größer"


def test_what_a_person_asks_at_the_command_line_is_noted_as_what_the_pages_ask(client):
    """Stop and retry of a run, and a sweep's states: who, and why. What a worker asks for is nobody's word."""
    sweep = client.sweep(GRID)
    (command,) = client.beat(client.agent(sweep))
    id_ = client.init(command["run_id"])["bucket"]["id"]
    assert client.set_run_state(command["run_id"], "failed")
    client.http.headers["X-Sweeper-Reason"] = "it was killed"
    assert client.set_run_state(command["run_id"], "pending")
    assert told(client, sweep) == []
    del client.http.headers["X-Sweeper-Reason"]
    client.http.headers["X-Sweeper-Why"] = quote("the größer disk is here")
    assert client.set_run_state(command["run_id"], "failed")
    assert client.set_run_state(command["run_id"], "pending")
    client.graphql("mutation($id: ID!) { stopRun(input: {id: $id}) { success } }", id=id_)
    client.http.headers["X-Sweeper-Why"] = ""
    found = client.graphql(f'{{ project(name: "p") {{ sweep(sweepName: "{sweep}") {{ id }} }} }}')
    query = 'mutation($id: ID) { upsertSweep(input: {id: $id, state: "PAUSED"}) { sweep { state } } }'
    client.graphql(query, id=found["project"]["sweep"]["id"])
    assert told(client, sweep) == [
        ("pause", "local", "", None),
        ("stop", "local", "the größer disk is here", command["run_id"]),
        ("retry", "local", "the größer disk is here", command["run_id"]),
    ]


def told(client, sweep):
    """What a sweep's page says that people asked for, the newest first."""
    said = client.http.get(f"/-/data/local/p/sweeps/{sweep}/actions").json()["said"]
    return [(one["name"], one["user_name"], one["reason"], one["run"]) for one in said]


def test_a_run_may_be_made_in_a_state(client):
    """wandb.Api() makes runs that have ended elsewhere; a state that is none is refused with those there are."""
    query = 'mutation($s: String) { upsertBucket(input: {name: "r", modelName: "p", state: $s}) { bucket { state } } }'
    assert "preempted" in client.graphql(query, status=400, s="asleep")
    assert client.graphql(query, s="finished")["upsertBucket"]["bucket"] == {"state": "finished"}


def test_addresses_are_given_for_the_files_of_a_run(client):
    """As many as one request may ask for, of a run that is there."""
    client.init("r")
    query = """mutation($r: String!, $f: [String!]!) { createRunFiles(input: {
        projectName: "p", runName: $r, files: $f}) { runID files { name uploadUrl } } }"""
    found = client.graphql(query, r="r", f=["a", "b/c"])["createRunFiles"]
    assert found["runID"] == client.run("r", "id")["id"]
    assert [file["name"] for file in found["files"]] == ["a", "b/c"]
    assert all("token=" in file["uploadUrl"] for file in found["files"])
    assert "no run local/p/x" in client.graphql(query, status=404, r="x", f=[])
    assert "at most" in client.graphql(query, status=400, r="r", f=["a"] * (MAX_FILES + 1))


def test_a_run_joins_a_sweep_of_its_project(client):
    """Of another project's sweep, and of one that is not there, it is told so, and stays as it was."""
    sweep = client.sweep(GRID, project="q")
    query = 'mutation($s: String) { upsertBucket(input: {name: "r", modelName: "p", sweep: $s}) { inserted } }'
    for name in (sweep, "nope"):
        assert "no sweep" in client.graphql(query, status=404, s=name)
    assert client.graphql('{ project(name: "p") { id } }')["project"] is None


def test_a_fork_copies_its_parents_rows_once(client):
    """What the same process says again of itself, its parent among it, leaves its own rows alone."""
    client.init("r")
    client.log("r", *({"_step": step, "loss": step} for step in range(4)))
    config = json.dumps({"_wandb": {"value": {"branch_point": {"run_id": "r", "step": 1}}}})
    assert client.begin("f", config=config)["inserted"]
    client.log("f", {"_step": 2, "loss": 9}, {"_step": 3, "loss": 8}, offset=2)
    assert not client.init("f", config=config)["inserted"]
    assert [json.loads(line)["loss"] for line in client.run("f", "history")["history"]] == [0, 1, 9, 8]
