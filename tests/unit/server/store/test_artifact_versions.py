"""Versions of artifacts as pages list them."""

from __future__ import annotations

import pytest

from sweeper.run import RunState
from sweeper.server.store import artifact_collections, artifact_versions, artifacts, privacy, runs, users
from sweeper.server.store.artifact_collections import Membership
from sweeper.server.store.artifacts import COMMITTED, INPUT, OUTPUT, PENDING


@pytest.fixture
def commit(db):
    """What makes the next version of a collection."""

    def make(collection, *aliases, state=COMMITTED, now=1.0):
        made = artifacts.create(db, collection, "d", now=now, user_id=1, state=state, size=7, file_count=2)
        version = artifact_collections.take_version(db, collection.id, now=now)
        artifact_collections.add_membership(db, Membership(collection.id, version, made.id, now))
        artifact_collections.set_aliases(db, collection.id, made.id, list(aliases))
        return made

    return make


def test_versions_of_a_name_are_listed(db, make_collection, commit):
    """The newest first, each with its aliases; one that was never whole is none."""
    data = make_collection("data")
    commit(data)
    commit(data, "latest", "best")
    commit(data, state=PENDING)
    commit(make_collection("other"), "latest")
    listed = artifact_versions.of_collection(db, data.id)
    assert [(one.label, sorted(one.aliases), one.size, one.file_count, one.count) for one in listed] == [
        ("data:v1", ["best", "latest"], 7, 2, 3),
        ("data:v0", [], 7, 2, 3),
    ]


def test_a_project_lists_the_newest_of_each_name(db, make_collection, commit):
    """By type and name."""
    for name in ("b", "a", "b"):
        commit(make_collection(name))
    listed = artifact_versions.newest_of_project(db, make_collection("a").project_id)
    assert [one.label for one in listed] == ["a:v0", "b:v1"]


def test_runs_and_artifacts_know_each_other(db, make_collection, commit):
    """What a run made and used, and which runs made and used an artifact, as the pages name them."""
    data, net = commit(make_collection("data")), commit(make_collection("net"), "latest")
    place = make_collection("data").project_id
    run = runs.create(db, place, "r", state=RunState.FINISHED, now=1)
    artifacts.note_run(db, data.id, run.id, INPUT)
    artifacts.note_run(db, net.id, run.id, OUTPUT)
    assert [one.label for one in artifact_versions.of_run(db, run.id, INPUT)] == ["data:v0"]
    assert [one.label for one in artifact_versions.of_run(db, run.id, OUTPUT)] == ["net:v0"]
    (around,) = artifact_versions.runs_around(db, net.id, OUTPUT)
    assert (around.name, around.state, around.display_name) == ("r", RunState.FINISHED, "run-1")
    assert artifact_versions.runs_around(db, net.id, INPUT) == []


def test_what_lies_in_a_hidden_project_is_not_listed(db, make_collection, commit):
    """Neither versions nor runs, whoever refers to them."""
    net = commit(make_collection("net"))
    collection = make_collection("net")
    run = runs.create(db, collection.project_id, "r", state=RunState.FINISHED, now=1)
    artifacts.note_run(db, net.id, run.id, OUTPUT)
    owner, other = (users.ensure_user(db, name, name * 20, now=1) for name in ("owner", "other"))
    db.execute("UPDATE projects SET private = 1, owner_id = ?", (owner.id,))
    for user, seen in ((owner, 1), (other, 0)):
        with privacy.asking(user):
            assert len(artifact_versions.of_collection(db, collection.id)) == seen
            assert len(artifact_versions.newest_of_project(db, collection.project_id)) == seen
            assert len(artifact_versions.of_run(db, run.id, OUTPUT)) == seen
            assert len(artifact_versions.runs_around(db, net.id, OUTPUT)) == seen
