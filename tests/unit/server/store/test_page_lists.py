"""What the pages list, and what a name may mean: nothing that is hidden from who asks, or only offered."""

from __future__ import annotations

import pytest

from sweeper.run import RunState
from sweeper.server.store import page_lists, privacy, projects, runs, users
from sweeper.server.store.database import MEMORY, Store


@pytest.fixture
def known():
    """A database with a project of everybody's and one that is private, each with a run outside sweeps."""
    store = Store(MEMORY)
    with store.write() as db:
        owner, guest = (users.ensure_user(db, name, name * 20, now=1.0) for name in ("owner", "guest"))
        for name, owner_id in (("open", None), ("secret", owner.id)):
            place = projects.ensure(db, "team", name, now=1.0, owner_id=owner_id)
            about = {"display_name": f"Baseline of {name}", "started_at": 2.0}
            runs.create(db, place.id, f"run-{name}", state=RunState.RUNNING, now=10.0, **about)
        runs.create(db, place.id, "unseen", state=RunState.PENDING, now=10.0, offered=1)
    yield store, owner, guest
    store.close()


def test_what_is_private_is_found_by_its_owner_alone(known):
    """Projects and runs of others; so it is with what is at work."""
    store, owner, guest = known
    with store.read() as db:
        with privacy.asking(owner):
            assert {one.id for one in page_lists.find(db, "secret", 9)[0]} == {"secret"}
            assert len(page_lists.find(db, "BASELINE", 9)[2]) == 2
            assert len(page_lists.loose_at_work(db, 9)) == 2
            assert page_lists.run_states(db)["running"] == 2
        with privacy.asking(guest):
            assert page_lists.find(db, "secret", 9) == ([], [], [])
            assert page_lists.find(db, "run-secret", 9)[2] == []
            assert [run.name for run in page_lists.loose_at_work(db, 9)] == ["run-open"]
            assert page_lists.run_states(db) == {"running": 1}


def test_an_id_is_found_whatever_its_age_and_comes_first(known, monkeypatch):
    """Names are looked for among the latest runs only."""
    store, _, _ = known
    monkeypatch.setattr(page_lists, "SEARCHED_RUNS", 0)
    with store.read() as db:
        assert page_lists.find(db, "Baseline", 9)[2] == []
        assert [run.id for run in page_lists.find(db, "run-open", 9)[2]] == ["run-open"]
        assert page_lists.find(db, "unseen", 9)[2] == []


def test_runs_outside_sweeps_are_listed_and_counted(known):
    """The latest first, with how long each took."""
    store, _, _ = known
    with store.read() as db:
        place = projects.find(db, "team", "open")
        (run,) = page_lists.loose_runs(db, place.id, 5)
        assert (run.name, run.duration_s, run.project) == ("run-open", 8.0, "open")
        assert page_lists.loose_counts(db)[place.id] == (1, 10.0)
        assert page_lists.agents_at_work(db, 0.0) == (0, 0)
        assert page_lists.run_states(db)["running"] == 2
        assert page_lists.compute_times(db, [1]) == {}
