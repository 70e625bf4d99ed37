"""How a run begins, goes on and begins anew, and whose words about it count."""

from __future__ import annotations

import math

import pytest

from sweeper.run import RunState
from sweeper.server.rules.liveness import DEFAULT
from sweeper.server.rules.reaper import reap

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


def as_process(client, name):
    """Send what follows as a process of that name."""
    client.http.headers["X-Sweeper-Holder"] = name


def ask_what_there_is(client, run):
    """Ask as `wandb.init(resume=...)` does: the process goes on where the last one was."""
    query = 'query($r: String!) { model(name: "p") { bucket(name: $r, missingOk: true) { historyLineCount } } }'
    client.graphql(query, r=run)
    return client.run(run, "id")["id"]


def rows_kept(client, run):
    """How many rows of a run there are anywhere: lines, places of writers, values, and NaN."""
    with client.http.app.state.store.read() as db:
        (row_id,) = db.execute("SELECT id FROM runs WHERE name = ?", (run,)).fetchone()
        tables = ("lines", "writer_lines", "metric_values", "nonfinite_values")
        counts = [f"SELECT count(*) FROM {name} WHERE run_id = ?" for name in tables]  # noqa: S608 - names of ours
        return [db.execute(count, (row_id,)).fetchone()[0] for count in counts]


def lose(client):
    """Take every live run from its agent, as after a long silence."""
    with client.http.app.state.store.write() as db:
        db.execute("UPDATE runs SET heartbeat_at = 0")
        reap(db, DEFAULT, now=1000, hearing_since=0)


@pytest.mark.parametrize("shared", [False, True], ids=["one process", "shared mode"])
def test_a_run_that_had_resumed_is_lost_and_begins_anew_has_an_empty_history(client, shared):
    """That the process before went on says nothing of the next one: rows, NaN, console, summary and places are gone."""
    sweep = client.sweep(GRID)
    run = given(client, client.agent(sweep))["run_id"]
    as_process(client, "first")
    client.begin(run)
    client.log(run, {"loss": 2.0, "_step": 0})
    lose(client)
    given(client, client.agent(sweep))
    as_process(client, "second")
    assert client.begin(run, id=ask_what_there_is(client, run))["bucket"]["historyLineCount"] == 1
    if shared:
        client.http.headers["X-WANDB-ASYNC-CLIENT-ID"] = "w"
    client.log(run, {"loss": math.nan, "_step": 1}, {"loss": 1.0, "_step": 2}, offset=1)
    client.stream(run, files={"output.log": {"offset": 0, "content": ["said"]}})
    client.http.headers.pop("X-WANDB-ASYNC-CLIENT-ID", None)
    assert rows_kept(client, run) == [4, 3 if shared else 0, 2, 1]
    lose(client)
    given(client, client.agent(sweep))
    as_process(client, "third")
    assert client.begin(run)["bucket"]["historyLineCount"] == 0
    assert rows_kept(client, run) == [0, 0, 0, 0]
    assert client.run(run, "historyKeys") == {"historyKeys": None}
    client.log(run, {"loss": 3.0, "_step": 0})
    assert rows_kept(client, run) == [1, 0, 1, 0]


@pytest.mark.parametrize(("code", "state"), [(0, "finished"), (1, "failed")])
def test_a_late_end_of_a_run_that_was_taken_for_dead_counts(client, code, state):
    """A crash is what we made of its silence; what its process says of its end is known better, and stays."""
    sweep = client.sweep(GRID)
    agent = client.agent(sweep)
    run = given(client, agent)["run_id"]
    client.init(run, sweep=sweep)
    client.beat(agent)
    assert client.run(run, "state") == {"state": "crashed"}
    client.stream(run, complete=True, exitcode=code)
    assert client.run(run, "state exitcode") == {"state": state, "exitcode": code}
    client.stream(run, complete=True, exitcode=1 - code)
    assert client.run(run, "state exitcode") == {"state": state, "exitcode": code}


@pytest.mark.parametrize("change", ["given up", "handed out again", "lost, and handed out again by its worker"])
def test_a_process_whose_run_was_given_up_or_handed_out_again_is_shut_out(client, change):
    """Neither its rows nor its end come through, and its agent does not get the run back."""
    sweep = client.sweep(GRID)
    agent = client.agent(sweep)
    run = given(client, agent)["run_id"]
    as_process(client, "first")
    client.begin(run)
    client.beat(agent, run)
    client.log(run, {"loss": 2.0, "_step": 0})
    as_process(client, "")
    if change == "handed out again":
        client.stream(run, complete=True, exitcode=1)
    elif change != "given up":
        lose(client)
    client.set_run_state(run, "failed" if change == "given up" else "pending")
    before = client.run(run, "state")
    assert before == {"state": "failed" if change == "given up" else "preempted"}
    as_process(client, "first")
    rows = {"files": {"wandb-history.jsonl": {"offset": 1, "content": ['{"loss": 9}']}}}
    for words in (rows, {}, {"complete": True, "exitcode": 0}):
        client.stream(run, status=400, **words)
    assert "taken from this process" in client.begin(run, status=400)
    as_process(client, "")
    client.beat(agent, run)
    assert client.run(run, "state historyLineCount") == {**before, "historyLineCount": 1}


@pytest.mark.parametrize("resumes", [True, False], ids=["resumes", "begins anew"])
def test_a_run_stopped_while_its_next_command_is_on_the_way_stops_when_it_starts(client, resumes):
    """Its process has not heard of it yet: the stop is not one from before, which a resume forgets."""
    sweep = client.sweep(GRID)
    run = given(client, client.agent(sweep))["run_id"]
    client.begin(run)
    client.log(run, {"loss": 2.0, "_step": 0})
    lose(client)
    agent = client.agent(sweep)
    given(client, agent)
    client.graphql("mutation($id: ID!) { stopRun(input: {id: $id}) { success } }", id=client.run(run, "id")["id"])
    assert client.run(run, "state") == {"state": "killed"}
    as_process(client, "second")
    client.begin(run, **({"id": ask_what_there_is(client, run)} if resumes else {}))
    assert client.stream(run)["stopped"]
    assert [command["type"] for command in client.beat(agent, run)] == ["stop"]
    client.stream(run, complete=True, exitcode=0)
    assert client.run(run, "state historyLineCount") == {"state": "killed", "historyLineCount": int(resumes)}
