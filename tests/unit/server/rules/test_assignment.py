"""What an agent is told: the ladder, rung by rung."""

from __future__ import annotations

import json

import pytest

from sweeper.run import RunState, SweepState
from sweeper.server.rules import run_transitions

GRID = {"method": "grid", "parameters": {"lr": {"values": [0.1, 0.2, 0.3]}}}
RANDOM = {
    "method": "random",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"min": 0.0, "max": 1.0}},
}


def test_free_agent_gets_a_pending_run(table):
    """A free agent is given a run that is stored as pending, with its parameters and the config they make."""
    sweep = table.sweep({**GRID, "parameters": {"opt": {"parameters": {"lr": {"values": [0.1]}}}}})
    run = table.given(table.agent(sweep))
    assert run.state is RunState.PENDING
    assert json.loads(run.params) == {"opt.lr": 0.1}
    assert json.loads(run.config) == {"opt": {"value": {"lr": 0.1}}}


def test_lost_answer_is_answered_with_the_same_run(table):
    """A heartbeat whose answer was lost is answered with the same run."""
    agent = table.agent(table.sweep(GRID))
    assert table.given(agent).name == table.given(agent).name


def test_run_that_never_starts_is_given_up(table):
    """A run handed out three times without ever starting has crashed, and the agent gets another one."""
    agent = table.agent(table.sweep(GRID))
    first = table.given(agent)
    assert [table.given(agent).name for _ in range(2)] == [first.name] * 2
    assert table.given(agent).name != first.name
    assert table.state(first) is RunState.CRASHED
    assert "wandb.init" in table.read(first).reason


def test_busy_agent_gets_nothing(table):
    """An agent that lists a run is told nothing."""
    agent = table.agent(table.sweep(GRID))
    run = table.given(agent)
    assert table.beat(agent, run.name).kind == "wait"


def test_agent_still_listing_a_completed_run_is_busy(table):
    """An agent is not given a run while it lists one that has completed: it may be about to exit."""
    agent = table.agent(table.sweep(GRID))
    run = table.given(agent)
    table.start(run)
    table.complete(run)
    assert table.beat(agent, run.name).kind == "wait"
    assert table.given(agent).name != run.name


def test_paused_sweep_gives_nothing_until_resumed(table):
    """A paused sweep gives out no runs; resumed, it goes on."""
    sweep = table.sweep(GRID)
    agent = table.agent(sweep)
    table.set_state(sweep, SweepState.PAUSED)
    assert table.beat(agent).kind == "wait"
    table.set_state(sweep, SweepState.RUNNING)
    assert table.beat(agent).kind == "run"


def test_free_agent_waits_for_another_agents_unstarted_run(table):
    """An agent stays when the sweep is exhausted but another agent's run has not started: it may come back."""
    sweep = table.sweep({**RANDOM, "run_cap": 1})
    taken = table.given(table.agent(sweep))
    other = table.agent(sweep)
    assert table.beat(other).kind == "wait"
    table.now += 61
    table.beat(other)
    table.reap()
    assert table.given(other).name == taken.name


@pytest.mark.parametrize("cap", [1, 2, 5])
def test_run_cap_is_exact(table, cap):
    """A sweep with a run_cap gives out exactly that many runs over all its agents."""
    sweep = table.sweep({**RANDOM, "run_cap": cap})
    agents = [table.agent(sweep) for _ in range(3)]
    for _ in range(cap + 2):
        for agent in agents:
            command = table.beat(agent)
            if command.run is not None:
                table.start(command.run)
                table.complete(command.run)
    assert len(table.runs(sweep)) == cap
    assert table.sweep_state(sweep) is SweepState.FINISHED


def test_preempted_run_goes_to_the_next_free_agent(table):
    """A preempted run is requeued and resumed by the next free agent before anything new."""
    sweep = table.sweep({**RANDOM, "run_cap": 1})
    first, second = table.agent(sweep), table.agent(sweep)
    run = table.given(first)
    table.start(run)
    with table.store.write() as db:
        run_transitions.preempting(db, table.read(run))
    table.complete(run, 1)
    assert table.state(run) is RunState.PREEMPTED
    command = table.beat(second)
    assert command.kind == "resume"
    assert command.run is not None
    assert command.run.name == run.name
    assert table.sweep_state(sweep) is SweepState.RUNNING
