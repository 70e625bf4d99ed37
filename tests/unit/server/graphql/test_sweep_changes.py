"""The mutations of `sweeper edit` and `sweeper delete`."""

from __future__ import annotations

import json

import pytest

from sweeper.run import SweepState
from tests.unit.server.artifact_logger import Logger

GRID = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"lr": {"values": [0.1, 0.2, 0.3]}}}
EDIT = """mutation($i: JSON!) { editSweep(input: $i) { sweep { config state } effects } }"""
DELETE = """mutation($i: JSON!) { deleteSweep(input: $i) { deleted left } }"""


def known(client, sweep, fields="id config state"):
    return client.graphql(f'{{ project(name: "p") {{ sweep(sweepName: "{sweep}") {{ {fields} }} }} }}')["project"][
        "sweep"
    ]


def wider(*values):
    return json.dumps({**GRID, "parameters": {"lr": {"values": [*values]}}})


def edit(client, sweep, config, *, status=200, **more):
    given = {"id": known(client, sweep)["id"], "config": config, **more}
    found = client.graphql(EDIT, status=status, i=given)
    return found if status != 200 else json.loads(found["editSweep"]["effects"])


def run(client, sweep, *, ends=True, name="a.txt"):
    (command,) = client.beat(client.agent(sweep))
    client.init(command["run_id"])
    client.log(command["run_id"], {"_step": 0, "loss": 1.0})
    client.upload(command["run_id"], name, b"12345")
    if ends:
        client.stream(command["run_id"], complete=True, exitcode=0)
    return command["run_id"]


def close(client, sweep):
    query = "mutation($id: ID, $s: String) { upsertSweep(input: {id: $id, state: $s}) { sweep { state } } }"
    client.graphql(query, id=known(client, sweep)["id"], s="FINISHED")


def test_a_dry_run_tells_and_changes_nothing(client):
    """The same effects as the edit itself then has."""
    sweep = client.sweep(GRID)
    run(client, sweep)
    before = known(client, sweep)
    asked = edit(client, sweep, wider(0.2, 0.3, 0.4, 0.5), dryRun=True)
    assert known(client, sweep) == before
    assert (asked["runs"], asked["expected_runs"], asked["history"], asked["more"]) == (1, 5, 1, True)
    assert edit(client, sweep, wider(0.2, 0.3, 0.4, 0.5)) == asked
    assert known(client, sweep, "runCountExpected config") == {
        "runCountExpected": 5,
        "config": wider(0.2, 0.3, 0.4, 0.5),
    }


def test_of_two_who_edit_at_once_the_second_is_told(client):
    """Their change was made in sight of another file."""
    sweep = client.sweep(GRID)
    run(client, sweep)
    seen = known(client, sweep)["config"]
    edit(client, sweep, wider(0.1, 0.2), basedOn=seen)
    assert "meanwhile" in edit(client, sweep, wider(0.1, 0.5), basedOn=seen, status=409)
    assert known(client, sweep)["config"] == wider(0.1, 0.2)


def test_what_cannot_be_is_refused(client):
    """A file that is none, one that makes runs wrong, a sweep that is not there; a run under way keeps its place."""
    sweep = client.sweep(GRID)
    working = run(client, sweep, ends=False)
    assert "Invalid sweep config" in edit(client, sweep, "method: gird", status=400)
    assert "metric.name" in edit(client, sweep, json.dumps({**GRID, "metric": {"name": "acc"}}), status=409)
    assert client.graphql(EDIT, status=404, i={"id": "bm9uZQ==", "config": wider(1)})
    assert edit(client, sweep, wider(0.2), dryRun=True)["orphans"] == {working: {"lr": 0.1}}
    assert working in edit(client, sweep, wider(0.2), status=409)


def test_wandb_sweep_update_says_what_can_be_done(client):
    """The SDK's own way ends with the first agent."""
    sweep = client.sweep(GRID)
    client.agent(sweep)
    query = "mutation($id: ID, $c: String) { upsertSweep(input: {id: $id, config: $c}) { sweep { state } } }"
    assert "sweeper edit" in client.graphql(query, status=400, id=known(client, sweep)["id"], c=wider(1))


def delete(client, id_, *, status=200, **more):
    found = client.graphql(DELETE, status=status, i={"id": id_, **more})
    return found if status != 200 else found["deleteSweep"]


def test_a_sweep_is_deleted_with_all_that_is_its(client):
    """Rows, files, and for agents and the SDK it is not there; asked once more, neither."""
    sweep = client.sweep(GRID)
    agent = client.agent(sweep)
    made = run(client, sweep)
    close(client, sweep)
    place, id_ = client.data_dir / "files" / "local" / "p" / made, known(client, sweep)["id"]
    assert (place / "a.txt").exists()
    told = json.loads(known(client, sweep, "holdings")["holdings"])
    assert (told["runs"], told["files"], told["file_bytes"], told["under_way"]) == (1, 1, 5, [])
    assert delete(client, id_) == {"deleted": [made], "left": 0}
    assert not place.exists()
    assert known(client, sweep) is None
    assert client.run(made, "id") is None
    assert "no sweep" in delete(client, id_, status=404)
    query = 'mutation { agentHeartbeat(input: {id: "%s", runState: "{}"}) { commands } }'
    assert client.graphql(query % agent, status=404)
    assert client.stream(made)["stopped"]


