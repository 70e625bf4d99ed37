"""In which order a run and its agent hear that it is to stop."""

from __future__ import annotations

import pytest

from sweeper.run import RunState
from sweeper.server.rules import stop_requests

GRID = {
    "method": "grid",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"values": [0.1, 0.2, 0.3]}},
}
SCRIPT = {**GRID, "program": "train.py"}


def started(table, definition):
    """A run of a sweep that its agent has listed and whose process has reported."""
    agent = table.agent(table.sweep(definition))
    run = table.given(agent)
    table.start(run)
    table.beat(agent, run.name)
    return agent, run


def ask_to_stop(table, run):
    with table.store.write() as db:
        stop_requests.ask(db, table.read(run), "stopped by anna", now=table.now)


@pytest.mark.parametrize("program", [{}, {"program": "toy:train"}])
def test_a_function_agent_is_told_at_once(table, program):
    """Without a script the heartbeat is the only way: the next one says stop."""
    agent, run = started(table, {**GRID, **program})
    ask_to_stop(table, run)
    assert table.beat(agent, run.name).kind == "stop"


def test_a_function_agent_is_told_at_once_whatever_the_file_says(table):
    """It gives itself away by asking as soon as it has registered: the script that the file names is not at work."""
    agent = table.agent(table.sweep(SCRIPT))
    run = table.dispatcher.heartbeat(agent, set(), now=table.now).run
    table.start(run)
    table.beat(agent, run.name)
    ask_to_stop(table, run)
    assert table.beat(agent, run.name).kind == "stop"


def test_the_agent_of_a_script_is_told_when_the_script_had_its_time(table):
    """A script hears of it first; its agent, which would send a signal, only if the script goes on."""
    agent, run = started(table, SCRIPT)
    ask_to_stop(table, run)
    asked = table.now
    while table.beat(agent, run.name).kind == "wait":
        assert table.now < asked + 60
    assert table.now - asked >= stop_requests.REPORT_S + stop_requests.GRACE_S


def test_a_script_that_has_heard_has_less_time(table):
    """From the answer that told it on, a script has 20 s: the SDK looks every 15 s."""
    agent, run = started(table, SCRIPT)
    ask_to_stop(table, run)
    with table.store.write() as db:
        assert stop_requests.is_news(table.read(run), now=table.now)
        stop_requests.tell(db, table.read(run), now=table.now)
    assert not stop_requests.is_news(table.read(run), now=table.now)
    told = table.now
    while table.beat(agent, run.name).kind == "wait":
        assert table.now < told + 60
    assert stop_requests.GRACE_S <= table.now - told < stop_requests.REPORT_S + stop_requests.GRACE_S


def test_our_own_worker_is_told_at_once(table):
    """A process that a worker watches is stopped by its agent, script or not."""
    agent, run = started(table, SCRIPT)
    with table.store.write() as db:
        db.execute("UPDATE runs SET holder = 'w1'")
    ask_to_stop(table, run)
    assert table.beat(agent, run.name).kind == "stop"


def test_a_stopped_run_that_waits_is_not_handed_out(table):
    """A run that no agent has taken up ends at once; the next agent gets another."""
    sweep = table.sweep(GRID)
    run = table.given(table.agent(sweep))
    ask_to_stop(table, run)
    assert (table.state(run), table.read(run).reason) == (RunState.KILLED, "stopped by anna")
    assert table.given(table.agent(sweep)).name != run.name


def test_a_stop_of_an_ended_run_changes_nothing(table):
    """A finished run stays finished."""
    _, run = started(table, GRID)
    table.complete(run)
    ask_to_stop(table, run)
    assert (table.state(run), table.read(run).reason) == (RunState.FINISHED, "")


def test_the_first_reason_stays(table):
    """A run that early termination stopped is not one that a person stopped, whoever asks later."""
    _, run = started(table, GRID)
    with table.store.write() as db:
        stop_requests.request(db, run.id, "rung 2", now=table.now)
    ask_to_stop(table, run)
    assert table.read(run).reason == "rung 2"


def test_a_run_that_is_stopped_on_its_way_is_ended_by_its_agent(table):
    """Its command was under way when a person stopped it: whoever comes with it is told at once."""
    sweep = table.sweep(GRID)
    agent = table.agent(sweep)
    run = table.given(agent)
    ask_to_stop(table, run)
    assert table.state(run) is RunState.KILLED
    command = table.beat(agent, run.name)
    assert (command.kind, command.run.name) == ("stop", run.name)


def test_a_run_that_its_agent_has_taken_up_is_told_and_not_ended(table):
    """It may begin any moment: its agent hears of the stop, and ends it."""
    sweep = table.sweep(GRID)
    agent = table.agent(sweep)
    run = table.given(agent)
    table.beat(agent, run.name)
    ask_to_stop(table, run)
    assert table.state(run) is RunState.PENDING
    assert table.beat(agent, run.name).kind == "stop"
