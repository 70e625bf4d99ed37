"""All sweeps with what they have come to."""

from __future__ import annotations

import json

import pytest

from sweeper.run import RunState
from sweeper.server.store import lines, projects, run_digests, runs, sweep_lists, sweeps, users
from sweeper.server.store.lines import HistoryLine
from sweeper.server.store.privacy import asking


def best_of(db, sweep):
    return sweep_lists.best_of(db, sweep, sweeps.gist(sweep.definition_text).outline)


@pytest.fixture
def run_of(db, make_run):
    """What makes a run of a sweep with values of its metric."""

    def make(sweep, name, state, *values, **columns):
        run = make_run(name)
        rows = [{"loss": value} for value in values]
        kept = [HistoryLine(at, json.dumps(row), row) for at, row in enumerate(rows)]
        runs.update(db, run.id, sweep_id=sweep.id, state=state, **columns)
        lines.put_metric(db, sweep.id, run.id, "loss", kept)
        return run

    return make


def listed(db, *names):
    return sweep_lists.all_of(db, sweep_lists.visible(db, *names))


def test_a_list_tells_counts_and_what_was_active_last_first(db, make_sweep, run_of):
    """By the last sign of a run: of its end, or of a life that goes on; a run that is only offered is none yet."""
    old, new, empty = make_sweep(), make_sweep(), make_sweep()
    run_of(old, "a", RunState.FINISHED, 1.0, ended_at=900.0)
    run_of(old, "b", RunState.RUNNING, 2.0, heartbeat_at=950.0)
    run_of(new, "c", RunState.FAILED, 3.0, ended_at=990.0)
    run_of(new, "d", RunState.PENDING, offered=1, heartbeat_at=990.0)
    found = listed(db)
    assert [(one.sweep.id, one.active_at) for one in found] == [(new.id, 990.0), (old.id, 950.0), (empty.id, 0.0)]
    assert found[1].counts == {"finished": 1, "running": 1}
    assert {state: count for state, count in found[0].counts.items() if count} == {"failed": 1}
    assert found[0].project.name == "p"


def test_a_list_has_the_projects_that_are_asked_for(db, make_sweep):
    """By name, by entity, or all."""
    sweep = make_sweep()
    projects.ensure(db, "other", "p", now=0)
    assert [place.entity for place in sweep_lists.visible(db, "p")] == ["local", "other"]
    assert [one.sweep.id for one in listed(db, "p", "local")] == [sweep.id]
    assert listed(db, "p", "other") == listed(db, "q") == []


def test_a_private_project_is_in_its_owners_list_alone(db):
    """With its sweeps and their names."""
    ann, bob = (users.ensure_user(db, name, name.ljust(40, "k"), now=0) for name in ("ann", "bob"))
    projects.ensure(db, "ann", "secret", now=0, owner_id=ann.id)
    with asking(bob):
        assert sweep_lists.visible(db) == []
    with asking(ann):
        assert [place.name for place in sweep_lists.visible(db)] == ["secret"]


@pytest.mark.parametrize(("goal", "best"), [("minimize", ("a", 0.5)), ("maximize", ("c", 9.0))])
def test_the_best_is_that_of_every_other_reader(db, make_sweep, run_of, goal, best):
    """The best value ever logged of runs that may lead: none that failed, or that a person has killed."""
    sweep = make_sweep(metric={"name": "loss", "goal": goal})
    run_of(sweep, "a", RunState.FINISHED, 2.0, 0.5, 3.0)
    run_of(sweep, "b", RunState.FAILED, 0.1, 99.0)
    stop = {"rule": "hyperband", "rung": 1, "value": 1.0, "threshold": 1.0, "n": 2}
    run_of(sweep, "c", RunState.KILLED, 0.5, 9.0, stop=json.dumps(stop))
    run_of(sweep, "d", RunState.KILLED, 0.1, 99.0)
    assert best_of(db, sweep) == best
    seen = run_digests.all_of(db, sweep)
    leading = next(run for run in seen if run.id == best[0])
    assert leading.best(goal) == best[1]


def test_a_value_that_stands_in_a_summary_alone_counts(db, make_sweep, run_of):
    """`run.summary["loss"] = 0.1` without a row of it; one that goes on has no such word yet."""
    sweep = make_sweep()
    assert best_of(db, sweep) is None
    run_of(sweep, "a", RunState.FINISHED, 2.0)
    run_of(sweep, "b", RunState.FINISHED, summary='{"loss": 0.1}')
    run_of(sweep, "c", RunState.RUNNING, summary='{"loss": 0.01}')
    assert best_of(db, sweep) == ("b", 0.1)


def test_an_aggregate_is_read_from_all_values(db, make_sweep, run_of):
    """What `loss.mean` is, no last value tells; a sweep of several metrics, or of none, has no best run."""
    sweep = make_sweep(metric={"name": "loss.mean"})
    run = run_of(sweep, "a", RunState.FINISHED, 1.0, 3.0)
    runs.update(db, run.id, history_keys='{"keys": {"loss": {"typeCounts": [{"type": "number", "count": 2}]}}}')
    assert best_of(db, sweep) == ("a", 2.0)
    assert best_of(db, make_sweep(metric=None)) is None


def test_names_are_the_newest_first(db, make_sweep, run_of):
    """Of sweeps and of runs, whose ids begin with what was typed."""
    first, second = make_sweep(), make_sweep()
    run_of(first, "ab", RunState.FINISHED)
    run_of(first, "ac", RunState.RUNNING)
    run_of(first, "xx", RunState.RUNNING)
    run_of(first, "az", RunState.PENDING, offered=1)
    found = sweep_lists.names(db, [first.project_id], 10)
    assert [name for _, name, _, _ in found] == [second.name, first.name]
    assert sweep_lists.names(db, [first.project_id], 1) == found[:1]
    assert [name for name, _, _ in sweep_lists.run_names(db, first.id, "a", 10)] == ["ac", "ab"]
    assert [name for name, _, _ in sweep_lists.run_names(db, first.id, "", 1)] == ["xx"]
    assert sweep_lists.run_names(db, first.id, "%", 10) == []
