"""The rules: the ladder rung by rung, endings, the reaper, early termination."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from sweeper.run import RunState, SweepState
from sweeper.search import judge, stop_decision
from sweeper.server.errors import NotFoundError, RequestError
from sweeper.server.rules import run_transitions, stop_requests
from sweeper.server.store import runs

GRID = {"method": "grid", "parameters": {"lr": {"values": [0.1, 0.2, 0.3]}}}
RANDOM = {
    "method": "random",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"min": 0.0, "max": 1.0}},
}
HYPERBAND = {**RANDOM, "early_terminate": {"type": "hyperband", "min_iter": 2, "eta": 2}}


def test_first_agent_sets_the_sweep_running(table):
    """A sweep is PENDING until its first agent registers, then RUNNING."""
    sweep = table.sweep(GRID)
    assert table.sweep_state(sweep) is SweepState.PENDING
    table.agent(sweep)
    assert table.sweep_state(sweep) is SweepState.RUNNING


@pytest.mark.parametrize(("seeds", "same"), [((7, 7), True), ((7, 8), False), ((None, None), True)])
def test_seed_of_the_file_decides_what_is_drawn(table, seeds, same):
    """Two sweeps draw the same when their files have the same seed; without one, the stored seed decides."""
    drawn = [
        json.loads(
            table.given(table.agent(table.sweep({**RANDOM, "sweeper": {} if seed is None else {"seed": seed}}))).params
        )
        for seed in seeds
    ]
    assert (drawn[0] == drawn[1]) is same


def test_unknown_agent_is_not_found(table):
    """The heartbeat of an agent nobody registered is refused as not found."""
    with pytest.raises(NotFoundError):
        table.beat("nobody")


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


def test_stopped_sweep_lets_its_runs_finish(table):
    """After `--stop` a live run goes on, and its agent exits when it is done."""
    sweep = table.sweep(RANDOM)
    agent = table.agent(sweep)
    run = table.given(agent)
    table.start(run)
    table.set_state(sweep, SweepState.FINISHED)
    assert table.beat(agent, run.name).kind == "wait"
    table.complete(run)
    assert table.state(run) is RunState.FINISHED
    assert table.beat(agent).kind == "exit"


def test_canceled_sweep_stops_each_run_then_sends_the_agent_home(table):
    """After `--cancel` a live run is stopped and counted as killed, and its agent exits."""
    sweep = table.sweep(RANDOM)
    agent = table.agent(sweep)
    run = table.given(agent)
    table.start(run)
    table.set_state(sweep, SweepState.CANCELED)
    command = table.beat(agent, run.name)
    assert command.kind == "stop"
    assert command.run is not None
    assert command.run.name == run.name
    assert table.beat(agent).kind == "exit"
    assert table.state(run) is RunState.KILLED
    assert table.read(run).reason == "the sweep was canceled"


def test_canceled_sweep_stops_a_run_whose_start_was_under_way(table):
    """A run handed out just before `--cancel` is stopped when its agent lists it."""
    sweep = table.sweep(RANDOM)
    agent = table.agent(sweep)
    run = table.given(agent)
    table.set_state(sweep, SweepState.CANCELED)
    assert table.beat(agent, run.name).kind == "stop"


def test_canceled_sweep_cannot_be_resumed(table):
    """Nothing brings a canceled sweep back."""
    sweep = table.sweep(GRID)
    table.set_state(sweep, SweepState.CANCELED)
    with pytest.raises(RequestError, match="create a new one"):
        table.set_state(sweep, SweepState.RUNNING)


def test_exhausted_grid_sends_the_agent_home_and_finishes(table):
    """After the last point of a grid its agent exits and the sweep is FINISHED."""
    sweep = table.sweep(GRID)
    agent = table.agent(sweep)
    for _ in range(3):
        run = table.given(agent)
        table.start(run)
        table.complete(run)
    assert table.sweep_state(sweep) is SweepState.FINISHED
    assert table.beat(agent).kind == "exit"


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


def test_threads_never_get_the_same_grid_point(table):
    """Eight agents beating at once share a grid of eight without a repeat."""
    sweep = table.sweep({"method": "grid", "parameters": {"lr": {"values": list(range(8))}}})
    agents = [table.agent(sweep) for _ in range(8)]
    found: list[Any] = []

    def beat(agent):
        command = table.dispatcher.heartbeat(agent, set(), now=2000.0)
        found.append(json.loads(command.run.params)["lr"] if command.run else command.kind)

    threads = [threading.Thread(target=beat, args=(agent,)) for agent in agents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(8))


def test_vanished_run_has_crashed(table):
    """A running run that its agent no longer lists has crashed, and the agent gets the next one at once."""
    agent = table.agent(table.sweep(GRID))
    run = table.given(agent)
    table.start(run)
    table.beat(agent, run.name)
    assert table.given(agent).name != run.name
    assert table.state(run) is RunState.CRASHED


def test_trainer_that_ends_before_init_is_said_so(table):
    """A run that was listed but never reported crashed, with the reason that its trainer never came to wandb.init."""
    agent = table.agent(table.sweep(GRID))
    run = table.given(agent)
    table.beat(agent, run.name)
    table.beat(agent)
    assert table.state(run) is RunState.CRASHED
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


def test_crashed_run_that_is_heard_again_runs(table):
    """A run taken for dead is running again as soon as it is heard."""
    run = table.given(table.agent(table.sweep(GRID)))
    table.start(run)
    table.now += 61
    table.reap(lost_retries=0)
    table.start(run)
    assert table.state(run) is RunState.RUNNING
    assert table.read(run).reason == ""


def test_bad_run_is_stopped_with_its_reason(table):
    """Early termination marks a bad run at its rung, the next heartbeat stops it, and the reason stays with it."""
    sweep = table.sweep(HYPERBAND)
    agents = [table.agent(sweep) for _ in range(3)]
    given = [table.given(agent) for agent in agents]
    for run, level in zip(given, (0.1, 0.2, 5.0), strict=True):
        table.start(run)
        table.log(run, level, level)
    told = [table.beat(agent, run.name).kind for agent, run in zip(agents, given, strict=True)]
    assert told == ["wait", "wait", "stop"]
    assert table.beat(agents[2]).kind == "run"
    assert table.state(given[2]) is RunState.KILLED
    assert "rung 2" in table.read(given[2]).reason


def test_resumed_sweep_that_is_complete_finishes_again(table):
    """Resuming a sweep that has given out everything ends with FINISHED once more."""
    sweep = table.sweep({**RANDOM, "run_cap": 1})
    agent = table.agent(sweep)
    run = table.given(agent)
    table.start(run)
    table.complete(run)
    table.set_state(sweep, SweepState.RUNNING)
    assert table.beat(agent).kind == "exit"
    assert table.sweep_state(sweep) is SweepState.FINISHED


RULES = [
    {"early_terminate": {"type": "hyperband", "min_iter": 2, "strict": False}},
    {"early_terminate": {"type": "hyperband", "min_iter": 1}},
    {"sweeper": {"early_terminate": {"type": "asha", "min_iter": 4, "eta": 2}}},
    {"sweeper": {"early_terminate": {"type": "median", "warm_up": 1, "min_runs": 2, "percentile": 50}}},
]
LOGGED = [(5, 1, 6, 3), (2, 9, 7, 8), (4, 4, 4, 4), (1, 2, 3, 9), (9, 8, 7, 6)]


@pytest.mark.parametrize("goal", ["minimize", "maximize"])
@pytest.mark.parametrize("rule", RULES)
def test_values_looked_up_decide_as_whole_histories_do(table, rule, goal):
    """What the database is asked for leads to the same decision as all that the runs have logged."""
    sweep = table.sweep({**RANDOM, "metric": {"name": "loss", "goal": goal}, **rule})
    made = [table.given(table.agent(sweep)) for _ in LOGGED]
    for run, values in zip(made, LOGGED, strict=True):
        table.start(run)
        table.log(run, *values)
    with table.store.read() as db:
        known = runs.for_search(db, sweep)
        expected = [stop_decision(sweep.definition, run, known) for run in known]
        judged = [runs.for_judging(db, sweep, runs.get(db, run.id), since_line=3) for run in made]
        found = [
            judge(sweep.definition, run, runs.others_at(db, sweep, stored.id))
            for run, stored in zip(judged, made, strict=True)
        ]
    assert found == expected
    assert None in found
    assert any(found)
