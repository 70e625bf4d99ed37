"""What a person asks of sweeps and runs: what makes sense when, by whose right, and what is noted."""

from __future__ import annotations

import pytest

from sweeper.run import RunState, StopDecision, SweepState
from sweeper.server.errors import NotFoundError, RequestError
from sweeper.server.rules import actions, stop_requests
from sweeper.server.rules.rights import ForbiddenError
from sweeper.server.store import actions as kept
from sweeper.server.store import runs, sweeps, users

GRID = {
    "method": "grid",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"values": [0.1, 0.2, 0.3]}},
}


@pytest.fixture
def people(table):
    """The server's own user, whose the sweeps are, and two others."""
    table.sweep(GRID)
    with table.store.write() as db:
        return {name: users.ensure_user(db, name, f"{name:x<40}", now=0) for name in ("local", "ann", "bob")}


def ask_sweep(table, user, sweep, action, reason=""):
    with table.store.write() as db:
        return actions.act_on_sweep(db, user, sweeps.get(db, sweep.id), action, reason, now=table.now)


def ask_run(table, user, run, action, reason=""):
    with table.store.write() as db:
        return actions.act_on_run(db, user, table.read(run), action, reason, now=table.now)


def said(table, sweep):
    with table.store.read() as db:
        return [(one.name, one.user_name, one.reason, one.run) for one in kept.of_sweep(db, sweep.id)]


def possible(table, sweep):
    with table.store.read() as db:
        return actions.possible_for_sweep(db, sweeps.get(db, sweep.id))


def possible_for(table, run):
    with table.store.read() as db:
        return actions.possible_for_run(db, runs.get(db, run.id))


def begun(table, definition=GRID):
    """A sweep with a run at work; its agent."""
    sweep = table.sweep(definition)
    agent = table.agent(sweep)
    run = table.given(agent)
    table.start(run)
    table.beat(agent, run.name)
    return sweep, agent, run


def handed_out(table, agent):
    """Which run an agent is to go on with."""
    command = table.beat(agent)
    assert command.kind == "resume"
    return command.run.name


POSSIBLE = {
    SweepState.PENDING: ["pause", "stop", "cancel"],
    SweepState.RUNNING: ["pause", "stop", "cancel"],
    SweepState.PAUSED: ["resume", "stop", "cancel"],
    SweepState.FINISHED: ["resume"],
    SweepState.CANCELED: [],
}


@pytest.mark.parametrize("action", actions.SWEEP_ACTIONS)
@pytest.mark.parametrize("state", SweepState)
def test_what_is_offered_is_done_and_the_rest_is_refused(table, people, state, action):
    """A button is there exactly where it does something; the refusal says why."""
    sweep = table.sweep(GRID)
    if state is not SweepState.PENDING:
        table.set_state(sweep, state)
    assert possible(table, sweep) == POSSIBLE[state]
    if action in POSSIBLE[state]:
        assert ask_sweep(table, people["local"], sweep, action).state is not state
        return
    with pytest.raises(RequestError, match=f"cannot {action} sweep {sweep.name}: it ") as refused:
        ask_sweep(table, people["local"], sweep, action)
    assert (refused.value.status, table.sweep_state(sweep), said(table, sweep)) == (409, state, [])


def test_a_sweep_that_has_made_all_its_runs_is_not_resumed(table):
    """It would give out nothing; what it says leads on."""
    sweep = table.sweep({**GRID, "run_cap": 1})
    agent = table.agent(sweep)
    run = table.given(agent)
    table.start(run)
    table.complete(run)
    assert table.sweep_state(sweep) is SweepState.FINISHED
    assert possible(table, sweep) == []


def test_a_stopped_sweep_with_a_run_at_work_can_still_be_canceled(table, people):
    """Stopping lets it end by itself, and a person may have no more time for that."""
    sweep, _, run = begun(table)
    ask_sweep(table, people["local"], sweep, "stop")
    assert (table.state(run), possible(table, sweep)) == (RunState.RUNNING, ["resume", "cancel"])
    ask_sweep(table, people["local"], sweep, "cancel", "  the data\n were\x1b[31m wrong ")
    assert table.read(run).stop_requested
    assert table.read(run).reason == "the sweep was canceled by local: the data were wrong"
    assert said(table, sweep) == [("cancel", "local", "the data were wrong", None), ("stop", "local", "", None)]


def test_what_waits_is_told_who_ended_its_sweep(table, people):
    """The reason of a run that never began leads to the person, too."""
    sweep = table.sweep(GRID)
    run = table.given(table.agent(sweep))
    ask_sweep(table, people["local"], sweep, "stop", "enough")
    assert table.read(run).reason == "the sweep was stopped before it started by local: enough"


