"""What every operation shares: whose project is meant, and which run."""

from __future__ import annotations

import pytest

from sweeper.run import RunState
from sweeper.server.errors import NotFoundError, RequestError
from sweeper.server.graphql.context import global_id, run_id
from sweeper.server.graphql.root import Root
from sweeper.server.store import runs


def test_who_names_no_entity_means_their_own(context):
    """The SDK sends none unless the user has set one, and sometimes an empty one."""
    root = Root(context)
    assert [root.entity_of(name) for name in (None, "", "team")] == ["local", "local", "team"]


def test_a_project_without_a_name_is_uncategorized(context):
    """It is made when something is put into it, and found again by no name and by its own."""
    root = Root(context)
    with context.store.write() as db:
        assert root.find_project(db, None, None) is None
        made = root.ensure_project(db, None, None)
        assert root.ensure_project(db, "local", "uncategorized") == made
        assert root.find_project(db, None, "") == made
        with pytest.raises(RequestError):
            root.ensure_project(db, None, "a/b")


def test_a_run_is_found_by_its_id_with_its_project(context):
    """Both come back, for most operations need both."""
    root = Root(context)
    with context.store.write() as db:
        place = root.ensure_project(db, None, "p")
        run = runs.create(db, place.id, "r", state=RunState.RUNNING, now=1.0)
        assert root.run_by_id(db, run_id(place, "r")) == (place, run)


@pytest.mark.parametrize("parts", [("x", "p", "local"), ("r", "q", "local"), ("r", "p", "ann"), ("r",), ()])
def test_an_id_of_no_run_is_not_found(context, parts):
    """Another name, project or entity, and an id cut short."""
    root = Root(context)
    with context.store.write() as db:
        runs.create(db, root.ensure_project(db, None, "p").id, "r", state=RunState.RUNNING, now=1.0)
        with pytest.raises(NotFoundError, match="no run"):
            root.run_by_id(db, global_id("Run", *parts))
