"""How many runs a group of workers takes together: exactly so many, on whatever machines."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.run import RunState, SweepState
from sweeper.server.errors import RequestError
from sweeper.server.rules import run_endings
from sweeper.server.rules.dispatcher import Dispatcher
from sweeper.server.rules.joint_count import JointCount
from sweeper.server.store import counted_runs, runs
from sweeper.server.store.database import MEMORY, Store
from tests.unit.server.conftest import Table

RANDOM = {"method": "random", "parameters": {"lr": {"min": 0.0, "max": 1.0}}, "run_cap": 6}
TWO, THREE = JointCount("worker", 2), JointCount("worker", 3)


def ask(table, sweep, joint):
    """The first question of a worker's process."""
    agent = table.dispatcher.register(sweep, "host", now=table.now).name
    return table.dispatcher.heartbeat(agent, set(), now=table.now, early=False, joint=joint)


def begin(table, sweep, joint):
    """A run that was given to a worker, and has begun."""
    run = ask(table, sweep, joint).run
    table.start(run)
    return run


@pytest.mark.parametrize(
    ("text", "read"),
    [("", None), ("worker", JointCount("worker")), ("night-2 7", JointCount("night-2", 7))],
)
def test_a_worker_names_its_group_and_how_many_runs_it_takes(text, read):
    """In a header; one that says nothing is counted by nobody."""
    assert JointCount.read(text) == read


@given(st.text(max_size=90))
def test_whatever_else_a_header_says_is_refused(text):
    """A count that is misread would be one that nobody asked for."""
    words = text.split(" ")
    if not text or words[0].replace("-", "").replace("_", "").replace(".", "").isalnum():
        return
    with pytest.raises(RequestError, match="X-Sweeper-Count"):
        JointCount.read(text)


@pytest.mark.parametrize("text", ["worker 0", "worker -1", "worker 1.5", "a b c", "é", "worker  2", "w" * 65, "7\n"])
def test_what_nearly_is_a_count_is_refused(text):
    """It is neither rounded nor left out."""
    with pytest.raises(RequestError, match="X-Sweeper-Count"):
        JointCount.read(text)


def test_a_group_gets_as_many_runs_as_it_takes(table):
    """Over all that ask; the sweep goes on for the others."""
    sweep = table.sweep(RANDOM)
    given = [begin(table, sweep, THREE) for _ in range(3)]
    assert ask(table, sweep, THREE).kind == "wait"
    for run in given:
        table.complete(run)
    assert ask(table, sweep, THREE).kind == "exit"
    assert table.sweep_state(sweep) is SweepState.RUNNING
    assert ask(table, sweep, JointCount("other", 1)).kind == "run"
    assert ask(table, sweep, None).kind == "run"


def test_a_failed_run_has_been_one_of_them(table):
    """As with the tickets of a launch."""
    sweep = table.sweep(RANDOM)
    for _ in range(2):
        table.complete(begin(table, sweep, TWO), exit_code=1)
    assert ask(table, sweep, TWO).kind == "exit"


def test_a_run_that_is_handed_out_again_counts_once(table):
    """It goes to the next worker of the group, though that has had all its runs."""
    sweep = table.sweep(RANDOM)
    first, second = (begin(table, sweep, TWO) for _ in range(2))
    table.complete(second)
    assert ask(table, sweep, TWO).kind == "wait"
    with table.store.write() as db:
        run_endings.requeue(db, runs.get(db, first.id), now=table.now)
    again = ask(table, sweep, TWO)
    assert (again.kind, again.run.name) == ("resume", first.name)
    table.start(again.run)
    table.complete(again.run)
    assert ask(table, sweep, TWO).kind == "exit"
    with table.store.read() as db:
        assert counted_runs.made(db, sweep.id, "worker") == runs.count(db, sweep.id) == 2


