"""An agent that asks beside its function gets its next run when its last one ends; nothing is lost if it is gone."""

from __future__ import annotations

import pytest

from sweeper.run import RunState, SweepState
from sweeper.server.rules import early_handout, own_scheduler, run_transitions, stop_requests
from sweeper.server.store import sweeps

GRID = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"x": {"values": [1, 2, 3]}}}


def eager(table, sweep):
    """Register an agent that asks at once, and give it a run that has started."""
    agent = table.agent(sweep)
    command = table.dispatcher.heartbeat(agent, set(), now=table.now)
    table.beat(agent, command.run.name)
    table.start(command.run)
    return agent, command.run


def take_back(table, after_s: float) -> list[str]:
    """Let time pass and take back what was dropped."""
    table.now += after_s
    with table.store.write() as db:
        return [run.name for run in early_handout.take_back(db, now=table.now)]


def test_next_run_comes_when_the_listed_one_has_ended(table):
    """The agent still lists its run, whose end has been reported: that is time enough for the next one."""
    agent, run = eager(table, table.sweep(GRID))
    table.complete(run)
    command = table.beat(agent, run.name)
    assert (command.kind, table.state(command.run)) == ("run", RunState.PENDING)
    assert table.beat(agent, run.name, command.run.name).kind == "wait"


def test_a_heartbeat_waits_for_no_run_beside_one_that_has_not_begun(table):
    """After Ctrl-C its agent would wait in vain for the end of one that never reports it."""
    agent, run = eager(table, table.sweep(GRID))
    table.complete(run)
    other = table.beat(agent, run.name).run
    with table.store.read() as db:
        found = sweeps.find_agent(db, agent)
        assert early_handout.watchable(db, found, {other.name}) == ()
    table.start(other)
    with table.store.read() as db:
        assert early_handout.watchable(db, found, {other.name}) == (other.id,)
        assert early_handout.watchable(db, found, {other.name, "unheard"}) == ()


def test_agent_in_a_shell_waits_for_its_process(table):
    """`wandb agent` asks 5 s after it registered; its run's process still holds the GPU when it reports its end."""
    agent = table.agent(table.sweep(GRID))
    run = table.given(agent)
    table.start(run)
    table.complete(run)
    command = table.beat(agent, run.name)
    assert (command.kind, command.watch) == ("wait", ())


def test_a_workers_agent_gets_one_run(table):
    """A worker of ours takes one run: another would be dropped."""
    agent = table.agent(table.sweep(GRID))
    run = table.dispatcher.heartbeat(agent, set(), now=table.now, early=False).run
    table.start(run)
    table.complete(run)
    assert table.beat(agent, run.name).kind == "wait"


@pytest.mark.parametrize("exit_code", [1, 255])
def test_failed_run_brings_no_other_at_once(table, exit_code):
    """Ctrl-C on an agent looks like a failure of its run."""
    agent, run = eager(table, table.sweep(GRID))
    table.complete(run, exit_code)
    assert table.beat(agent, run.name).kind == "wait"
    assert table.beat(agent).kind == "run"


def test_stopped_run_brings_another_at_once(table):
    """An agent goes on after a stop of ours, although its run ends with exit code 1."""
    agent, run = eager(table, table.sweep(GRID))
    with table.store.write() as db:
        stop_requests.request(db, run.id, "no good", now=table.now)
    assert table.beat(agent, run.name).kind == "stop"
    table.complete(run, 1)
    assert table.beat(agent, run.name).kind == "run"


def test_function_at_work_is_not_broken_off_by_an_exit(table):
    """The run has reported its end, the function may still be busy: the exit comes when it is not listed any more."""
    sweep = table.sweep(GRID)
    agent, run = eager(table, sweep)
    table.set_state(sweep, SweepState.FINISHED)
    table.complete(run)
    assert table.beat(agent, run.name).kind == "wait"
    assert table.beat(agent).kind == "exit"


def test_paused_sweep_gives_nothing_early(table):
    """A pause holds for an agent whose run has just ended, too."""
    sweep = table.sweep(GRID)
    agent, run = eager(table, sweep)
    table.complete(run)
    table.set_state(sweep, SweepState.PAUSED)
    assert table.beat(agent, run.name).kind == "wait"


def test_dropped_run_vanishes_and_its_configuration_is_free(table):
    """An agent at its `count` exits with the command in its queue: after 15 s the grid is as it was before."""
    sweep = table.sweep(GRID)
    agent, run = eager(table, sweep)
    table.complete(run)
    dropped = table.beat(agent, run.name).run
    assert take_back(table, 14) == []
    assert take_back(table, 2) == [dropped.name]
    assert [stored.name for stored in table.runs(sweep)] == [run.name]
    other = table.agent(sweep)
    assert table.given(other).params == dropped.params


@pytest.mark.parametrize("sign", ["listed", "started"])
def test_run_that_was_taken_up_stays(table, sign):
    """A run that the agent lists, or whose process has reported, is not taken back."""
    sweep = table.sweep(GRID)
    agent, run = eager(table, sweep)
    table.complete(run)
    second = table.beat(agent, run.name).run
    if sign == "listed":
        table.beat(agent, second.name)
    else:
        table.start(second)
    assert take_back(table, 100) == []
    assert len(table.runs(sweep)) == 2


def test_dropped_run_that_a_scheduler_proposed_goes_back_to_the_queue(table):
    """Its scheduler waits for it, and sees it all the time: it is no offer of ours."""
    sweep = table.sweep({**GRID, "method": "custom", "scheduler": {"engine": "optuna"}})
    with table.store.write() as db:
        first, second = (
            own_scheduler.add(db, sweep, {"x": {"value": x}}, display_name=None, now=table.now) for x in (1, 2)
        )
    agent, run = eager(table, sweep)
    assert run.name == first.name
    table.complete(run)
    assert table.beat(agent, run.name).run.name == second.name
    assert not table.read(second).offered
    assert take_back(table, 16) == [second.name]
    assert table.given(table.agent(sweep)).name == second.name


def test_dropped_run_with_a_past_goes_back_to_the_queue(table):
    """A preempted run is not forgotten because an agent dropped it: the next one gets it."""
    sweep = table.sweep(GRID)
    agent, run = eager(table, sweep)
    other, preempted = eager(table, sweep)
    with table.store.write() as db:
        run_transitions.preempting(db, table.read(preempted))
    table.complete(preempted, 1)
    table.complete(run)
    command = table.beat(agent, run.name)
    assert (command.kind, command.run.id) == ("resume", preempted.id)
    assert take_back(table, 16) == [preempted.name]
    command = table.beat(other)
    assert (command.kind, command.run.id) == ("resume", preempted.id)
