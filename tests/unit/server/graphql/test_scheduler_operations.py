"""What `wandb sweep-scheduler` proposes; what becomes of its runs is the rules' affair (test_own_scheduler.py)."""

from __future__ import annotations

import json

from sweeper.server.graphql.context import global_id

OWN = {
    "method": "custom",
    "metric": {"name": "loss"},
    "scheduler": {"engine": "optuna"},
    "parameters": {"x": {"min": 0.0, "max": 1.0}},
}
ENQUEUE = """mutation($id: ID!, $config: JSONString!) {
    enqueueSweepRun(input: {id: $id, config: $config}) { id runQueueItemId } }"""
CONFIG = json.dumps({"x": {"value": 0.5}})


def id_of(client, sweep):
    query = 'query($s: String!) { project(name: "p") { sweep(sweepName: $s) { id } } }'
    return client.graphql(query, s=sweep)["project"]["sweep"]["id"]


def test_a_proposed_run_is_known_by_its_name(client):
    """Not by its global id: the scheduler looks for a run of this name."""
    sweep = client.sweep(OWN)
    found = client.graphql(ENQUEUE, id=id_of(client, sweep), config=CONFIG)["enqueueSweepRun"]
    assert client.run(found["id"], "state sweepName") == {"state": "pending", "sweepName": sweep}
    assert found["runQueueItemId"] is None


def test_a_sweep_that_is_over_gives_the_name_of_no_run(client):
    """A refusal would end the scheduler with an error; a run that it does not find it takes for deleted."""
    id_ = id_of(client, client.sweep(OWN))
    client.graphql('mutation($id: ID) { upsertSweep(input: {id: $id, state: "FINISHED"}) { sweep { id } } }', id=id_)
    name = client.graphql(ENQUEUE, id=id_, config=CONFIG)["enqueueSweepRun"]["id"]
    assert name.startswith("no-run-")
    assert client.run(name, "id") is None


def test_what_cannot_be_proposed_is_refused(client):
    """A sweep that is not there, and a config that is no object."""
    assert "no sweep" in client.graphql(ENQUEUE, status=404, id=global_id("Sweep", "nope", "p", "local"), config=CONFIG)
    client.graphql(ENQUEUE, status=400, id=id_of(client, client.sweep(OWN)), config="[]")
