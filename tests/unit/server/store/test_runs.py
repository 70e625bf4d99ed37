"""Runs as rows: how they are numbered, found, counted and proposed."""

from __future__ import annotations

import json

import pytest

from sweeper.run import RunState, StopDecision, may_lead
from sweeper.server.errors import RequestError
from sweeper.server.store import runs, sweeps


def test_a_run_is_numbered_within_its_sweep_or_among_the_loose_ones(make_run, make_sweep):
    """The name that pages show counts from 1 in each."""
    sweep = make_sweep()
    made = [make_run("a"), make_run("b", sweep_id=sweep.id), make_run("c"), make_run("d", sweep_id=sweep.id)]
    assert [run.display_name for run in made] == ["run-1", "run-1", "run-2", "run-2"]


def test_a_run_that_is_only_offered_takes_no_number(make_run, make_sweep):
    """Nobody may ever see it: the next one that is shown has its number."""
    sweep = make_sweep()
    offered = make_run("a", RunState.PENDING, sweep_id=sweep.id, offered=1)
    shown = [make_run(name, sweep_id=sweep.id) for name in ("b", "c")]
    assert [run.display_name for run in (offered, *shown)] == ["run-1", "run-1", "run-2"]


def test_a_run_has_begun_unless_it_waits(db, make_run):
    """Only a pending run has no start; a run is found by the id its client gave it."""
    waiting, begun = make_run("a", RunState.PENDING), make_run("b")
    assert (waiting.started_at, waiting.live, begun.started_at, begun.live) == (None, False, 100, True)
    assert runs.find(db, begun.project_id, "b") == runs.get(db, begun.id) == begun
    assert runs.find(db, begun.project_id, "c") is None


@pytest.mark.parametrize("name", ["a/b", "..", "", "x" * 200])
def test_an_id_that_is_no_folder_is_refused(make_run, name):
    """Its files lie in a folder of that name."""
    with pytest.raises(RequestError):
        make_run(name)


def test_a_duration_goes_to_the_end_or_the_last_sign_of_life(db, make_run):
    """A crashed run has trained until it was last heard."""
    run = make_run("a")
    assert runs.update(db, run.id, heartbeat_at=130).duration_s == 30
    assert runs.update(db, run.id, ended_at=120).duration_s == 20
    assert make_run("b", RunState.PENDING).duration_s is None


def test_runs_are_counted_by_state(db, make_run, make_sweep):
    """All of a sweep's, or those in some states."""
    sweep = make_sweep()
    for name, state in (("a", RunState.RUNNING), ("b", RunState.FINISHED), ("c", RunState.CRASHED)):
        make_run(name, state, sweep_id=sweep.id)
    make_run("loose")
    counted = [runs.count(db, sweep.id, states) for states in ((), runs.UNFINISHED, runs.ENDED)]
    assert counted == [3, 1, 2]


def test_the_states_are_parted_as_the_states_themselves_say():
    """The words in queries are those of RunState."""
    assert set(runs.ENDED) == {state for state in RunState if state.ended}
    assert {*runs.ENDED, *runs.UNFINISHED} == set(RunState)


def test_the_runs_that_may_lead_are_those_of_the_rule(db, make_run):
    """The condition in queries holds for the same runs as `sweeper.run.may_lead`."""
    for state in RunState:
        for stop in ("", "{}"):
            runs.update(db, make_run(f"{state}{stop}", state).id, stop=stop)
    leading = {name for (name,) in db.execute(f"SELECT name FROM runs r WHERE {runs.MAY_LEAD}")}  # noqa: S608
    ruled = {f"{s}{stop}" for s in RunState for stop in ("", "{}") if may_lead(s, stopped_early=bool(stop))}
    assert leading == ruled


