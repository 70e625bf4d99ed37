"""What an agent is told: the ladder, rung by rung."""

from __future__ import annotations

import json

import pytest

from sweeper.run import RunState, SweepState
from sweeper.server.rules import run_transitions
from sweeper.server.store import deleted_runs, run_digests, run_filters, runs

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
    """A run handed out three times without ever starting has failed, and the agent gets another one."""
    agent = table.agent(table.sweep(GRID))
    first = table.given(agent)
    assert [table.given(agent).name for _ in range(2)] == [first.name] * 2
    assert table.given(agent).name != first.name
    assert table.state(first) is RunState.FAILED
    assert table.read(first).reason == "the trainer ended before wandb.init (handed out 3 times)"


@pytest.mark.parametrize(
    ("after_s", "since", "state"),
    [
        (5.0, 0.0, RunState.FAILED),  # an agent that got its answer has slept
        (2.0, 0.0, RunState.PENDING),  # the SDK asks again at once when the connection broke
        (21.0, 0.0, RunState.PENDING),  # and so late when it waited for the answer in vain
        (5.0, 1006.0, RunState.PENDING),  # the server died between its decision and the answer
    ],
)
def test_answer_that_surely_arrived_is_not_sent_again(table, after_s, since, state):
    """An agent that has slept since its answer and lists no run had a trainer that ended at once."""
    table.dispatcher.hearing_since = since
    agent = table.agent(table.sweep(GRID))
    first = table.given(agent)
    command = table.dispatcher.heartbeat(agent, set(), now=table.now + after_s)
    assert table.state(first) is state
    assert (command.run.name != first.name) is (state is RunState.FAILED)
    assert table.read(first).reason == ("the trainer ended before wandb.init" if state is RunState.FAILED else "")


def test_a_heartbeat_delivered_once_more_costs_no_run(table):
    """Its second answer, a run that the agent never hears of, waits until the agent has ended the first one's."""
    table.dispatcher.hearing_since = 0.0
    sweep = table.sweep(GRID)
    agent = table.agent(sweep)
    run = table.given(agent)
    table.start(run)
    astray = table.given(agent)  # the very same words, which a proxy or a server that stood still brings so late
    assert table.state(run) is RunState.CRASHED
    table.beat(agent, run.name)
    assert [table.state(found) for found in (run, astray)] == [RunState.RUNNING, RunState.PENDING]
    table.complete(run)
    assert table.given(agent).name == astray.name


def test_two_answers_lost_in_a_row_cost_no_run(table):
    """The SDK asks again after 2 s, and then after 5 s, as if it had slept: the same run is sent a third time."""
    table.dispatcher.hearing_since = 0.0
    agent = table.agent(table.sweep(GRID))
    first = table.given(agent)
    for pause_s in (2.0, 5.0):
        table.now += pause_s
        assert table.dispatcher.heartbeat(agent, set(), now=table.now).run.name == first.name
    table.beat(agent, first.name)
    assert table.state(first) is RunState.PENDING


def test_grid_whose_trainers_end_early_comes_to_its_end(table):
    """Each configuration is tried once, the agent is sent home, and the sweep has finished."""
    table.dispatcher.hearing_since = 0.0
    sweep = table.sweep(GRID)
    agent = table.agent(sweep)
    for _ in range(3):
        table.given(agent)
    assert table.beat(agent).kind == "exit"
    assert table.sweep_state(sweep) is SweepState.FINISHED
    assert {run.state for run in table.runs(sweep)} == {RunState.FAILED}


def shown(table, sweep):
    """The runs of a sweep that people and the SDK see."""
    with table.store.read() as db:
        found = [candidate.stored for candidate in run_filters.find(db, sweep.project_id, None, None, sweep)]
        assert len(found) == len(run_digests.all_of(db, sweep)) == runs.counts(db).get(sweep.id, 0)
        assert found == runs.where(db, "project_id = ? AND NOT offered", (sweep.project_id,))
    return found


@pytest.mark.parametrize("sign", ["listed", "started", "ended early"])
def test_run_is_seen_once_its_agent_has_taken_it_up(table, sign):
    """What an agent was only offered is nobody's run yet; what it lists, starts or fails to start is."""
    table.dispatcher.hearing_since = 0.0
    sweep = table.sweep(GRID)
    agent = table.agent(sweep)
    run = table.given(agent)
    assert shown(table, sweep) == []
    if sign == "started":
        table.start(run)
    else:
        table.beat(agent, *([run.name] if sign == "listed" else []))
    assert [found.name for found in shown(table, sweep)] == [run.name]


def test_runs_are_numbered_as_they_are_taken_up(table):
    """What an agent drops leaves no gap in the names, and no name is there twice."""
    sweep = table.sweep(GRID)
    gone, agent = table.agent(sweep), table.agent(sweep)
    dropped, first = table.given(gone), table.given(agent)
    table.start(first)
    table.complete(first)
    with table.store.write() as db:
        deleted_runs.remove(db, dropped.id)
    table.start(table.given(agent))
    assert [run.display_name for run in shown(table, sweep)] == ["run-1", "run-2"]


def test_offer_to_an_agent_that_was_killed_waits_unseen_for_the_next(table):
    """It is nobody's run until another agent takes it up, under the same id."""
    sweep = table.sweep(GRID)
    run = table.given(table.agent(sweep))
    table.now += 61
    table.reap()
    assert shown(table, sweep) == []
    assert table.given(table.agent(sweep)).name == run.name


@pytest.mark.parametrize("state", [SweepState.FINISHED, SweepState.CANCELED])
def test_offer_of_a_sweep_that_is_ended_leaves_no_trace(table, state):
    """Whether its agent is gone before or after: no killed run that nobody knows, and its configuration is free."""
    sweep = table.sweep(GRID)
    table.given(table.agent(sweep))
    table.now += 61
    table.reap()
    offered = table.given(table.agent(sweep))
    table.set_state(sweep, state)
    assert shown(table, sweep) == []
    table.now += 61
    table.reap()
    assert table.runs(sweep) == []
    assert offered.offered


@pytest.mark.parametrize("state", [SweepState.FINISHED, SweepState.CANCELED])
def test_offer_that_nobody_has_is_gone_at_once_with_its_sweep(table, state):
    """Its agent was killed before the sweep was ended, so nobody can come for it any more."""
    sweep = table.sweep(GRID)
    table.given(table.agent(sweep))
    table.now += 61
    table.reap()
    table.set_state(sweep, state)
    assert table.runs(sweep) == []


def test_last_configuration_that_is_only_offered_is_not_lost(table):
    """An agent that finds the last one offered to another waits: should that one be gone, it gets it."""
    sweep = table.sweep({**GRID, "parameters": {"lr": {"values": [0.1]}}})
    gone, agent = table.agent(sweep), table.agent(sweep)
    offered = table.given(gone)
    assert table.beat(agent).kind == "wait"
    with table.store.write() as db:
        deleted_runs.remove(db, offered.id)
    assert table.given(agent).params == offered.params


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
