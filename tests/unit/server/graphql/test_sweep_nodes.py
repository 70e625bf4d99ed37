"""GraphQL's Sweep and Agent, as the SDK and the CLI read them."""

from __future__ import annotations

import json

GRID = {"method": "grid", "parameters": {"lr": {"values": [0.1, 0.2]}}}
SWEEP_FIELDS = "name state method config runCount runCountExpected bestLoss displayName"


def sweep_fields(client, sweep, fields=SWEEP_FIELDS):
    query = f'{{ project(name: "p") {{ sweep(sweepName: "{sweep}") {{ {fields} }} }} }}'
    return client.graphql(query)["project"]["sweep"]


def test_sweep_tells_what_to_expect(client):
    """A sweep answers its definition as sent, its state in W&B's words and how many runs it will have."""
    name = client.sweep(json.dumps({**GRID, "name": "mine"}))
    found = sweep_fields(client, name)
    assert found["config"] == json.dumps({**GRID, "name": "mine"})
    assert (found["state"], found["method"], found["displayName"]) == ("PENDING", "grid", "mine")
    assert (found["runCount"], found["runCountExpected"], found["bestLoss"]) == (0, 2, None)


def test_cli_reads_a_sweep_with_its_runs(client):
    """The CLI's document is answered; it passes one text where the schema has a list of them."""
    name = client.sweep(GRID)
    client.beat(client.agent(name))
    query = """query($sweep: String!, $specs: [JSONString!]!) { project(name: "p") { sweep(sweepName: $sweep) {
        state heartbeatAt earlyStopJobRunning controller scheduler
        runs { edges { node { name state shouldStop failed stopped running exitcode sampledHistory(specs: $specs) } } }
    } } }"""
    found = client.graphql(query, sweep=name, specs="{}")["project"]["sweep"]
    assert [edge["node"]["state"] for edge in found["runs"]["edges"]] == ["pending"]


def test_run_that_joins_a_sweep_late_brings_its_metric(client):
    """What a run logged before it joined a sweep counts in that sweep."""
    sweep = client.sweep({**GRID, "metric": {"name": "loss", "goal": "minimize"}})
    client.init("r", config='{"lr": {"value": 0.1}}')
    client.log("r", {"_step": 0, "loss": 0.5})
    client.init("r", sweep=sweep)
    assert sweep_fields(client, sweep, "bestLoss runCount") == {"bestLoss": 0.5, "runCount": 1}
