"""Mutations of sweeps and agents, as the SDK and the CLI send them."""

from __future__ import annotations

import json
import re

import pytest
import yaml

GRID = {"method": "grid", "parameters": {"lr": {"values": [0.1, 0.2]}}}


def id_of(client, sweep):
    return client.graphql(f'{{ project(name: "p") {{ sweep(sweepName: "{sweep}") {{ id }} }} }}')["project"]["sweep"][
        "id"
    ]


def set_state(client, sweep, state, *, status=200):
    query = "mutation($id: ID, $state: String) { upsertSweep(input: {id: $id, state: $state}) { sweep { state } } }"
    return client.graphql(query, status=status, id=id_of(client, sweep), state=state)


def test_sweep_is_created_in_the_askers_entity(client):
    """A sweep sent without entity or project lands in the asker's entity and `uncategorized`."""
    query = """mutation($config: String, $entity: String) {
        upsertSweep(input: {config: $config, entityName: $entity}) {
            sweep { name project { name entity { name } } } configValidationWarnings } }"""
    found = client.graphql(query, config=json.dumps(GRID), entity=None)["upsertSweep"]
    assert re.fullmatch("[a-z0-9]{8}", found["sweep"]["name"])
    assert found["sweep"]["project"] == {"name": "uncategorized", "entity": {"name": "local"}}
    assert found["configValidationWarnings"] == []


def test_text_that_looks_like_a_number_is_taken_as_the_sdk_writes_it(client):
    """PyYAML quotes neither `1e-5` nor null; whoever meant a number is warned, with the place."""
    query = "mutation($config: String) { upsertSweep(input: {config: $config}) { configValidationWarnings } }"
    config = yaml.safe_dump({**GRID, "name": None, "parameters": {"size": {"values": ["1e-5", "large"]}}})
    [empty, number] = client.graphql(query, config=config)["upsertSweep"]["configValidationWarnings"]
    assert "name: is empty" in empty
    assert "write 1.0e-5" in number
    (command,) = client.beat(client.agent(client.sweep(config)))
    assert command["args"] == {"size": {"value": "1e-5"}}


def test_invalid_definition_is_refused_with_its_faults(client):
    """A config that describes no sweep is a 400 naming the key."""
    query = "mutation($config: String) { upsertSweep(input: {config: $config}) { sweep { name } } }"
    refusal = client.graphql(query, status=400, config="method: grid\nparameters: {lr: {value: [}}")
    assert refusal.startswith("Invalid sweep config:")
    refusal = client.graphql(query, status=400, config="method: gird\nparameters: {lr: {value: 1}}")
    assert "method" in refusal


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"controller": {"type": "local"}}, "Leave `controller:` out"),
    ],
)
def test_definition_that_is_not_served_is_refused(client, more, said):
    """A valid config that needs a search outside this server is a 400 with a way out, at creation and at an update."""
    config = json.dumps({**GRID, **more})
    query = "mutation($id: ID, $c: String) { upsertSweep(input: {id: $id, config: $c}) { sweep { name } } }"
    id_ = id_of(client, client.sweep(GRID))
    for asked in (None, id_):
        refusal = client.graphql(query, status=400, id=asked, c=config)
        assert refusal.startswith("Sweep config not served here:")
        assert said in refusal


@pytest.mark.parametrize("state", ["PAUSED", "RUNNING", "FINISHED", "CANCELED"])
def test_state_of_a_sweep_is_set(client, state):
    """The four words of the CLI's flags become the sweep's state."""
    name = client.sweep(GRID)
    assert set_state(client, name, state)["upsertSweep"]["sweep"]["state"] == state


def test_what_a_command_changes_is_noted_once(client):
    """Who paused a sweep stands on its page, also if `sweeper pause` asked; asked again, it was so already."""
    sweep = client.sweep(GRID)
    for state in ("PAUSED", "PAUSED", "PENDING"):
        set_state(client, sweep, state)
    said = client.http.get(f"/-/data/local/p/sweeps/{sweep}/actions").json()["said"]
    assert [(one["name"], one["user_name"], one["reason"]) for one in said] == [("pause", "local", "")]


def test_sweep_is_called_something_else_at_any_time(client):
    """What a person writes is shown instead of the file's name, of a sweep that has started too."""
    name = client.sweep({**GRID, "name": "of the file"})
    client.beat(client.agent(name))
    query = """mutation($id: ID, $name: String) { upsertSweep(input: {id: $id, displayName: $name,
        description: "why"}) { sweep { displayName description state } } }"""
    found = client.graphql(query, id=id_of(client, name), name="mine")["upsertSweep"]["sweep"]
    assert found == {"displayName": "mine", "description": "why", "state": "RUNNING"}
    assert "<h1>mine" in client.http.get(f"/local/p/sweeps/{name}").text


def test_unknown_state_is_refused_with_the_known_ones(client):
    """A state that is none is refused, and the message lists those there are."""
    assert "CANCELED" in set_state(client, client.sweep(GRID), "ASLEEP", status=400)


def test_started_sweep_keeps_its_definition(client):
    """A definition can be replaced until the first agent has come."""
    name = client.sweep(GRID)
    query = "mutation($id: ID, $c: String) { upsertSweep(input: {id: $id, config: $c}) { sweep { runCountExpected } } }"
    wider = json.dumps({**GRID, "parameters": {"lr": {"values": [1, 2, 3]}}})
    id_ = id_of(client, name)
    assert client.graphql(query, id=id_, c=wider)["upsertSweep"]["sweep"]["runCountExpected"] == 3
    client.agent(name)
    assert "has started" in client.graphql(query, status=400, id=id_, c=json.dumps(GRID))


def test_agent_is_given_a_run_as_the_sdk_reads_it(client):
    """The run command carries every top-level parameter under `value`, in a JSON text of a list."""
    nested = {"method": "grid", "program": "t.py", "parameters": {"opt": {"parameters": {"lr": {"values": [1]}}}}}
    (command,) = client.beat(client.agent(client.sweep(nested)))
    assert command["type"] == "run"
    assert command["args"] == {"opt": {"value": {"lr": 1}}}
    assert command["program"] == "t.py"
    assert client.run(command["run_id"], "state sweepName")["state"] == "pending"


def test_agent_of_another_project_finds_no_sweep(client):
    """A sweep is found in its project only; the answer is a 404, which ends the client."""
    name = client.sweep(GRID)
    query = """mutation { createAgent(input: {host: "h", sweep: "%s", projectName: "q"}) { agent { id } } }"""
    assert name in client.graphql(query % name, status=404)


def test_heartbeat_of_nobody_is_not_found(client):
    """A heartbeat of an agent nobody knows is a 404, which ends the client."""
    query = 'mutation { agentHeartbeat(input: {id: "nobody", runState: "{}"}) { commands } }'
    assert "nobody" in client.graphql(query, status=404)
