"""GraphQL's Sweep and Agent, as the SDK and the CLI read them."""

from __future__ import annotations

import json

import pytest

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
    agent = client.agent(name)
    (command,) = client.beat(agent)
    client.beat(agent, command["run_id"])
    query = """query($sweep: String!, $specs: [JSONString!]!) { project(name: "p") { sweep(sweepName: $sweep) {
        state heartbeatAt earlyStopJobRunning controller scheduler
        runs { edges { node { name state shouldStop failed stopped running exitcode sampledHistory(specs: $specs) } } }
    } } }"""
    found = client.graphql(query, sweep=name, specs="{}")["project"]["sweep"]
    assert [edge["node"]["state"] for edge in found["runs"]["edges"]] == ["pending"]


def test_run_that_is_only_offered_is_nowhere_to_be_seen(client):
    """Neither in a count nor in a list, of the sweep or of the agent, nor on the page, until its agent takes it up."""
    name = client.sweep(GRID)
    agent = client.agent(name)
    (command,) = client.beat(agent)
    fields = "runCount runs { edges { node { name } } } agents { edges { node { totalRuns } } }"

    def seen():
        found = sweep_fields(client, name, fields)
        on_page = command["run_id"] in client.http.get(f"/local/p/sweeps/{name}").text
        listed = [edge["node"]["name"] for edge in found["runs"]["edges"]]
        return found["runCount"], listed, found["agents"]["edges"][0]["node"]["totalRuns"], on_page

    assert seen() == (0, [], 0, False)
    client.beat(agent, command["run_id"])
    assert seen() == (1, [command["run_id"]], 1, True)


def test_run_that_joins_a_sweep_late_brings_its_metric(client):
    """What a run logged before it joined a sweep counts in that sweep."""
    sweep = client.sweep({**GRID, "metric": {"name": "loss", "goal": "minimize"}})
    client.init("r", config='{"lr": {"value": 0.1}}')
    client.log("r", {"_step": 0, "loss": 0.5})
    client.init("r", sweep=sweep)
    assert sweep_fields(client, sweep, "bestLoss runCount") == {"bestLoss": 0.5, "runCount": 1}


@pytest.mark.parametrize("method", ["grid", "random", "bayes"])
@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"parameters": {"lr": {"values": [1, 2, 3]}}}, 3),
        ({"parameters": {"lr": {"values": [1, 2, 3]}}, "run_cap": 2}, 2),
        ({"parameters": {"lr": {"min": 0.0, "max": 1.0}}, "run_cap": 9}, 9),
        ({"parameters": {"lr": {"min": 0.0, "max": 1.0}}}, None),
    ],
)
def test_expected_runs_are_those_at_which_the_sweep_ends(client, method, more, expected):
    """A cap, or all that a finite space has, whatever the method; a range without a cap has no end."""
    if method == "grid" and "min" in more["parameters"]["lr"]:
        more = {**more, "parameters": {"lr": {"values": list(range(20))}}}
        expected = expected or 20
    sweep = client.sweep({"method": method, "metric": {"name": "loss"}, **more})
    assert sweep_fields(client, sweep, "runCountExpected") == {"runCountExpected": expected}


def test_a_sweep_lists_its_agents_with_their_runs(client):
    """An agent's state is its own and its sweep's: an agent of a finished sweep is done."""
    name = client.sweep(GRID)
    agent = client.agent(name)
    (command,) = client.beat(agent)
    client.beat(agent, command["run_id"])
    fields = "agents { edges { node { id name host state totalRuns runs { edges { node { name } } } } } }"
    (edge,) = sweep_fields(client, name, fields)["agents"]["edges"]
    assert edge["node"] == {
        "id": agent,
        "name": agent,
        "host": "h",
        "state": "RUNNING",
        "totalRuns": 1,
        "runs": {"edges": [{"node": {"name": command["run_id"]}}]},
    }
    query = """mutation($id: ID) { upsertSweep(input: {id: $id, state: "FINISHED"}) {
        sweep { agents { edges { node { state } } } } } }"""
    found = client.graphql(query, id=sweep_fields(client, name, "id")["id"])["upsertSweep"]["sweep"]
    assert found["agents"]["edges"] == [{"node": {"state": "FINISHED"}}]


def test_an_agent_is_one_of_its_sweep(client):
    """An agent nobody knows, and one of another sweep, are not found."""
    name, other = client.sweep(GRID), client.sweep(GRID)
    agent = client.agent(name)
    query = """query($s: String!, $a: String!) {
        project(name: "p") { sweep(sweepName: $s) { agent(agentName: $a) { id } } } }"""
    assert client.graphql(query, s=name, a=agent)["project"]["sweep"]["agent"] == {"id": agent}
    assert "no agent" in client.graphql(query, status=404, s=name, a="x")
    assert "no agent" in client.graphql(query, status=404, s=other, a=agent)


def test_a_sweep_shows_the_runs_it_learns_from(client):
    """They are among its runs, listed apart as well, and not counted as its own."""
    client.init("old", config='{"lr": {"value": 0.3}}', summary='{"loss": 1}')
    client.stream("old", complete=True, exitcode=0)
    query = """mutation($config: String!, $filters: JSONString) { upsertSweep(input: {
        config: $config, projectName: "p", priorRunsFilters: $filters}) { sweep { runCount
        priorRuns { edges { node { name sweepName } } } runs { edges { node { name } } } } } }"""
    config = json.dumps({**GRID, "metric": {"name": "loss"}})
    found = client.graphql(query, config=config, filters='{"name": "old"}')["upsertSweep"]["sweep"]
    assert found["runCount"] == 0
    assert found["priorRuns"]["edges"] == [{"node": {"name": "old", "sweepName": None}}]
    assert found["runs"]["edges"] == [{"node": {"name": "old"}}]


def test_sweep_tells_how_many_runs_a_group_of_workers_has_had(client):
    """As they name it with their questions."""
    name = client.sweep(GRID)
    client.http.headers |= {"X-Sweeper-Holder": "me", "X-Sweeper-Count": "night 1"}
    client.beat(client.agent(name))
    assert sweep_fields(client, name, 'a: countOf(group: "night") b: countOf(group: "day")') == {"a": 1, "b": 0}


def test_a_count_that_cannot_be_read_is_refused(client):
    """No run is given out on it."""
    name = client.sweep(GRID)
    agent = client.agent(name)
    client.http.headers |= {"X-Sweeper-Holder": "me", "X-Sweeper-Count": "night many"}
    with pytest.raises(AssertionError, match="X-Sweeper-Count"):
        client.beat(agent)
    assert sweep_fields(client, name)["runCount"] == 0
