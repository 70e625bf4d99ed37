"""Which projects are there for whom."""

from __future__ import annotations

import pytest

from sweeper.server.errors import NotFoundError
from sweeper.server.store import artifact_collections, artifacts, privacy, projects, users


@pytest.fixture
def owners(db):
    """Three users: the server's own, ann, whose project is private, and bob."""
    names = ("local", "ann", "bob")
    found = {name: users.ensure_user(db, name, f"{name}-".ljust(40, "k"), now=0) for name in names}
    projects.ensure(db, "ann", "open", now=0)
    projects.ensure(db, "ann", "p", now=0, owner_id=found["ann"].id)
    return found


def test_a_private_project_is_hidden_from_others_alone(db, owners):
    """Its owner, the server's own user and the server itself see it; what is asked within another asking counts."""
    (place,) = [place for place in projects.all_of(db) if place.private]
    for asker, unseen in ((None, set()), ("local", set()), ("ann", set()), ("bob", {place.id})):
        with privacy.asking(owners[asker] if asker else None):
            assert privacy.hidden(db) == unseen
            assert (projects.find(db, "ann", "p") is None) is bool(unseen)
            assert len(projects.all_of(db, "ann")) == 2 - len(unseen)
    assert privacy.hidden(db) == set()


def test_nobody_makes_another_one_of_its_name(db, owners):
    """Who would is told that there is no such project; whoever sees it finds it."""
    with privacy.asking(owners["bob"]), pytest.raises(NotFoundError, match="no project ann/p here"):
        projects.ensure(db, "ann", "p", now=1)
    with privacy.asking(owners["ann"]):
        assert projects.ensure(db, "ann", "p", now=1).private


def test_what_is_in_it_is_hidden_with_it(db, owners):
    """A collection and an artifact, by their numbers; those that never were are not hidden."""
    place = projects.find(db, "ann", "p")
    artifact_collections.add(db, place.id, "data", artifact_collections.SEQUENCE, "dataset", now=0)
    home = artifact_collections.find(db, place.id, "data")
    kept = artifacts.create(db, home, "0" * 32, now=0, user_id=owners["ann"].id)
    for name, unseen in (("ann", False), ("bob", True)):
        with privacy.asking(owners[name]):
            assert privacy.hides_artifact(db, kept.id) is privacy.hides_collection(db, home.id) is unseen
            assert not privacy.hides_artifact(db, 99)
            assert not privacy.hides_collection(db, 99)
            assert artifacts.was_deleted(db, kept.id) is artifact_collections.was_deleted(db, home.id) is unseen


def test_a_private_project_whose_owner_is_gone_is_hidden(db, owners):
    """From everybody but the server's own user, whoever gets the owner's name."""
    db.execute("UPDATE projects SET owner_id = NULL WHERE private")
    for name, unseen in (("local", 0), ("ann", 1), ("bob", 1)):
        with privacy.asking(owners[name]):
            assert len(privacy.hidden(db)) == unseen