def test_what_is_at_work_is_refused_and_nothing_is_half_done(client):
    """A running sweep, and an ended one whose run goes on; a single run likewise."""
    sweep = client.sweep(GRID)
    done, working = run(client, sweep), run(client, sweep, ends=False)
    id_ = known(client, sweep)["id"]
    assert "is running: cancel it first" in delete(client, id_, status=409)
    close(client, sweep)
    assert working in delete(client, id_, status=409)
    assert working in delete(client, id_, runs=[done, working], status=409)
    assert known(client, sweep)["state"] == SweepState.FINISHED
    assert client.run(done, "state")["state"] == "finished"
    assert delete(client, id_, runs=[done]) == {"deleted": [done], "left": 0}
    assert delete(client, id_, runs=[done]) == {"deleted": [], "left": 0}
    assert "no run nobody" in delete(client, id_, runs=["nobody"], status=404)


def test_many_runs_go_in_steps_and_nobody_is_given_one_meanwhile(client):
    """The sweep is canceled with the first step: whoever asks again goes on."""
    sweep = client.sweep({**GRID, "parameters": {"lr": {"values": list(range(120))}}})
    agent = client.agent(sweep)
    for _ in range(120):
        (command,) = client.beat(agent)
        client.init(command["run_id"])
        client.stream(command["run_id"], complete=True, exitcode=0)
    close(client, sweep)
    id_ = known(client, sweep)["id"]
    first = delete(client, id_)
    assert (len(first["deleted"]), first["left"]) == (50, 70)
    assert known(client, sweep)["state"] == SweepState.CANCELED
    assert [delete(client, id_)["left"], delete(client, id_)["left"]] == [20, 0]
    assert known(client, sweep) is None


@pytest.mark.parametrize("started", [False, True])
def test_a_deleted_runs_configuration_is_free_again(client, started):
    """A grid that goes on hands it out anew; a sweep that nobody has asked for a run is deleted as it is."""
    sweep = client.sweep(GRID)
    id_ = known(client, sweep)["id"]
    if not started:
        assert delete(client, id_) == {"deleted": [], "left": 0}
        return
    first = run(client, sweep)
    delete(client, id_, runs=[first])
    (command,) = client.beat(client.agent(sweep))
    assert command["args"]["lr"]["value"] == 0.1


def test_runs_that_an_edited_file_does_not_ask_for_are_counted_in_lists_too(client):
    """They stay, so there will be more runs than the file has combinations: else three of two would be done."""
    sweep = client.sweep(GRID)
    for _ in range(3):
        run(client, sweep)
    edit(client, sweep, wider(0.1, 0.2))
    (listed,) = json.loads(client.graphql("{ viewer { sweepList } }")["viewer"]["sweepList"])["sweeps"]
    assert listed["expected"] == known(client, sweep, "runCountExpected")["runCountExpected"] == 3


def test_an_artifact_that_a_run_made_as_well_which_stays_is_left(client):
    """Each run of a sweep logs the same data set: it goes with the last of them."""
    sweep = client.sweep(GRID)
    first, second = run(client, sweep), run(client, sweep)
    for one in (first, second):
        data = Logger(client, "data", {"x": b"the same"})
        data.log(runName=one)
    delete(client, known(client, sweep)["id"], runs=[first])
    assert data.found() is not None
    assert data.on_disk() == {b"the same"}
    delete(client, known(client, sweep)["id"], runs=[second])
    assert data.on_disk() == set()


def test_nothing_goes_of_a_sweep_that_is_not_over_since_then(client):
    """Whoever prunes names a time; what has begun anew meanwhile is told, and stays. A run of another sweep is none."""
    sweep, other = client.sweep(GRID), client.sweep(GRID)
    made, theirs = run(client, sweep), run(client, other)
    id_ = known(client, sweep)["id"]
    query = "mutation($i: JSON!) { deleteSweep(input: $i) { deleted left stays } }"

    def prune(**more):
        return client.graphql(query, i={"id": id_, **more})["deleteSweep"]

    for names in (None, [made]):
        told = prune(runs=names, endedBefore=4e9)
        assert (told["deleted"], told["left"], "begun anew" in told["stays"]) == ([], 0, True)
    close(client, sweep)
    assert "begun anew" in prune(runs=[made], endedBefore=1.0)["stays"]
    assert theirs in client.graphql(query, status=404, i={"id": id_, "runs": [theirs], "endedBefore": 4e9})
    assert prune(runs=[made], endedBefore=4e9) == {"deleted": [made], "left": 0, "stays": None}
    assert prune(endedBefore=4e9) == {"deleted": [], "left": 0, "stays": None}
    assert known(client, sweep) is None
