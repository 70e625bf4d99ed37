"""Projects: one for each pair of names."""

from __future__ import annotations

import pytest

from sweeper.server.errors import RequestError
from sweeper.server.store import projects


def test_a_project_is_made_once(db):
    """Asked for twice it is the same row, with the time of the first."""
    first = projects.ensure(db, "local", "p", now=1)
    assert projects.ensure(db, "local", "p", now=2) == first
    assert (projects.get(db, first.id), projects.find(db, "local", "p")) == (first, first)
    assert projects.find(db, "local", "q") is None


def test_projects_are_listed_by_entity_the_newest_first(db):
    """Entities keep theirs apart, and without one all are listed."""
    for entity, name in (("local", "a"), ("ann", "a"), ("local", "b")):
        projects.ensure(db, entity, name, now=0)
    assert [place.name for place in projects.all_of(db, "local")] == ["b", "a"]
    assert [(place.entity, place.name) for place in projects.all_of(db)] == [
        ("local", "b"),
        ("ann", "a"),
        ("local", "a"),
    ]


@pytest.mark.parametrize(("entity", "name"), [("a/b", "p"), ("local", ".."), ("local", "")])
def test_a_name_that_is_no_folder_is_refused(db, entity, name):
    """Files of runs lie in folders of these names."""
    with pytest.raises(RequestError):
        projects.ensure(db, entity, name, now=0)
    assert projects.all_of(db) == []
