"""Collections of artifacts as rows: version numbers, memberships, aliases."""

from __future__ import annotations

import pytest

from sweeper.server.errors import NotFoundError, RequestError
from sweeper.server.store import artifact_collections, artifacts, privacy, projects, users
from sweeper.server.store.artifact_collections import PORTFOLIO, SEQUENCE, Membership


def make_artifact(db, collection):
    return artifacts.create(db, collection, "digest", now=0, user_id=1)


@pytest.fixture
def data(make_collection):
    """A collection named `data`."""
    return make_collection("data")


def test_a_collection_is_made_once(db, project, data):
    """A name is taken in its project, whatever kind and type come later."""
    artifact_collections.add(db, project.id, "data", PORTFOLIO, "model", now=9)
    assert artifact_collections.find(db, project.id, "data") == data
    assert (data.kind, data.type, data.created_at) == (SEQUENCE, "dataset", 0)
    assert artifact_collections.find(db, project.id, "other") is None


def test_a_collection_is_listed_once_it_has_had_a_version(db, project, make_collection):
    """What was only begun is nobody's yet; the types are those in use, in the order they came."""
    first, model, _ = make_collection("a"), make_collection("b", "model"), make_collection("never", "late")
    for collection in (model, first):
        artifact_collections.take_version(db, collection.id, now=5)
    assert [found.name for found in artifact_collections.of_project(db, project.id)] == ["b", "a"]
    assert [found.name for found in artifact_collections.of_project(db, project.id, "model")] == ["b"]
    assert artifact_collections.types_of(db, project.id) == [("dataset", 0), ("model", 0)]


def test_a_changed_collection_keeps_its_name_unique(db, data, make_collection):
    """Columns are set with the time; a name that is taken is refused and nothing changed."""
    make_collection("taken")
    changed = artifact_collections.update(db, data.id, now=3, description="new", tags='["t"]')
    assert (changed.description, changed.tags, changed.updated_at) == ("new", '["t"]', 3)
    with pytest.raises(RequestError, match="another artifact collection named 'taken'"):
        artifact_collections.update(db, data.id, now=4, name="taken")
    assert artifact_collections.get(db, data.id) == changed


def test_a_version_number_is_never_given_twice(db, data):
    """Numbers go on after a deletion: `v0` in a paper stays what it was."""
    for number in range(2):
        assert artifact_collections.take_version(db, data.id, now=number) == number
    artifact = make_artifact(db, data)
    artifact_collections.add_membership(db, Membership(data.id, 1, artifact.id, 1))
    artifacts.delete(db, artifact.id)
    assert artifact_collections.versions_of(db, data.id) == []
    assert artifact_collections.take_version(db, data.id, now=2) == 2
    assert artifact_collections.get(db, data.id).updated_at == 2


def test_an_artifact_may_be_in_several_collections(db, data, make_collection):
    """Its own is listed first; versions are listed the newest first and found by number."""
    other = make_collection("linked")
    first, second = make_artifact(db, data), make_artifact(db, data)
    rows = [
        Membership(data.id, 0, first.id, 1),
        Membership(data.id, 1, second.id, 2),
        Membership(other.id, 0, first.id, 3),
    ]
    for row in rows:
        artifact_collections.add_membership(db, row)
    assert artifact_collections.memberships_of(db, first.id) == [rows[0], rows[2]]
    assert artifact_collections.versions_of(db, data.id) == [rows[1], rows[0]]
    assert artifact_collections.with_version(db, data.id, 1) == rows[1]
    assert artifact_collections.with_version(db, data.id, 2) is None
    assert artifact_collections.membership(db, other.id, second.id) is None


def test_an_alias_is_one_versions(db, data, make_collection):
    """Within a collection it moves to who got it last; another collection has its own of that name."""
    other = make_collection("linked")
    first, second = make_artifact(db, data), make_artifact(db, data)
    for collection, number, artifact in ((data, 0, first), (data, 1, second), (other, 0, first)):
        artifact_collections.add_membership(db, Membership(collection.id, number, artifact.id, 0))
        artifact_collections.set_aliases(db, collection.id, artifact.id, ["best", f"n{number}"])
    assert artifact_collections.with_alias(db, data.id, "best").artifact_id == second.id
    assert artifact_collections.with_alias(db, other.id, "best").artifact_id == first.id
    assert artifact_collections.aliases_of(db, first.id) == [(data.id, "n0"), (other.id, "best"), (other.id, "n0")]
    artifact_collections.take_aliases(db, data.id, first.id, ["best", "n0"])
    assert artifact_collections.aliases_in(db, data.id) == ["best", "n1"]
    assert artifact_collections.with_alias(db, data.id, "n0") is None


def test_an_artifact_that_leaves_a_collection_leaves_no_alias(db, data):
    """Its place and its aliases there go together."""
    artifact = make_artifact(db, data)
    artifact_collections.add_membership(db, Membership(data.id, 0, artifact.id, 0))
    artifact_collections.set_aliases(db, data.id, artifact.id, ["a"])
    artifact_collections.leave(db, data.id, artifact.id)
    assert artifact_collections.aliases_in(db, data.id) == artifact_collections.versions_of(db, data.id) == []
    assert artifacts.exists(db, artifact.id)


def test_a_collection_goes_with_all_in_it(db, data):
    """Its artifacts too; asked for again it is not found."""
    artifact = make_artifact(db, data)
    artifact_collections.delete(db, data.id)
    assert not artifacts.exists(db, artifact.id)
    with pytest.raises(NotFoundError):
        artifact_collections.get(db, data.id)


def test_a_collection_that_never_had_anything_is_swept_out(db, data, make_collection):
    """One with a version, or with an artifact that may become one, stays."""
    begun, versioned = make_collection("begun"), make_collection("versioned")
    make_artifact(db, begun)
    artifact_collections.take_version(db, versioned.id, now=0)
    artifact_collections.delete_unused(db)
    assert artifact_collections.find(db, data.project_id, "data") is None
    assert artifact_collections.get(db, begun.id)
    assert artifact_collections.get(db, versioned.id)


def test_aliases_are_seen_where_their_collection_is(db, data):
    """What an artifact is called in a private project is nobody's business but its owner's."""
    ann, bob = (users.ensure_user(db, name, name * 20, now=0) for name in ("ann", "bobby"))
    hidden = projects.ensure(db, "ann", "hidden", now=0, owner_id=ann.id)
    artifact_collections.add(db, hidden.id, "theirs", artifact_collections.SEQUENCE, "dataset", now=0)
    theirs = artifact_collections.find(db, hidden.id, "theirs")
    artifact = artifacts.create(db, data, "0" * 32, now=0, user_id=ann.id)
    for collection in (data, theirs):
        artifact_collections.add_membership(db, Membership(collection.id, 0, artifact.id, 0))
        artifact_collections.set_aliases(db, collection.id, artifact.id, [f"of-{collection.name}"])
    for asker, seen in ((ann, ["of-data", "of-theirs"]), (bob, ["of-data"])):
        with privacy.asking(asker):
            assert [alias for _, alias in artifact_collections.aliases_seen(db, artifact.id)] == seen
            assert len(artifact_collections.memberships_of(db, artifact.id)) == len(seen)
