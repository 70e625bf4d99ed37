"""Runs whose agent fell silent: who gets them, how often, and what their last process may still say."""

from __future__ import annotations

import json

import pytest

from sweeper.run import RunState, SweepState
from sweeper.server.rules import run_transitions, stop_requests
from sweeper.server.rules.reaper import Patience, Reaper

GRID = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"lr": {"values": [0.1, 0.2]}}}


@pytest.fixture
def lost(table):
    """A sweep of two, a run in it that was taken from its silent agent, and that agent."""
    sweep = table.sweep(GRID)
    agent = table.agent(sweep)
    run = table.given(agent)
    table.start(run)
    table.now += 61
    assert table.reap() == [run.name]
    return sweep, run, agent


def test_a_lost_run_waits_for_another_agent_and_says_why(table, lost):
    """The next free agent gets it, under its own id, before anything new."""
    sweep, run, _ = lost
    assert table.state(run) is RunState.PREEMPTED
    assert table.read(run).reason == "no heartbeat for 61 s: it waits for another agent"
    command = table.beat(table.agent(sweep))
    assert (command.kind, command.run.name, command.run.params) == ("resume", run.name, run.params)
    assert command.run.attempt == 2


def test_a_run_is_lost_only_so_often(table, lost):
    """Past the budget it has crashed, with a count, and the sweep goes on with the next configuration."""
    sweep, run, _ = lost
    second = table.beat(table.agent(sweep)).run
    table.start(second)
    table.now += 61
    table.reap()
    third = table.beat(table.agent(sweep)).run
    table.start(third)
    table.now += 61
    table.reap()
    assert (third.name, table.state(run)) == (run.name, RunState.CRASHED)
    assert table.read(run).reason == "no heartbeat for 61 s (attempt 3)"
    assert table.given(table.agent(sweep)).name != run.name


def test_an_agent_that_comes_back_first_keeps_its_run(table, lost):
    """A machine that was only away for a while goes on with what it was at: nobody else has it yet."""
    _, run, agent = lost
    assert table.beat(agent, run.name).kind == "wait"
    assert (table.state(run), table.read(run).reason) == (RunState.RUNNING, "")
    assert table.beat(agent).kind == "run"  # the run has vanished from its list, and is no more
    assert table.state(run) is RunState.CRASHED


def test_an_agent_that_comes_back_too_late_is_told_to_stop(table, lost):
    """The run is another agent's by now, so the work on it here is for nothing."""
    sweep, run, agent = lost
    table.beat(table.agent(sweep))
    command = table.beat(agent, run.name)
    assert (command.kind, command.run.name) == ("stop", run.name)
    assert table.beat(agent).kind == "run"


def test_runs_that_may_not_come_back_have_ended(table):
    """A run told to stop was killed, and one of a sweep that a person stopped has crashed."""
    told, stopped = table.sweep(GRID), table.sweep(GRID)
    first, second = table.given(table.agent(told)), table.given(table.agent(stopped))
    table.start(first)
    table.start(second)
    with table.store.write() as db:
        stop_requests.request(db, first.id, "too slow", now=table.now)
    table.set_state(stopped, SweepState.FINISHED)
    table.now += 61
    table.reap()
    assert (table.state(first), table.read(first).reason) == (RunState.KILLED, "too slow")
    assert table.state(second) is RunState.CRASHED


def test_a_run_that_its_worker_hands_out_again_is_lost_once(table, lost):
    """A worker of ours that asks for what the server has done already changes nothing but who may come back."""
    _, run, agent = lost
    with table.store.write() as db:
        run_transitions.requeue(db, table.read(run), now=table.now)
    again = table.read(run)
    assert (again.state, again.attempt, again.losses) == (RunState.PREEMPTED, 2, 1)
    assert table.beat(agent, run.name).kind == "wait"
    assert table.state(run) is RunState.PREEMPTED