def test_only_its_owner_and_the_servers_own_user_change_a_sweep(table, people):
    """Ann's is not bob's; nothing is noted of what he asked."""
    sweep = table.sweep(GRID)
    with table.store.write() as db:
        db.execute("UPDATE sweeps SET user_id = ? WHERE id = ?", (people["ann"].id, sweep.id))
    with pytest.raises(ForbiddenError):
        ask_sweep(table, people["bob"], sweep, "pause")
    assert (table.sweep_state(sweep), said(table, sweep)) == (SweepState.PENDING, [])
    ask_sweep(table, people["ann"], sweep, "pause", "lunch")
    ask_sweep(table, people["local"], sweep, "resume")
    assert said(table, sweep) == [("resume", "local", "", None), ("pause", "ann", "lunch", None)]


def test_only_its_runner_and_the_servers_own_user_act_on_a_run(table, people):
    """Whose sweep it is does not matter: a run is its runner's."""
    sweep, _, run = begun(table)
    with table.store.write() as db:
        runs.update(db, run.id, user_id=people["ann"].id)
        db.execute("UPDATE sweeps SET user_id = ? WHERE id = ?", (people["bob"].id, sweep.id))
    for action in actions.RUN_ACTIONS:
        with pytest.raises(ForbiddenError):
            ask_run(table, people["bob"], run, action)
    assert ask_run(table, people["ann"], run, "stop", "slow").reason == "stopped by ann: slow"


def test_a_run_is_stopped_once_and_then_tried_again(table, people):
    """With its reason; the sweep goes on, and gives it out again."""
    sweep, agent, run = begun(table)
    assert possible_for(table, run) == ["stop"]
    ask_run(table, people["local"], run, "stop", "diverges")
    assert possible_for(table, run) == []
    with pytest.raises(RequestError, match="being stopped already"):
        ask_run(table, people["local"], run, "stop")
    assert table.beat(agent, run.name).kind == "stop"
    table.complete(run, exit_code=255)
    assert (table.state(run), table.read(run).reason) == (RunState.KILLED, "stopped by local: diverges")
    assert possible_for(table, run) == ["retry"]
    ask_run(table, people["local"], run, "retry")
    assert table.state(run) is RunState.PREEMPTED
    assert handed_out(table, agent) == run.name
    assert said(table, sweep) == [("retry", "local", "", run.name), ("stop", "local", "diverges", run.name)]


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (lambda table, run, _: table.complete(run), "only a run that failed or was stopped"),
        (lambda table, run, _: early(table, run), "early termination stopped it"),
        (lambda table, run, sweep: (table.complete(run, 1), table.set_state(sweep, SweepState.FINISHED)), "by hand"),
        (lambda table, run, sweep: (table.complete(run, 1), table.set_state(sweep, SweepState.CANCELED)), "by hand"),
        (lambda table, run, _: (table.complete(run, 1), change(table, run, beyond=1)), "was edited"),
        (lambda table, run, _: (table.complete(run, 1), change(table, run, sweep_id=None)), "no sweep"),
    ],
)
def test_what_would_not_be_given_out_is_not_tried_again(table, people, end, why):
    """Finished, stopped by early termination, of a sweep that a person ended, or asked for no more."""
    sweep, _, run = begun(table)
    end(table, run, sweep)
    assert possible_for(table, run) == []
    with pytest.raises(RequestError, match=why):
        ask_run(table, people["local"], run, "retry")


def early(table, run):
    """Let early termination end a run."""
    with table.store.write() as db:
        stop_requests.request(db, run.id, "worse", StopDecision(run.name, "worse"), now=table.now)
    table.complete(run, 1)


def change(table, run, **columns):
    """Change a run's row."""
    with table.store.write() as db:
        runs.update(db, run.id, **columns)


def test_a_failed_run_of_a_sweep_that_has_made_all_is_tried_again(table, people):
    """The sweep opens for it."""
    sweep, agent, run = begun(table, {**GRID, "run_cap": 1, "parameters": {"lr": {"values": [0.1]}}})
    table.complete(run, exit_code=1)
    assert table.sweep_state(sweep) is SweepState.FINISHED
    assert possible_for(table, run) == ["retry"]
    ask_run(table, people["local"], run, "retry")
    assert table.sweep_state(sweep) is SweepState.RUNNING
    assert handed_out(table, agent) == run.name


def test_what_is_called_otherwise_is_refused(table, people):
    """With what there is."""
    sweep, _, run = begun(table)
    with pytest.raises(NotFoundError, match="pause, resume, stop, cancel"):
        ask_sweep(table, people["local"], sweep, "delete")
    with pytest.raises(NotFoundError, match="stop, retry"):
        ask_run(table, people["local"], run, "delete")


def test_a_reason_is_one_line_of_bounded_length():
    """Whatever was typed: nothing in it moves a terminal or breaks a line."""
    assert actions.cleaned(" a\n\tb \u202e ") == "a b"
    assert len(actions.cleaned("x" * 10_000)) == actions.MAX_REASON