def test_a_full_group_leaves_the_runs_of_others_to_them(table):
    """Else it would have more than it takes."""
    sweep = table.sweep(RANDOM)
    for _ in range(2):
        table.complete(begin(table, sweep, TWO))
    other = begin(table, sweep, None)
    with table.store.write() as db:
        run_endings.requeue(db, runs.get(db, other.id), now=table.now)
    assert ask(table, sweep, TWO).kind == "exit"
    assert ask(table, sweep, None).run.name == other.name


def test_a_waiting_run_of_nobody_counts_for_who_takes_it(table):
    """A retried run is a run that the group has had; one of another group stays that one's."""
    sweep = table.sweep(RANDOM)
    free, others = begin(table, sweep, None), begin(table, sweep, JointCount("other", 1))
    for run in (free, others):
        with table.store.write() as db:
            run_endings.requeue(db, runs.get(db, run.id), now=table.now)
    assert [ask(table, sweep, TWO).run.name for _ in range(2)] == [free.name, others.name]
    assert ask(table, sweep, TWO).kind == "run"
    assert ask(table, sweep, TWO).kind == "wait"


def test_an_offer_that_nobody_took_up_frees_its_place(table):
    """Its row is gone, and with it the count."""
    sweep = table.sweep(RANDOM)
    begin(table, sweep, TWO)
    offered = ask(table, sweep, TWO).run
    with table.store.write() as db:
        db.execute("DELETE FROM runs WHERE id = ?", (offered.id,))
    assert ask(table, sweep, TWO).kind == "run"
    assert ask(table, sweep, TWO).kind == "wait"


def test_who_joined_stays_until_the_last_run_has_ended(table):
    """The machine that has it may yet be lost; a launch of one machine is sent home when the last run has begun."""
    sweep = table.sweep({**RANDOM, "run_cap": 1})
    run = begin(table, sweep, JointCount("worker"))
    assert ask(table, sweep, None).kind == "exit"
    assert ask(table, sweep, JointCount("worker")).kind == "wait"
    assert ask(table, sweep, JointCount("worker", 1)).kind == "wait"
    table.complete(run)
    assert ask(table, sweep, JointCount("worker")).kind == "exit"


@pytest.mark.parametrize("method", ["random", "bayes"])
def test_many_who_ask_at_once_get_exactly_as_many(table, method):
    """Each decision is one transaction: also where the suggestion is computed between two."""
    definition = {**RANDOM, "method": method, "metric": {"name": "loss", "goal": "minimize"}, "run_cap": 20}
    sweep = table.sweep(definition)
    kinds: list[str] = []
    threads = [
        threading.Thread(target=lambda: kinds.append(ask(table, sweep, JointCount("worker", 5)).kind))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(kinds) == ["run"] * 5 + ["wait"] * 7
    with table.store.read() as db:
        assert runs.count(db, sweep.id) == 5


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", ""]), st.sampled_from([0, 0, 1, None])), max_size=25),
    st.integers(1, 4),
    st.integers(1, 4),
)
def test_no_order_of_events_gives_a_group_more_than_it_takes(asked, of_a, of_b):
    """Whoever asks when, and however runs end: each group has had its number at most, and all of it if it could."""
    table = Table(Dispatcher(Store(MEMORY)))
    sweep = table.sweep({**RANDOM, "run_cap": 12})
    most = {"a": of_a, "b": of_b}
    for group, code in asked:
        command = ask(table, sweep, JointCount(group, most[group]) if group else None)
        if command.run:
            table.start(command.run)
            if code is None:
                with table.store.write() as db:
                    run_endings.requeue(db, runs.get(db, command.run.id), now=table.now)
            else:
                table.complete(command.run, code)
        with table.store.read() as db:
            made = {name: counted_runs.made(db, sweep.id, name) for name in most}
            waits = [run for run in runs.of_sweep(db, sweep.id) if run.state is RunState.PREEMPTED]
        assert all(made[name] <= most[name] for name in most)
        if group and command.kind == "exit":
            assert made[group] == most[group] or not waits
    table.store.close()