def test_a_server_that_could_not_hear_blames_nobody(table):
    """After a full disk, and after its own machine stood still, agents have a whole time-out to be heard again."""
    run = table.given(table.agent(table.sweep(GRID)))
    table.start(run)
    reaper = Reaper(table.scheduler, Patience(agent_s=60, bare_run_s=300, lost_retries=0))
    reaper._hearing_since = reaper._last_round = table.now

    def rounds(seconds):
        for _ in range(seconds // 5):
            table.now += 5
            reaper.round(table.now)
        return table.state(run)

    assert rounds(55) is RunState.RUNNING
    table.store.refusals += 1
    assert rounds(60) is RunState.RUNNING
    table.now += 3600
    assert rounds(60) is RunState.RUNNING
    assert rounds(10) is RunState.CRASHED


BORN = 1_795_000_000.0


def lines(born, *values, runtime=10.0):
    """History as wandb-core writes it, by a process that began at a moment."""
    rows = [
        {"loss": value, "_step": i, "_runtime": runtime + i, "_timestamp": born + runtime + i}
        for i, value in enumerate(values)
    ]
    return [json.dumps(row) for row in rows]


def config(born, second):
    """A config as wandb-core sends it the second time."""
    return json.dumps({"_wandb": {"value": {"e": {"w": {"startedAt": f"{born}T00:00:{second:02}.25Z"}}}}})


def stream(client, run, texts, *, offset=0, status=200, **rest):
    files = {"wandb-history.jsonl": {"offset": offset, "content": texts}}
    return client.stream(run, status=status, files=files, **rest)


@pytest.fixture
def taken(client):
    """A stock agent's run whose process logged two rows, taken from it and given to another agent that has begun."""
    sweep = client.sweep(GRID)
    (command,) = client.beat(client.agent(sweep))
    run = command["run_id"]
    client.init(run, sweep=sweep)
    stream(client, run, lines(BORN, 3.0, 2.0))
    state = client.http.app.state
    with state.store.write() as db:
        db.execute("UPDATE runs SET heartbeat_at = 0")
        run_transitions.reap(db, now=1000, started_at=0, agent_timeout_s=60, bare_timeout_s=300)
    assert client.run(run, "state") == {"state": "preempted"}
    (command,) = client.beat(client.agent(sweep))
    assert (command["type"], command["run_id"]) == ("resume", run)
    client.init(run, sweep=sweep)
    return run


@pytest.mark.parametrize(
    "late",
    [
        {"texts": lines(BORN, 1.0, runtime=70), "offset": 2},
        {"texts": lines(BORN, 1.0, runtime=70), "offset": 2, "complete": True, "exitcode": 0},
        {"texts": lines(BORN + 0.3, 9.0), "complete": True, "exitcode": 1},
    ],
)
def test_late_lines_of_a_stock_process_are_refused(client, taken, late):
    """Its `_timestamp` and `_runtime` say which process it is: neither its rows nor its end reach the new attempt."""
    assert "given to another one" in stream(client, taken, status=400, **late)["errors"][0]["message"]
    stream(client, taken, lines(BORN + 100, 0.5))
    client.stream(taken, complete=True, exitcode=0)
    assert json.loads(client.run(taken, "summaryMetrics")["summaryMetrics"])["_sweeper"]["losses"] == 1
    assert client.run(taken, "state historyLineCount") == {"state": "finished", "historyLineCount": 1}


def test_a_late_end_with_nothing_but_a_summary_is_refused(client, taken):
    """The summary tells too, to a second."""
    text = json.dumps({"loss": 2.0, "_timestamp": BORN + 11, "_runtime": 10})
    files = {"wandb-summary.json": {"offset": 0, "content": [text]}}
    client.stream(taken, status=400, files=files, complete=True, exitcode=1)
    assert client.run(taken, "state") == {"state": "running"}


def test_a_late_config_is_refused(client):
    """What wandb-core sends of its machine says when its process began."""
    sweep = client.sweep(GRID)
    first, second = client.agent(sweep), client.agent(sweep)
    (command,) = client.beat(first)
    run = command["run_id"]
    client.init(run, sweep=sweep)
    client.init(run, sweep=sweep, config=config("2026-11-23", 5))
    with client.http.app.state.store.write() as db:
        db.execute("UPDATE runs SET heartbeat_at = 0")
        run_transitions.reap(db, now=1000, started_at=0, agent_timeout_s=60, bare_timeout_s=300)
    client.beat(second)
    client.init(run, sweep=sweep, config=config("2026-11-23", 59))
    query = """mutation($n: String, $c: JSONString) {
        upsertBucket(input: {name: $n, modelName: "p", config: $c}) { inserted } }"""
    assert "given to another" in client.graphql(query, status=400, n=run, c=config("2026-11-23", 5))
    assert json.loads(client.run(run, "config")["config"]) == json.loads(config("2026-11-23", 59))


def test_a_resuming_process_is_not_taken_for_the_last_one(client, taken):
    """It sends the summary of the one before it, and its history goes on at that one's `_runtime`."""
    with client.http.app.state.store.write() as db:
        db.execute("UPDATE runs SET resuming = 1, state = 'running'")
    text = json.dumps({"loss": 2.0, "_timestamp": BORN + 11, "_runtime": 10})
    client.stream(taken, files={"wandb-summary.json": {"offset": 0, "content": [text]}})
    stream(client, taken, lines(BORN + 61, 1.0, runtime=11), offset=2)


def test_a_lost_process_that_nobody_replaced_is_heard(client):
    """Before another agent has the run, its own process's words bring it back."""
    sweep = client.sweep(GRID)
    agent = client.agent(sweep)
    (command,) = client.beat(agent)
    run = command["run_id"]
    client.init(run, sweep=sweep)
    stream(client, run, lines(BORN, 3.0))
    with client.http.app.state.store.write() as db:
        db.execute("UPDATE runs SET heartbeat_at = 0")
        run_transitions.reap(db, now=1000, started_at=0, agent_timeout_s=60, bare_timeout_s=300)
    stream(client, run, lines(BORN, 2.0, runtime=70), offset=1)
    assert client.run(run, "state historyLineCount") == {"state": "running", "historyLineCount": 2}
    assert client.beat(client.agent(sweep))[0]["run_id"] != run
    assert client.beat(agent, run) == []
