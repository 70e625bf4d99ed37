"""How runs end, with what reason, and how they come back to the queue instead."""

from __future__ import annotations

import pytest

from sweeper.run import RunState
from sweeper.server.rules import run_endings, stop_requests

GRID = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"lr": {"values": [0.1, 0.2, 0.3]}}}


def test_vanished_run_has_crashed(table):
    """A running run that its agent no longer lists has crashed, and the agent gets the next one at once."""
    agent = table.agent(table.sweep(GRID))
    run = table.given(agent)
    table.start(run)
    table.beat(agent, run.name)
    assert table.given(agent).name != run.name
    assert table.state(run) is RunState.CRASHED


def test_trainer_that_ends_before_init_is_said_so(table):
    """A run that was listed but never reported has failed, its trainer never came to wandb.init; another follows."""
    agent = table.agent(table.sweep(GRID))
    run = table.given(agent)
    table.beat(agent, run.name)
    assert table.given(agent).name != run.name
    assert table.state(run) is RunState.FAILED
    assert table.read(run).reason == "the trainer ended before wandb.init"


@pytest.mark.parametrize(
    ("exit_code", "state", "reason"),
    [
        (0, RunState.FINISHED, ""),
        (1, RunState.FAILED, "exit code 1"),
        (255, RunState.KILLED, "stopped by a person (Ctrl-C)"),
    ],
)
def test_exit_code_decides_the_ending(table, exit_code, state, reason):
    """0 is finished, 255 was Ctrl-C, anything else has failed."""
    run = table.given(table.agent(table.sweep(GRID)))
    table.start(run)
    table.complete(run, exit_code)
    assert (table.state(run), table.read(run).reason) == (state, reason)


@pytest.mark.parametrize("exit_code", [0, 1, 255])
def test_run_told_to_stop_was_killed(table, exit_code):
    """A run that was told to stop was killed, whatever its exit code, and keeps the reason."""
    run = table.given(table.agent(table.sweep(GRID)))
    table.start(run)
    with table.store.write() as db:
        stop_requests.request(db, run.id, "too slow", now=table.now)
    table.complete(run, exit_code)
    assert (table.state(run), table.read(run).reason) == (RunState.KILLED, "too slow")


def test_preempted_run_is_not_failed(client):
    """`preempting` sent before a non-zero exit makes the run preempted; an upsert in between does not undo it."""
    client.init("r")
    client.stream("r", preempting=True)
    assert client.run("r", "state")["state"] == "preempting"
    client.init("r")
    client.stream("r", complete=True, exitcode=1)
    assert client.run("r", "state")["state"] == "preempted"


def test_repeated_end_changes_nothing(client):
    """A last request that is sent again leaves the ending as it was."""
    client.init("r")
    client.stream("r", complete=True, exitcode=1)
    client.stream("r", complete=True, exitcode=0)
    assert client.run("r", "state exitcode") == {"state": "failed", "exitcode": 1}


def test_finished_runs_and_other_states_are_refused(client):
    """A finished run is not done twice, a run without a sweep has no queue, and there are two states to ask for."""
    client.init("alone")
    assert "no sweep" in client.set_run_state("alone", "pending", status=400)
    assert "pending or failed" in client.set_run_state("alone", "finished", status=400)
    run = client.beat(client.agent(client.sweep(GRID)))[0]["run_id"]
    client.init(run)
    client.stream(run, complete=True, exitcode=0)
    assert "has finished" in client.set_run_state(run, "pending", status=400)


def test_a_requeued_run_is_the_next_one_given_out(table):
    """Its id and parameters are the same, it is another attempt, and it comes before anything new."""
    sweep = table.sweep(GRID)
    run = table.given(table.agent(sweep))
    table.start(run)
    with table.store.write() as db:
        run_endings.requeue(db, table.read(run), now=table.now)
    assert table.state(run) is RunState.PREEMPTED
    command = table.beat(table.agent(sweep))
    assert (command.kind, command.run.name, command.run.params) == ("resume", run.name, run.params)
    assert command.run.attempt == 2


@pytest.mark.parametrize(("told", "state"), [(False, RunState.FAILED), (True, RunState.KILLED)])
def test_a_run_that_is_given_up_has_ended(table, told, state):
    """Its worker says so at once, instead of a minute of silence; a run that was told to stop was killed."""
    run = table.given(table.agent(table.sweep(GRID)))
    table.start(run)
    with table.store.write() as db:
        if told:
            stop_requests.request(db, run.id, "too slow", now=table.now)
        run_endings.give_up(db, table.read(run), now=table.now)
    assert table.state(run) is state
    with table.store.write() as db:
        run_endings.give_up(db, table.read(run), now=table.now + 5)
    assert table.read(run).ended_at == table.now


def test_a_worker_says_more_than_an_exit_code_or_a_silence(table):
    """What it saw replaces the reason that the server made up; a run that finished or was killed keeps its own."""
    sweep = table.sweep(GRID)
    failed, silent, well = (table.given(table.agent(sweep)) for _ in range(3))
    for run in (failed, silent, well):
        table.start(run)
    table.complete(failed, 1)
    with table.store.write() as db:
        run_endings.vanished(db, table.read(silent), now=table.now)
    table.complete(well, 0)
    for run, state, reason in (
        (failed, RunState.FAILED, "ValueError: no"),
        (silent, RunState.FAILED, "ValueError: no"),
        (well, RunState.FINISHED, ""),
    ):
        with table.store.write() as db:
            run_endings.give_up(db, table.read(run), now=table.now, reason="ValueError: no")
        assert (table.state(run), table.read(run).reason) == (state, reason)


def test_a_run_whose_process_ended_before_it_began_waits_for_another_agent(table):
    """Only its worker knows that: a person who asks for a run that is being started changes nothing."""
    sweep = table.sweep(GRID)
    run = table.given(table.agent(sweep))
    with table.store.write() as db:
        run_endings.requeue(db, table.read(run), now=table.now)
    assert table.read(run).agent_id is not None
    with table.store.write() as db:
        run_endings.requeue(db, table.read(run), now=table.now, reason="the process was ended by SIGSEGV")
    assert table.state(run) is RunState.PENDING
    assert table.given(table.agent(sweep)).name == run.name
