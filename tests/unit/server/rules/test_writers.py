"""Which process wrote it: names made of what its lines and its config say, and the late words of a lost one."""

from __future__ import annotations

import json

import pytest

from sweeper.server.rules import writers
from sweeper.server.rules.liveness import DEFAULT
from sweeper.server.rules.reaper import reap

GRID = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"lr": {"values": [0.1, 0.2]}}}
BORN = 1_795_000_000.0


def test_lines_and_config_of_one_process_name_the_same_moment():
    """Each line's `_timestamp` less its `_runtime` is when its process began, and so is `startedAt`."""
    (by_config,) = writers.of_config(config("2026-11-23", 5))
    began = float(by_config.removeprefix("born@"))
    (by_lines,) = writers.of_lines(lines(began + 0.25, 1.0, 2.0))
    assert writers.is_among(by_lines, [by_config])
    assert not writers.is_among(*writers.of_lines(lines(began + 60, 1.0)), [by_config])


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"_timestamp": "x", "_runtime": 1}', '{"_timestamp": NaN, "_runtime": 0}']
)
def test_a_line_that_does_not_tell_names_nobody(text):
    """Neither half a line nor a moment that is none makes a name; whoever stores the line says what is wrong."""
    assert writers.of_lines([text]) == set()


def test_a_worker_of_ours_is_told_from_a_stock_process():
    """Our workers' processes name themselves; a name made of a moment is a stock agent's."""
    assert not writers.has_worker("born@1795000000.000 born@1795000001.000")
    assert writers.has_worker("born@1795000000.000 gpu0-3")


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
        reap(db, DEFAULT, now=1000, hearing_since=0)
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


def lose(client):
    """Take every live run from its agent, as after a long silence."""
    with client.http.app.state.store.write() as db:
        db.execute("UPDATE runs SET heartbeat_at = 0")
        reap(db, DEFAULT, now=1000, hearing_since=0)


UNNAMED = [
    {},
    {"files": {"output.log": {"offset": 1, "content": ["late"]}}},
    {"complete": True, "exitcode": 0},
    {"complete": True, "exitcode": 1},
    {"preempting": True},
]


@pytest.mark.parametrize("late", UNNAMED, ids=str)
@pytest.mark.parametrize("how", ["lost", "handed out again"])
def test_words_that_name_nobody_do_not_begin_the_next_attempt(client, late, how):
    """Given to another agent that has not begun, a run's last process sets nothing going: its rows stay its own."""
    sweep = client.sweep(GRID)
    (command,) = client.beat(client.agent(sweep))
    run = command["run_id"]
    client.init(run, sweep=sweep)
    stream(client, run, lines(BORN, 3.0, 2.0))
    if how == "lost":
        lose(client)
    else:  # a person asks for it: nobody else may have it back
        client.stream(run, complete=True, exitcode=1)
        client.set_run_state(run, "pending")
        client.stream(run, status=400, **late)
        assert client.run(run, "state") == {"state": "preempted"}
    (command,) = client.beat(client.agent(sweep))
    assert (command["type"], command["run_id"]) == ("resume", run)
    said = client.stream(run, status=400, **late)["errors"][0]["message"]
    assert "waits for another one to begin" in said
    assert client.run(run, "state") == {"state": "pending"}
    client.begin(run)
    stream(client, run, lines(BORN + 100, 0.5))
    assert client.run(run, "state historyLineCount") == {"state": "running", "historyLineCount": 1}
    client.stream(run, status=200)


def test_a_lost_process_that_names_nobody_is_heard_until_another_has_its_run(client):
    """A machine that was away for a while says with its first empty request that it is back."""
    sweep = client.sweep(GRID)
    (command,) = client.beat(client.agent(sweep))
    run = command["run_id"]
    client.init(run, sweep=sweep)
    stream(client, run, lines(BORN, 3.0))
    lose(client)
    client.stream(run)
    assert client.run(run, "state historyLineCount") == {"state": "running", "historyLineCount": 1}


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
        reap(db, DEFAULT, now=1000, hearing_since=0)
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
        reap(db, DEFAULT, now=1000, hearing_since=0)
    stream(client, run, lines(BORN, 2.0, runtime=70), offset=1)
    assert client.run(run, "state historyLineCount") == {"state": "running", "historyLineCount": 2}
    assert client.beat(client.agent(sweep))[0]["run_id"] != run
    assert client.beat(agent, run) == []
