"""What rows must never say: each query names the rows that say it, and no others."""

from __future__ import annotations

import math

import pytest

from sweeper.run import RunState
from sweeper.server.store import consistency, lines, sweeps
from sweeper.server.store.lines import HistoryLine

QUERIES = [
    consistency.broken_pages,
    consistency.loose_references,
    consistency.runs_in_no_state,
    consistency.sweeps_in_no_state,
    consistency.agents_with_several_runs,
    consistency.runs_of_foreign_agents,
    consistency.ended_runs_without_end,
    consistency.misnumbered_metrics,
]


@pytest.fixture
def agent(db, make_sweep, make_run):
    """An agent of a sweep that has run one of its two runs; both logged."""
    sweep = make_sweep()
    found = sweeps.add_agent(db, sweep.id, "host", now=0)
    done = make_run("done", RunState.FINISHED, sweep_id=sweep.id, agent_id=found.id, ended_at=5)
    going = make_run("going", sweep_id=sweep.id, agent_id=found.id)
    for run in (done, going):
        values = [1.0, math.nan, 2.0]
        logged = [HistoryLine(number, "", {"loss": value}) for number, value in enumerate(values)]
        lines.put_metric(db, sweep.id, run.id, "loss", logged)
    return found


@pytest.mark.usefixtures("agent")
def test_sound_rows_break_no_rule(db):
    """What the server itself writes is named by no query."""
    assert [query(db) for query in QUERIES] == [[]] * len(QUERIES)
    assert consistency.counted(db) == (2, 1)


@pytest.mark.parametrize(
    ("change", "query", "named"),
    [
        ("UPDATE runs SET state = 'asleep' WHERE name = 'done'", consistency.runs_in_no_state, ["done"]),
        ("UPDATE sweeps SET name = 's', state = 'asleep'", consistency.sweeps_in_no_state, ["s"]),
        ("UPDATE runs SET ended_at = NULL", consistency.ended_runs_without_end, ["done"]),
        (
            "UPDATE metric_values SET iteration = 3 WHERE run_id = 2 AND line = 2",
            consistency.misnumbered_metrics,
            ["going"],
        ),
        ("DELETE FROM metric_values WHERE run_id = 1 AND line = 0", consistency.misnumbered_metrics, ["done"]),
    ],
)
@pytest.mark.usefixtures("agent")
def test_rows_that_break_a_rule_are_named(db, change, query, named):
    """Changed by hand, they are named by the query for that and by no other."""
    db.execute(change)
    assert {asked.__name__: asked(db) for asked in QUERIES if asked(db)} == {query.__name__: named}


def test_an_agent_with_two_running_runs_is_named(db, agent, make_run):
    """It works on one at a time."""
    make_run("more", sweep_id=agent.sweep_id, agent_id=agent.id)
    assert consistency.agents_with_several_runs(db) == [agent.name]


def test_a_run_of_another_sweeps_agent_is_named(db, agent, make_sweep, make_run):
    """A run without a sweep may have any agent, one of a sweep has that sweep's."""
    make_run("foreign", RunState.KILLED, sweep_id=make_sweep().id, agent_id=agent.id, ended_at=1)
    make_run("loose", RunState.KILLED, agent_id=agent.id, ended_at=1)
    assert consistency.runs_of_foreign_agents(db) == ["foreign"]