def test_the_oldest_run_that_waits_is_handed_out_first(db, make_run, make_sweep):
    """Pending or preempted, and nobody's; what an agent holds does not wait."""
    sweep = make_sweep()
    agent = sweeps.add_agent(db, sweep.id, "host", now=0)
    assert runs.waiting(db, sweep.id) is None
    make_run("held", RunState.PENDING, sweep_id=sweep.id, agent_id=agent.id)
    make_run("ended", RunState.FINISHED, sweep_id=sweep.id)
    first = make_run("first", RunState.PREEMPTED, sweep_id=sweep.id)
    make_run("second", RunState.PENDING, sweep_id=sweep.id)
    assert runs.waiting(db, sweep.id) == first


def test_an_agents_runs_are_those_it_may_still_be_at(db, make_run, make_sweep):
    """What it ended well or badly it has let go of; what crashed it may come back with."""
    sweep = make_sweep()
    agent = sweeps.add_agent(db, sweep.id, "host", now=0)
    for name, state in (("a", RunState.RUNNING), ("b", RunState.FINISHED), ("c", RunState.CRASHED)):
        make_run(name, state, sweep_id=sweep.id, agent_id=agent.id)
    make_run("lost", RunState.PENDING, sweep_id=sweep.id, lost_agent_id=agent.id)
    assert [run.name for run in runs.of_agent(db, agent.id)] == ["a", "c"]
    assert [run.name for run in runs.at_hand(db, agent.id)] == ["a", "c", "lost"]


def test_a_sweep_sees_its_own_runs_and_those_attached(db, make_run, make_sweep):
    """Attached ones stay where they are."""
    sweep = make_sweep()
    loose, own, _ = make_run("loose"), make_run("own", sweep_id=sweep.id), make_run("other")
    db.execute("INSERT INTO prior_runs VALUES (?, ?)", (sweep.id, loose.id))
    assert runs.seen_by(db, sweep.id) == [loose, own]
    assert (runs.of_sweep(db, sweep.id), runs.attached_to(db, sweep.id)) == ([own], [loose])


def test_a_proposed_run_carries_the_config_its_agent_gets(db, make_sweep):
    """Parameters are nested as the trainer reads them, the template names it, and its origin is told."""
    sweep = make_sweep(
        parameters={"opt": {"parameters": {"lr": {"min": 0.0, "max": 1.0}}}}, sweeper={"run_name": "{number}-{opt.lr}"}
    )
    run = runs.propose(db, sweep, {"opt.lr": 0.5}, now=1, origin={"engine": "random"})
    assert (run.state, run.display_name, run.user_id) == (RunState.PENDING, "1-0.5", sweep.user_id)
    assert json.loads(run.config) == {"opt": {"value": {"lr": 0.5}}}
    assert (json.loads(run.params), json.loads(run.origin)) == ({"opt.lr": 0.5}, {"engine": "random"})
    assert runs.parameters_of(sweep, run.config) == {"opt.lr": 0.5}
    theirs = runs.propose(db, sweep, {"opt.lr": 0.5}, now=1, config={"x": 1}, display_name="mine")
    assert (theirs.config, theirs.display_name, theirs.origin) == ('{"x": 1}', "mine", "")


def test_equal_parameters_have_one_key():
    """Whatever their order, and short enough for an index."""
    key = runs.key_of({"a": 1, "b": "x"})
    assert key == runs.key_of({"b": "x", "a": 1}) != runs.key_of({"a": 1, "b": "y"})
    assert len(key) == 16


def test_runs_drawn_at_random_instead_are_counted_by_the_reason(db, make_sweep):
    """Those the search suggested itself, and those nobody suggested, are not among them."""
    sweep = make_sweep()
    for origin in ({"fallback": "few"}, {"fallback": "few"}, {"fallback": "slow"}, {"engine": "bayes"}, None):
        runs.propose(db, sweep, {"lr": 0.5}, now=0, origin=origin)
    assert runs.fallbacks(db, sweep.id) == {"few": 2, "slow": 1}


def test_a_stop_decision_is_kept_without_what_stands_beside_it():
    """The run and the reason have columns of their own."""
    decision = StopDecision("r", "worse", rule="median", rung=3, value=0.5, threshold=0.4, n=5)
    assert json.loads(runs.stop_text(decision)).keys() == {"rule", "rung", "value", "threshold", "n"}
