"""Runs as people are shown them, without their histories."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.run import Digest, Run, RunState
from sweeper.server.store import lines, run_digests, runs, seen_runs
from sweeper.server.store.lines import HistoryLine


def log(db, sweep, run, *values):
    rows = [HistoryLine(number, "", {"loss": value}) for number, value in enumerate(values)]
    lines.put_metric(db, sweep.id, run.id, "loss", rows)


def bare(run: Run) -> Run:
    """A run as a digest tells it, of one with its history."""
    values = run.history
    told = Digest(len(values), values[-1], min(values), max(values)) if values else None
    return replace(run, history=(), digest=run.digest or told)


@pytest.mark.parametrize(
    "definition",
    [
        {},
        {"metric": {"name": "loss.mean", "goal": "maximize"}},
        {
            "method": "bayes",
            "metric": None,
            "metrics": [{"name": "loss", "goal": "minimize"}, {"name": "acc", "goal": "maximize"}],
        },
    ],
    ids=["plain", "aggregate", "several"],
)
def test_a_digest_says_of_a_run_what_its_history_says(db, make_sweep, make_run, definition):
    """Best, last, count, what it lacks and why it has none: as the search and the pages see it."""
    sweep, goal = make_sweep(**definition), "minimize"
    keys = json.dumps({"keys": {"loss": {"typeCounts": [{"type": "number", "count": 2}]}}})
    about = {"sweep_id": sweep.id, "params": '{"lr": 0.5}', "history_keys": keys, "started_at": 50.0}
    for state in RunState:
        for logged in ((), (3.0, 1.0, 2.0), (math.nan,)):
            run = make_run(f"{state}-{len(logged)}", state, summary='{"loss": 0.7, "acc": 1}', **about)
            log(db, sweep, run, *logged)
    make_run("none", RunState.FINISHED, **about | {"history_keys": "{}"})
    prior = make_run("prior", RunState.FINISHED, config='{"lr": {"value": 0.25}}')
    db.execute("INSERT INTO prior_runs VALUES (?, ?)", (sweep.id, prior.id))
    whole, told = seen_runs.for_search(db, sweep), run_digests.all_of(db, sweep)
    assert [bare(replace(run, fallback="", heard_at=None)) for run in told] == list(map(bare, whole))
    measures = [(run.best(goal), run.last, run.iterations, run.numberless, run.may_lead) for run in whole]
    assert [(run.best(goal), run.last, run.iterations, run.numberless, run.may_lead) for run in told] == measures


@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=9))
def test_a_digest_stands_for_its_values(values):
    """Whatever they are."""
    run = Run(id="r", state=RunState.FINISHED, history=tuple(values))
    told = bare(run)
    for goal in ("minimize", "maximize"):
        assert (told.best(goal), told.last, told.iterations) == (run.best(goal), run.last, run.iterations)


def test_pages_follow_each_other(db, make_sweep, make_run):
    """The oldest first; what is only offered is in none, and an attached run in its place."""
    sweep = make_sweep()
    prior = make_run("prior")
    db.execute("INSERT INTO prior_runs VALUES (?, ?)", (sweep.id, prior.id))
    for number in range(5):
        make_run(f"r{number}", sweep_id=sweep.id, offered=int(number == 2))
    found, after = [], 0
    while page := run_digests.page(db, sweep, after=after, limit=2):
        found.append([run.id for _, run in page])
        after = page[-1][0]
    assert found == [["prior", "r0"], ["r1", "r3"], ["r4"]]
    assert run_digests.count(db, sweep.id) == 5


def test_a_poll_reads_what_may_have_changed(db, make_sweep, make_run):
    """All that goes on, and what has ended since: each looked up, however many ended before."""
    sweep = make_sweep()
    for name, ended_at in (("old", 10.0), ("new", 20.0)):
        make_run(name, RunState.FINISHED, sweep_id=sweep.id, ended_at=ended_at)
    make_run("running", sweep_id=sweep.id)
    make_run("waiting", RunState.PENDING, sweep_id=sweep.id)
    assert [run.id for _, run in run_digests.page(db, sweep, since=15.0)] == ["new", "running", "waiting"]
    assert [run.prior for _, run in run_digests.page(db, sweep, since=15.0)] == [False] * 3


def steps(db, ask) -> int:
    """Count what SQLite does for a question, in thousands of the steps of its machine."""
    found = 0

    def tick() -> int:
        nonlocal found
        found += 1
        return 0

    db.set_progress_handler(tick, 100)
    ask()
    db.set_progress_handler(None, 100)
    return found


def test_a_page_costs_the_same_in_a_sweep_of_any_size(db, make_sweep):
    """The last page of many as the first, and a poll of an ended sweep next to nothing."""
    sweep = make_sweep()
    for number in range(2000):
        runs.create(
            db, sweep.project_id, f"r{number}", state=RunState.FINISHED, now=1.0, sweep_id=sweep.id, ended_at=1.0
        )
    first = steps(db, lambda: run_digests.page(db, sweep, limit=50))
    last = steps(db, lambda: run_digests.page(db, sweep, after=1900, limit=50))
    assert last <= first * 1.5
    assert steps(db, lambda: run_digests.page(db, sweep, limit=2000)) > 20 * first
    assert steps(db, lambda: run_digests.page(db, sweep, since=5.0)) < first


def test_when_a_run_that_goes_on_was_last_heard_is_told(db, make_sweep, make_run):
    """Of one that has ended its duration says it, and one that has not begun was never heard."""
    sweep = make_sweep()
    about = {"sweep_id": sweep.id, "heartbeat_at": 60.0}
    make_run("going", RunState.RUNNING, **about, started_at=50.0)
    make_run("over", RunState.FINISHED, **about, started_at=50.0)
    make_run("waiting", RunState.PENDING, **about)
    heard = {run.id: run.heard_at for run in run_digests.all_of(db, sweep)}
    assert heard == {"going": datetime.fromtimestamp(60.0, UTC), "over": None, "waiting": None}


def test_names_are_those_of_all_runs_in_their_order(db, make_sweep, make_run):
    """What a page's selection counts by; what is only offered is none of them."""
    sweep = make_sweep()
    for name, offered in (("a", 0), ("b", 1), ("c", 0)):
        make_run(name, sweep_id=sweep.id, offered=offered)
    make_run("other")
    assert [*run_digests.names_by_row(db, sweep.id).values()] == ["a", "c"]


def test_all_that_a_sweep_sees_by_their_rows(table):
    """The oldest first; what is only offered is no run yet."""
    sweep = table.sweep(
        {"method": "random", "metric": {"name": "loss"}, "parameters": {"lr": {"min": 0.0, "max": 1.0}}}
    )
    first, second = (table.given(table.agent(sweep)) for _ in range(2))
    table.start(first)
    table.start(second)
    with table.store.read() as db:
        assert run_digests.names_by_row(db, sweep.id) == {first.id: first.name, second.id: second.name}
