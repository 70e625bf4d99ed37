"""What sweeper's own commands are told of all sweeps."""

from __future__ import annotations

import json

GRID = {"method": "grid", "name": "my grid", "metric": {"name": "loss"}, "parameters": {"lr": {"values": [0.1, 0.2]}}}


def asked(client, field):
    return next(iter(client.graphql(f"{{ viewer {{ {field} }} }}")["viewer"].values()))


def run_once(client, sweep):
    (command,) = client.beat(client.agent(sweep))
    run = command["run_id"]
    client.init(run, sweep=sweep)
    client.log(run, {"_step": 0, "loss": 2.0}, {"_step": 1, "loss": 1.0})
    client.stream(run, complete=True, exitcode=0)
    return run


def test_a_list_tells_what_each_sweep_has_come_to(client):
    """State, runs by state, how many there will be, the best of them, and who works on it."""
    sweep = client.sweep(GRID)
    run = run_once(client, sweep)
    other = client.sweep(GRID, project="q")
    told = json.loads(asked(client, "sweepList"))
    assert told["user"] == "local"
    found = {one["id"]: one for one in told["sweeps"]}
    mine = found[sweep]
    assert (mine["entity"], mine["project"], mine["name"], mine["state"]) == ("local", "p", "my grid", "RUNNING")
    assert (mine["counts"]["finished"], mine["expected"], mine["best"]) == (1, 2, [run, 1.0])
    assert (mine["outline"]["method"], list(mine["agents"])) == ("grid", ["h"])
    assert (found[other]["counts"], found[other]["best"], found[other]["agents"]) == ({}, None, {})
    told = json.loads(asked(client, 'sweepList(entity: "local", project: "q")'))
    assert [one["id"] for one in told["sweeps"]] == [other]


def test_a_sweep_that_cannot_be_read_hides_no_other(client):
    """A file of another version: its row is there, without what it says."""
    sweep, other = client.sweep(GRID), client.sweep(GRID)
    with client.http.app.state.store.write() as db:
        db.execute("UPDATE sweeps SET definition = 'method: telepathy' WHERE name = ?", (sweep,))
    told = json.loads(asked(client, "sweepList"))["sweeps"]
    assert {one["id"]: one["outline"] and one["outline"]["method"] for one in told} == {sweep: None, other: "grid"}


def test_names_tell_sweeps_projects_and_runs(client):
    """For the completion of a command line."""
    sweep = client.sweep(GRID)
    run = run_once(client, sweep)
    client.graphql('mutation { upsertModel(input: {name: "empty"}) { inserted } }')
    told = json.loads(asked(client, "sweepNames"))
    assert [(one["id"], one["name"], one["state"]) for one in told["sweeps"]] == [(sweep, "my grid", "RUNNING")]
    assert [place["project"] for place in told["projects"]] == ["p", "empty"]
    query = f'{{ project(name: "p") {{ sweep(sweepName: "{sweep}") {{ runNames(prefix: "%s", first: 5) }} }} }}'
    found = json.loads(client.graphql(query % run[:3])["project"]["sweep"]["runNames"])
    assert [(id_, state) for id_, _, state in found] == [(run, "finished")]
    assert json.loads(client.graphql(query % "nope")["project"]["sweep"]["runNames"]) == []


def test_a_summary_that_is_changed_after_a_year_shows_in_the_list(client):
    """A person corrects what a run of a sweep has come to that is over for long."""
    definition = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"lr": {"values": [1, 2]}}}
    (command,) = client.beat(client.agent(client.sweep(definition)))
    run = command["run_id"]
    client.init(run, summary='{"loss": 0.5}')
    client.stream(run, complete=True, exitcode=0)
    with client.http.app.state.store.write() as db:
        db.execute("UPDATE sweeps SET state = 'FINISHED', created_at = 1, updated_at = 1, heartbeat_at = 1")
        db.execute("UPDATE runs SET ended_at = 1")
    best = [json.loads(asked(client, "sweepList"))["sweeps"][0]["best"] for _ in range(2)]
    assert best == [[run, 0.5]] * 2
    query = "mutation($id: String, $s: JSONString) { upsertBucket(input: {id: $id, summaryMetrics: $s}) { inserted } }"
    client.graphql(query, id=client.run(run, "id")["id"], s='{"loss": 0.25}')
    assert json.loads(asked(client, "sweepList"))["sweeps"][0]["best"] == [run, 0.25]
