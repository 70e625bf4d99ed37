"""A run handed out again: its id, its history, and the late words of its last process."""

from __future__ import annotations

import pytest

GRID = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"lr": {"values": [0.1, 0.2]}}}


def set_run_state(client, run, state, *, status=200):
    query = "mutation($id: ID!, $state: String!) { updateRunState(input: {id: $id, state: $state}) { success } }"
    found = client.graphql(query, status=status, id=client.run(run, "id")["id"], state=state)
    return found if status != 200 else found["updateRunState"]["success"]


def given(client, agent):
    """Beat until a run is given; its command."""
    return next(command for _ in range(3) for command in client.beat(agent))


@pytest.fixture
def lost(client):
    """A sweep with a run whose process `first` logged two rows and is gone; the next agent has it."""
    sweep = client.sweep(GRID)
    run = given(client, client.agent(sweep))["run_id"]
    client.http.headers["X-Sweeper-Holder"] = "first"
    client.init(run, sweep=sweep)
    client.log(run, {"loss": 2.0, "_step": 0}, {"loss": 1.0, "_step": 1})
    client.http.headers["X-Sweeper-Holder"] = ""
    assert set_run_state(client, run, "pending")
    return sweep, run


def test_a_requeued_run_is_the_next_one_given_out(client, lost):
    """Its id and parameters are the same, and it comes before anything new."""
    sweep, run = lost
    assert client.run(run, "state")["state"] == "preempted"
    command = given(client, client.agent(sweep))
    assert (command["type"], command["run_id"], command["args"]) == ("resume", run, {"lr": {"value": 0.1}})


def test_a_run_that_starts_anew_has_an_empty_history(client, lost):
    """Without `resume`, the next process begins at line 0, and nothing of the last attempt is left to be repeated."""
    sweep, run = lost
    given(client, client.agent(sweep))
    begun = client.init(run, sweep=sweep)
    assert begun["inserted"]
    assert begun["bucket"]["historyLineCount"] == 0
    client.log(run, {"loss": 3.0, "_step": 0})
    assert client.init(run)["bucket"]["historyLineCount"] == 1  # the SDK's second upsert empties nothing


def test_a_run_that_resumes_goes_on_behind_its_history(client, lost):
    """A process that asked for what there was (wandb.init(resume=...)) keeps it."""
    sweep, run = lost
    given(client, client.agent(sweep))
    query = 'query($r: String!) { model(name: "p") { bucket(name: $r, missingOk: true) { historyLineCount } } }'
    client.graphql(query, r=run)
    assert client.init(run, sweep=sweep)["bucket"]["historyLineCount"] == 2


def test_the_late_words_of_a_lost_process_are_refused(client, lost):
    """What the first process still sends changes nothing, and the SDK is told not to go on; the next one is heard."""
    sweep, run = lost
    given(client, client.agent(sweep))
    client.http.headers["X-Sweeper-Holder"] = "second"
    client.init(run, sweep=sweep)
    client.http.headers["X-Sweeper-Holder"] = "first"
    refusal = client.stream(run, status=400, files={"wandb-history.jsonl": {"offset": 0, "content": ['{"loss": 9}']}})
    assert "given to another one" in refusal["errors"][0]["message"]
    client.stream(run, status=400, complete=True, exitcode=1)
    client.http.headers["X-Sweeper-Holder"] = "second"
    client.log(run, {"loss": 0.5, "_step": 0})
    client.stream(run, complete=True, exitcode=0)
    assert client.run(run, "state historyLineCount") == {"state": "finished", "historyLineCount": 1}


def test_a_run_that_is_given_up_has_failed(client, lost):
    """Its worker says so at once, instead of a minute of silence; its late words are refused too."""
    _, run = lost
    assert set_run_state(client, run, "failed")
    assert client.run(run, "state")["state"] == "failed"


def test_a_sweep_that_ran_out_opens_again_for_a_retry(client):
    """A finished grid gives out its failed run once more, and finishes with it."""
    sweep = client.sweep({**GRID, "parameters": {"lr": {"values": [0.1]}}})
    agent = client.agent(sweep)
    run = given(client, agent)["run_id"]
    client.init(run, sweep=sweep)
    client.stream(run, complete=True, exitcode=1)
    assert client.beat(agent) == [{"type": "exit"}]
    set_run_state(client, run, "pending")
    again = client.agent(sweep)
    assert given(client, again)["run_id"] == run
    client.init(run, sweep=sweep)
    client.stream(run, complete=True, exitcode=0)
    assert client.beat(again) == [{"type": "exit"}]


@pytest.mark.parametrize(("end", "word"), [("CANCELED", "canceled"), ("FINISHED", "sweeper resume")])
def test_a_sweep_that_a_person_ended_stays_so(client, lost, end, word):
    """A retry does not start what somebody stopped."""
    sweep, run = lost
    given(client, client.agent(sweep))
    client.init(run, sweep=sweep)
    client.stream(run, complete=True, exitcode=1)
    sweep_id = client.graphql('query($s: String!) { project(name: "p") { sweep(sweepName: $s) { id } } }', s=sweep)
    query = "mutation($id: ID, $state: String) { upsertSweep(input: {id: $id, state: $state}) { sweep { state } } }"
    client.graphql(query, id=sweep_id["project"]["sweep"]["id"], state=end)
    assert word in set_run_state(client, run, "pending", status=400)


def test_finished_runs_and_other_states_are_refused(client):
    """A finished run is not done twice, a run without a sweep has no queue, and there are two states to ask for."""
    client.init("alone")
    assert "no sweep" in set_run_state(client, "alone", "pending", status=400)
    assert "pending or failed" in set_run_state(client, "alone", "finished", status=400)
    run = given(client, client.agent(client.sweep(GRID)))["run_id"]
    client.init(run)
    client.stream(run, complete=True, exitcode=0)
    assert "has finished" in set_run_state(client, run, "pending", status=400)
