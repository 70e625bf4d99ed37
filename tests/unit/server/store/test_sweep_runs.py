"""What is asked about a sweep's runs without reading them."""

from __future__ import annotations

import json

from sweeper.run import RunState
from sweeper.server.store import runs, sweep_runs

GRID = {"method": "grid", "parameters": {"lr": {"values": [0.1, 0.2, 0.3]}}}


def key(run):
    return runs.key_of(json.loads(run.params))


def test_attached_runs_are_seen_and_counted_beside_the_own_ones(table):
    """States and the number of ended runs are those of all that a sweep sees, each once."""
    old, new = table.sweep(GRID), table.sweep(GRID)
    earlier, own = table.given(table.agent(old)), table.given(table.agent(new))
    table.start(earlier)
    table.complete(earlier)
    with table.store.write() as db:
        for _ in range(2):
            sweep_runs.attach(db, new.id, earlier.id)
        assert sweep_runs.states(db, new.id) == {earlier.id: ("finished", table.now), own.id: ("pending", None)}
        assert [sweep_runs.count_ended(db, sweep.id) for sweep in (old, new)] == [1, 1]
        assert list(sweep_runs.states(db, old.id)) == [earlier.id]


def test_parameters_are_found_by_their_keys(table):
    """Keys of the last runs come in the order the runs were made; an attached run's parameters are in no index."""
    sweep = table.sweep(GRID)
    made = [table.given(table.agent(sweep)) for _ in range(3)]
    with table.store.write() as db:
        assert sweep_runs.last_keys(db, sweep.id, 2) == [key(run) for run in made[1:]]
        assert sweep_runs.has_params(db, sweep.id, key(made[0]))
        assert not sweep_runs.has_params(db, sweep.id, runs.key_of({"lr": 9.0}))
        assert not sweep_runs.has_unkeyed(db, sweep.id)
        sweep_runs.attach(db, sweep.id, made[0].id)
        assert sweep_runs.has_unkeyed(db, sweep.id)


def test_unassigned_runs_are_those_that_no_agent_has(table):
    """A run that was handed out is not among them, though it has not started."""
    sweep = table.sweep(GRID)
    table.given(table.agent(sweep))
    with table.store.write() as db:
        waiting = runs.propose(db, sweep, {"lr": 0.9}, now=table.now)
        assert [run.id for run in sweep_runs.unassigned(db, sweep.id)] == [waiting.id]


def test_runs_that_the_file_asks_for_no_more_are_marked_and_counted(db, make_sweep, make_run):
    """These and no others: another edit marks anew."""
    sweep = make_sweep()
    first, second, third = (make_run(name, sweep_id=sweep.id) for name in "abc")
    sweep_runs.mark_beyond(db, sweep.id, [first.id, second.id])
    assert sweep_runs.count_beyond(db, sweep.id) == 2
    sweep_runs.mark_beyond(db, sweep.id, [third.id])
    assert [bool(run.beyond) for run in runs.of_sweep(db, sweep.id)] == [False, False, True]


def test_the_first_and_the_unfinished_runs_are_listed(db, make_sweep, make_run):
    """The oldest first."""
    sweep = make_sweep()
    made = [make_run(state.value, state, sweep_id=sweep.id) for state in RunState]
    assert [run.id for run in sweep_runs.first(db, sweep.id, 2)] == [run.id for run in made[:2]]
    assert [run.state for run in sweep_runs.unfinished(db, sweep.id)] == [
        state for state in RunState if not state.ended
    ]
