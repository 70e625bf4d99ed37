"""Runs whose agent fell silent: who gives them up, who gets them, and how often."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from sweeper.run import RunState, SweepState
from sweeper.server.rules import run_endings, run_transitions, stop_requests
from sweeper.server.rules.dispatcher import Dispatcher
from sweeper.server.rules.liveness import LivenessPolicy
from sweeper.server.rules.reaper import Reaper

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
    assert table.read(run).reason == "no heartbeat for 61 s, lost 3 times"
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


def test_a_machine_that_was_taken_away_loses_nobodys_patience(table):
    """A run that has said so waits as preempted, whether it then ends or falls silent; the next one has not said it."""
    sweep = table.sweep(GRID)
    for _ in range(4):  # more often than a run may be lost
        run = table.beat(table.agent(sweep)).run
        table.start(run)
        with table.store.write() as db:
            run_transitions.preempting(db, table.read(run))
        table.now += 61
        table.reap()
        found = table.read(run)
        assert (found.state, found.reason, found.losses) == (RunState.PREEMPTED, "preempted", 0)
        assert not found.preempting


def test_a_run_that_its_worker_hands_out_again_is_lost_once(table, lost):
    """A worker of ours that asks for what the server has done already changes nothing but who may come back."""
    _, run, agent = lost
    with table.store.write() as db:
        run_endings.requeue(db, table.read(run), now=table.now)
    again = table.read(run)
    assert (again.state, again.attempt, again.losses) == (RunState.PREEMPTED, 2, 1)
    assert table.beat(agent, run.name).kind == "wait"
    assert table.state(run) is RunState.PREEMPTED


def test_a_server_that_could_not_hear_blames_nobody(table):
    """After a full disk, and after its own machine stood still, agents have a whole time-out to be heard again."""
    run = table.given(table.agent(table.sweep(GRID)))
    table.start(run)
    reaper = Reaper(Dispatcher(table.store, policy=LivenessPolicy(lost_retries=0)))
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


def test_reaper_ends_the_run_of_a_silent_agent(table):
    """A run that may not be lost once more has crashed when neither its agent nor its own stream was heard."""
    run = table.given(table.agent(table.sweep(GRID)))
    table.start(run)
    table.now += 61
    assert table.reap(lost_retries=0) == [run.name]
    assert table.state(run) is RunState.CRASHED
    assert table.read(run).reason == "no heartbeat for 61 s"


def test_reaper_spares_a_run_whose_stream_is_heard(table):
    """An agent thread that hangs is no crash while the run's own stream goes on."""
    run = table.given(table.agent(table.sweep(GRID)))
    table.start(run)
    for _ in range(4):
        table.now += 30
        table.start(run)
        assert table.reap() == []


def test_reaper_waits_after_a_restart(table):
    """After its own restart the server gives agents a full time-out before it judges them."""
    run = table.given(table.agent(table.sweep(GRID)))
    table.start(run)
    table.now += 600
    assert table.reap(hearing_since=table.now - 59) == []
    assert table.reap(hearing_since=table.now - 61) == [run.name]


def test_a_run_without_an_agent_is_given_its_time_after_a_restart_too(table):
    """Five minutes from then on: nobody could be heard before."""
    run = table.given(table.agent(table.sweep(GRID)))
    table.start(run)
    with table.store.write() as db:
        db.execute("UPDATE runs SET agent_id = NULL")
    table.now += 600
    assert table.reap(hearing_since=table.now - 299) == []
    assert table.reap(hearing_since=table.now - 301) == [run.name]


def test_a_clock_that_is_set_back_blames_nobody(table):
    """What was heard has a time that is still to come; from then on everybody has a whole time-out."""
    run = table.given(table.agent(table.sweep(GRID)))
    table.start(run)
    reaper = Reaper(Dispatcher(table.store, policy=LivenessPolicy(lost_retries=0)))
    reaper._hearing_since = reaper._last_round = table.now
    with table.store.write() as db:
        db.execute("UPDATE runs SET heartbeat_at = heartbeat_at - 3600")
        db.execute("UPDATE agents SET heartbeat_at = heartbeat_at - 3600")
    table.now -= 1800
    reaper.round(table.now)
    assert reaper._hearing_since == table.now
    assert table.state(run) is RunState.RUNNING


@pytest.mark.parametrize(("agent_s", "looks"), [(0.2, True), (60.0, False)])
def test_a_short_time_out_is_looked_at_as_often_as_it_needs(table, agent_s, looks):
    """Four times within it, and every five seconds at the most."""
    reaper = Reaper(Dispatcher(table.store, policy=LivenessPolicy(agent_s=agent_s)))
    rounds = []
    reaper.round = rounds.append

    async def work() -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reaper.work(), 1.0)

    asyncio.run(work())
    assert bool(rounds) is looks


def test_reaper_gives_bare_runs_longer(table):
    """A run without an agent is given five minutes."""
    sweep = table.sweep(GRID)
    run = table.given(table.agent(sweep))
    table.start(run)
    with table.store.write() as db:
        db.execute("UPDATE runs SET agent_id = NULL")
    table.now += 299
    assert table.reap() == []
    table.now += 2
    assert table.reap() == [run.name]


@pytest.mark.parametrize("state", [SweepState.CANCELED, SweepState.FINISHED])
def test_a_run_of_an_ended_sweep_whose_agent_dies_before_it_begins_ends_too(table, state):
    """It was listed when the sweep was ended, so it might have begun: now nobody would ever come for it."""
    sweep = table.sweep(GRID)
    agent = table.agent(sweep)
    run = table.given(agent)
    table.beat(agent, run.name)
    table.set_state(sweep, state)
    assert table.state(run) is RunState.PENDING
    table.now += 61
    table.reap()
    assert table.state(run) is RunState.KILLED
    assert table.read(run).reason
