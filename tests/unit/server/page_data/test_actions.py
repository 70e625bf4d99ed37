"""What a viewer is told that they may do."""

from __future__ import annotations

import pytest
import yaml

from tests.unit.server.team import new_team

GRID = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"lr": {"values": [0.1, 0.2, 0.3, 0.4]}}}


@pytest.fixture
def team(client):
    """A server with ann and bob."""
    return new_team(client)


def test_buttons_are_for_whoever_may_press_them(team):
    """Ann's sweep has some for her and the server's own user; bob sees none, but may stop the run that is his."""
    with team.acting("ann") as client:
        query = 'mutation($c: String) { upsertSweep(input: {config: $c, projectName: "p"}) { sweep { name } } }'
        sweep = client.graphql(query, c=yaml.safe_dump(GRID))["upsertSweep"]["sweep"]["name"]
        agent = client.agent(sweep)
    with team.acting("bob") as client:
        (command,) = client.beat(agent)
        fields = 'name: $n, modelName: "p", entityName: "ann"'
        client.graphql(
            f"mutation($n: String) {{ upsertBucket(input: {{{fields}}}) {{ inserted }} }}", n=command["run_id"]
        )
    told = {}
    for name in ("ann", "bob", "local"):
        with team.acting(name) as client:
            told[name] = [
                client.http.get(f"/-/data/ann/p/{path}/actions").json()
                for path in (f"sweeps/{sweep}", f"runs/{command['run_id']}")
            ]
    assert [told[name][0]["actions"] for name in told] == [["pause", "stop", "cancel"], [], ["pause", "stop", "cancel"]]
    assert [told[name][0]["others"] for name in told] == [[command["run_id"]], [], []]
    assert [told[name][1]["actions"] for name in told] == [[], ["stop"], ["stop"]]
    assert told["ann"][0]["state"] == "running"
    assert told["ann"][1]["state"] == "running"
    assert told["ann"][0]["retries"]
