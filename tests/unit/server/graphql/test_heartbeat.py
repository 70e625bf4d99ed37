"""Heartbeats told from other documents: what agents send is answered at once, the rest goes the usual way."""

from __future__ import annotations

import json

import pytest
from graphql import parse

from sweeper.server.graphql import heartbeat

WRITTEN = (
    "mutation Heartbeat($id: ID!, $metrics: JSONString, $runState: JSONString) {"
    " agentHeartbeat(input: {id: $id, metrics: $metrics, runState: $runState}) { agent { id } commands } }"
)
GRID = {"method": "grid", "parameters": {"lr": {"values": [0.1, 0.2]}}}


def test_what_agents_write_is_read():
    """The variables go where the document says, and the answer has its names."""
    found = heartbeat.find(
        parse(WRITTEN.replace("agentHeartbeat(", "beat: agentHeartbeat(").replace("comm", "c: comm"))
    )
    assert found is not None
    assert found.operation == "Heartbeat"
    assert found.fields({"id": "a", "metrics": "{}", "runState": "{}"}) == {
        "id": "a",
        "metrics": "{}",
        "runState": "{}",
    }
    assert found.shaped({"agent": {"id": "a"}, "commands": "[]"}) == {"beat": {"agent": {"id": "a"}, "c": "[]"}}
    assert found.fields({"id": 5, "metrics": "{}", "runState": "{}"}) is None
    assert found.fields({"id": "a"}) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("agent { id }", "agent { id name }"),
        ("agent { id }", "agent { ...a }"),
        ("agent { id }", "agent { id @skip(if: true) }"),
        ("agent { id }", "agent { __typename }"),
        ("commands }", "commands } more: agentHeartbeat(input: {id: $id}) { commands }"),
        ("commands }", "commands } stopRun(input: {id: $id}) { success }"),
        ("id: $id,", 'id: "a",'),
        ("$runState: JSONString", '$runState: JSONString = "{}"'),
        ("agentHeartbeat(", "stopRun("),
        ("mutation Heartbeat", "query q { viewer { id } } mutation Heartbeat"),
        ("commands }", "commands commands }"),
    ],
)
def test_whatever_else_is_written_goes_the_usual_way(old, new):
    """Nothing is guessed: another document may ask for anything."""
    assert heartbeat.find(parse(WRITTEN.replace(old, new))) is None


@pytest.mark.parametrize("more", ["", " __typename"])
def test_both_ways_answer_the_same(client, more):
    """With and without graphql-core: commands, an unknown agent, input that is no JSON."""
    query = WRITTEN.replace("agent { id }", "agent { id }" + more)
    agent = client.agent(client.sweep(GRID))

    def beat(status=200, **variables):
        sent = {"id": agent, "metrics": "{}", "runState": "{}", **variables}
        answer = client.http.post("/graphql", json={"query": query, "variables": sent})
        assert answer.status_code == status, answer.text
        return answer.json()

    (command,) = json.loads(beat()["data"]["agentHeartbeat"]["commands"])
    assert command["args"] == {"lr": {"value": 0.1}}
    client.init(command["run_id"])
    listed = json.dumps({command["run_id"]: True})
    with client.http.app.state.store.write() as db:
        db.execute("UPDATE agents SET eager = 0")  # so that it is not held
    found = beat(runState=listed)["data"]["agentHeartbeat"]
    assert (found["agent"], found["commands"]) == ({"id": agent}, "[]")
    assert beat(404, id="nobody", runState=listed)["data"] is None
    assert "runState" in beat(400, runState="[")["errors"][0]["message"]
    assert beat(400, id=["x"])["errors"]
