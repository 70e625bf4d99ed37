"""Lists of runs, page by page."""

from __future__ import annotations

import json

import pytest

from sweeper.run import RunState
from sweeper.server.budget import Budget, SpentError
from sweeper.server.store import projects, run_filters, run_pages, runs, sweeps, users
from sweeper.server.store.database import MEMORY, Store
from sweeper.server.store.run_pages import Place, RunList

DEFINITION = "method: random\nmetric: {name: loss}\nparameters: {lr: {min: 0.0, max: 1.0}}"
LISTS = [
    (None, None),
    (None, "+created_at"),
    (None, "-created_at"),
    ({"sweep": "SWEEP"}, "+created_at"),
    ({"$and": [{"sweep": "SWEEP"}]}, "-createdAt"),
    ({"state": "finished"}, "+created_at"),
    ({"config.lr": {"$gte": 3}}, "+created_at"),
    ({"sweep": "SWEEP"}, "-summary_metrics.loss"),
    (None, "+display_name"),
]


@pytest.fixture
def store():
    """A database with nothing in it."""
    store = Store(MEMORY)
    yield store
    store.close()


@pytest.fixture
def filled(store):
    """What makes so many runs, every other one of a sweep and several at a time; gives project and sweep."""

    def fill(count):
        with store.write() as db:
            project = projects.ensure(db, "local", "p", now=0)
            user = users.ensure_user(db, "local", "k" * 40, now=0)
            sweep = sweeps.create(db, project.id, DEFINITION, user_id=user.id, seed=0, display_name=None, now=0)
            for number in range(count):
                about = {"config": f'{{"lr": {{"value": {number % 7}}}}}', "summary": f'{{"loss": {number * 7 % 5}}}'}
                state = (RunState.FINISHED, RunState.FAILED)[number % 3 == 0]
                owner = None if number % 2 else sweep.id
                at = 1000.0 - number // 3
                runs.create(db, project.id, f"r{number}", state=state, now=at, sweep_id=owner, **about)
            prior = runs.named(db, project.id, ["r1", "r3", "r5"])
            db.executemany("INSERT INTO prior_runs VALUES (?, ?)", [(sweep.id, run.id) for run in prior])
        return project, sweep

    return fill


def which(project, sweep, wanted, order):
    text = None if wanted is None else json.dumps(wanted).replace("SWEEP", sweep.name)
    return RunList(project.id, text, order)


def walk(store, listed, limit):
    """Read all pages of a list."""
    found, place = [], None
    while True:
        page = run_pages.page(store, listed, limit=limit, place=place, budget=Budget())
        found += [run.name for run in page.runs]
        assert page.start == len(found) - len(page.runs)
        if not page.more:
            return found
        place = Place(len(found), found[-1])


@pytest.mark.parametrize(("wanted", "order"), LISTS)
@pytest.mark.parametrize("limit", [1, 4, 50])
def test_pages_together_are_the_list(store, filled, wanted, order, limit):
    """Of whatever length: in the order asked for, the older one first of those made at the same time."""
    project, sweep = filled(20)
    listed = which(project, sweep, wanted, order)
    with store.read() as db:
        whole = run_filters.find(db, project.id, listed.filters, order)
    assert walk(store, listed, limit) == [run.stored.name for run in whole]
    assert run_pages.count(store, listed, Budget()) == len(whole)


@pytest.mark.parametrize(("wanted", "order"), LISTS)
def test_a_page_goes_on_where_the_last_one_ended(store, filled, wanted, order):
    """Whatever has come in or gone since; where its last run is gone, at its place."""
    project, sweep = filled(20)
    listed = which(project, sweep, wanted, order)
    names = walk(store, listed, 50)
    place = Place(2, names[1])
    with store.write() as db:
        db.execute("DELETE FROM runs WHERE name = ?", (names[0],))
    page = run_pages.page(store, listed, limit=3, place=place, budget=Budget())
    assert [run.name for run in page.runs] == names[2:5]
    with store.write() as db:
        db.execute("DELETE FROM runs WHERE name = ?", (names[1],))
    page = run_pages.page(store, listed, limit=3, place=Place(1, names[1]), budget=Budget())
    assert [run.name for run in page.runs] == names[3:6]


def test_what_is_written_is_seen_at_once(store, filled):
    """A list is kept for as long as nothing is, and no longer."""
    project, sweep = filled(5)
    listed = which(project, sweep, {"config.lr": {"$exists": True}}, "-summary_metrics.loss")
    assert walk(store, listed, 2)[0] == "r2"
    with store.write() as db:
        db.execute("UPDATE runs SET summary = '{\"loss\": 99}' WHERE name = 'r4'")
    assert walk(store, listed, 2)[0] == "r4"
    with store.write() as db:
        runs.create(db, project.id, "new", state=RunState.RUNNING, now=0, config='{"lr": {"value": 1}}')
    assert run_pages.count(store, listed, Budget()) == 6


def test_a_list_that_is_kept_costs_the_same(store, filled):
    """A request may not ask for more of them than it could have worked out."""
    project, sweep = filled(5)
    listed = which(project, sweep, {"config.lr": {"$in": list(range(100))}}, None)
    run_pages.count(store, listed, Budget(work=600))
    with pytest.raises(SpentError):
        run_pages.count(store, listed, Budget(work=400))


def steps(store, ask):
    """Count the statements and, by the hundred, the steps that SQLite takes for them."""
    statements, ticks = [], []
    with store.read() as db:
        db.set_trace_callback(statements.append)
        db.set_progress_handler(lambda: ticks.append(1) and 0, 100)
        ask()
        db.set_trace_callback(None)
        db.set_progress_handler(None, 100)
    return len(statements), len(ticks)


@pytest.mark.parametrize(("wanted", "order"), LISTS[1:8])
def test_a_page_costs_the_same_of_a_list_of_any_length(store, filled, wanted, order):
    """The last of many pages as the first, with its count: what the SDK asks is no square of the runs."""
    project, sweep = filled(3000)
    listed = which(project, sweep, wanted, order)
    names = walk(store, listed, 1000)  # from here on a list that SQL cannot give is known

    def ask(place):
        run_pages.page(store, listed, limit=50, place=place, budget=Budget())
        run_pages.count(store, listed, Budget())

    run_pages.count(store, listed, Budget())
    first = steps(store, lambda: ask(None))
    last = steps(store, lambda: ask(Place(len(names) - 50, names[-51])))
    assert last[0] <= first[0] + 2
    assert last[1] <= 2 * first[1] + 10
    assert last[1] < 100
