"""Artifacts as rows, and the runs that made and used them."""

from __future__ import annotations

import pytest

from sweeper.server.errors import NotFoundError
from sweeper.server.store import artifacts
from sweeper.server.store.artifacts import COMMITTED, INPUT, OUTPUT, PENDING


@pytest.fixture
def make_artifact(db, make_collection):
    """What begins an artifact of the collection `data`."""
    collection = make_collection("data")

    def make(digest: str = "d", *, now: float = 0, **columns):
        return artifacts.create(db, collection, digest, now=now, user_id=1, **columns)

    return make


def test_an_artifact_begins_unfinished(db, make_artifact):
    """It waits for its files, with what its client said of it."""
    made = make_artifact(metadata='{"a": 1}', ttl_s=60, now=3)
    assert (made.state, made.metadata, made.ttl_s, made.created_at, made.manifest) == (PENDING, '{"a": 1}', 60, 3, "")
    assert artifacts.get(db, made.id) == made
    changed = artifacts.update(db, made.id, now=5, state=COMMITTED)
    assert (changed.state, changed.updated_at, changed.created_at) == (COMMITTED, 5, 3)


def test_a_gone_artifact_is_not_found(db, make_artifact):
    """What was deleted is said to be gone, and no other one gets its number: clients remember it."""
    first = make_artifact()
    artifacts.delete(db, first.id)
    assert not artifacts.exists(db, first.id)
    with pytest.raises(NotFoundError):
        artifacts.get(db, first.id)
    assert make_artifact().id > first.id


def test_a_client_knows_an_artifact_by_a_name_of_its_own(db, make_artifact):
    """The first use of the name counts, until the artifact is gone."""
    first, second = make_artifact(), make_artifact()
    for made in (first, second):
        artifacts.remember_client(db, "c1", made.id)
    assert artifacts.of_client(db, "c1") == first.id
    assert artifacts.of_client(db, "c2") is None
    artifacts.delete(db, first.id)
    assert artifacts.of_client(db, "c1") is None


def test_the_same_content_is_found_once_committed(db, make_artifact, make_collection):
    """The newest with that digest in that collection; one that waits is none yet."""
    collection = make_collection("data")
    first, second, _ = make_artifact("x"), make_artifact("x"), make_artifact("x")
    assert artifacts.same_content(db, collection, "x") is None
    for made in (first, second):
        artifacts.update(db, made.id, now=0, state=COMMITTED)
    assert artifacts.same_content(db, collection, "x").id == second.id
    assert artifacts.same_content(db, make_collection("other"), "x") is None
    assert len(artifacts.of_sequence(db, collection.id)) == 3


def test_the_artifact_that_several_runs_fill_is_found_until_its_commit(db, make_artifact, make_collection):
    """They share a name for it; after the commit that name begins another one."""
    made = make_artifact(distributed_id="shared")
    assert artifacts.in_progress(db, make_collection("data"), "shared") == made
    artifacts.update(db, made.id, now=0, state=COMMITTED)
    assert artifacts.in_progress(db, make_collection("data"), "shared") is None


def test_what_was_begun_long_ago_is_given_up(db, make_artifact):
    """Not what is committed, nor what was changed since."""
    old, kept, young = make_artifact(now=1), make_artifact(now=1), make_artifact(now=10)
    artifacts.update(db, kept.id, now=1, state=COMMITTED)
    artifacts.delete_pending(db, before=5)
    assert [artifacts.exists(db, made.id) for made in (old, kept, young)] == [False, True, True]


def test_runs_make_and_use_artifacts(db, make_artifact, make_run):
    """Each is noted once, in order; a run's artifacts are the committed ones."""
    made, pending = make_artifact(), make_artifact()
    artifacts.update(db, made.id, now=0, state=COMMITTED)
    maker, user = make_run("maker"), make_run("user")
    for artifact in (made, pending, made):
        artifacts.note_run(db, artifact.id, maker.id, OUTPUT)
    for run in (user, maker):
        artifacts.note_run(db, made.id, run.id, INPUT)
    assert artifacts.runs_of(db, made.id, OUTPUT) == [maker.id]
    assert artifacts.runs_of(db, made.id, INPUT) == [user.id, maker.id]
    assert [found.id for found in artifacts.of_run(db, maker.id, OUTPUT)] == [made.id]
    assert artifacts.of_run(db, user.id, OUTPUT) == []
