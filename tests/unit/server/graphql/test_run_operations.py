"""Mutations of runs: what `wandb.init`, a run and wandb.Api() send."""

from __future__ import annotations

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
