"""How a run begins, goes on and begins anew, and whose words about it count."""

from __future__ import annotations

import pytest

from sweeper.run import RunState

GRID = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"lr": {"values": [0.1, 0.2]}}}


def test_crashed_run_that_is_heard_again_runs(table):
    """A run taken for dead is running again as soon as it is heard."""
    run = table.given(table.agent(table.sweep(GRID)))
    table.start(run)
    table.now += 61
    table.reap(lost_retries=0)
    table.start(run)
    assert table.state(run) is RunState.RUNNING
    assert table.read(run).reason == ""


def test_resumed_run_is_running_again(client):
    """A finished run that logs more is running until it completes again."""
    client.init("r")
    client.log("r", {"loss": 1.0})
    client.stream("r", complete=True, exitcode=1)
    client.log("r", {"loss": 0.5}, offset=1)
    assert client.run("r", "state exitcode") == {"state": "running", "exitcode": None}


@pytest.mark.parametrize(
    "late",
    [{}, {"files": {"wandb-history.jsonl": {"offset": 0, "content": ['{"loss": 1.0}', '{"loss": 2.0}']}}}],
    ids=["a sign of life", "its rows"],
)
def test_a_request_delivered_once_more_after_the_end_changes_nothing(client, late):
    """A server that stood still, or a proxy, may bring it after the last one: the run has finished all the same."""
    client.init("r")
    client.log("r", {"loss": 1.0}, {"loss": 2.0})
    client.stream("r", complete=True, exitcode=0)
    client.stream("r", **late)
    assert client.run("r", "state exitcode historyLineCount") == {
        "state": "finished",
        "exitcode": 0,
        "historyLineCount": 2,
    }


def test_a_run_that_was_taken_for_dead_is_heard_with_a_sign_of_life(client):
    """It never said that it ended: an empty request tells that it goes on."""
    client.init("r")
    client.log("r", {"loss": 1.0})
    with client.http.app.state.store.write() as db:
        db.execute("UPDATE runs SET state = 'crashed', ended_at = 1")
    client.stream("r")
    assert client.run("r", "state") == {"state": "running"}


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
    assert client.set_run_state(run, "pending")
    return sweep, run


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


def test_an_ended_runs_id_used_again_overwrites_it(client):
    """A new process that does not resume starts at nothing; one that goes on, or says more later, keeps all."""
    client.begin("r")
    client.log("r", {"_step": 0, "loss": 1}, {"_step": 1, "loss": 2})
    client.stream("r", complete=True, exitcode=0)
    assert client.init("r")["bucket"]["historyLineCount"] == 2  # late words of the ended process
    id_ = client.run("r", "id")["id"]
    resumed = client.begin("r", id=id_)
    assert (resumed["inserted"], resumed["bucket"]["historyLineCount"]) == (False, 2)
    client.stream("r", complete=True, exitcode=0)
    again = client.begin("r")
    assert again == {"inserted": True, "bucket": {"id": id_, "state": "running", "historyLineCount": 0}}
    assert client.run("r", "summaryMetrics historyKeys") == {"summaryMetrics": "{}", "historyKeys": None}


def test_a_stopped_run_can_be_resumed(client):
    """The stop was for the process before: the next one runs, and ends as it says."""
    id_ = client.begin("r")["bucket"]["id"]
    client.graphql("mutation($id: ID!) { stopRun(input: {id: $id}) { success } }", id=id_)
    client.stream("r", complete=True, exitcode=1)
    assert client.run("r", "state")["state"] == "killed"
    assert client.begin("r", id=id_)["bucket"]["state"] == "running"
    assert not client.stream("r")["stopped"]
    client.stream("r", complete=True, exitcode=0)
    assert client.run("r", "state")["state"] == "finished"
