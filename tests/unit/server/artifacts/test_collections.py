"""What names, versions and aliases of artifacts may be, and who has them."""

from __future__ import annotations

import pytest

from sweeper.server.artifacts import collections
from sweeper.server.artifacts.collections import changed_tags, check_alias, check_word, version_of
from sweeper.server.errors import RequestError
from sweeper.server.store import artifact_collections
from sweeper.server.store.artifact_collections import PORTFOLIO, SEQUENCE


@pytest.mark.parametrize("word", ["data", "run-abc-table", "ünï", "v3x", "a.b", "%"])
def test_most_words_can_be_in_an_address(word):
    """`name:alias` is taken apart at the colon, and nothing else is special."""
    assert check_word(word, "a name") == check_alias(word) == word


@pytest.mark.parametrize("word", ["", ".", "..", "a/b", "a:b", "a\nb", "x" * 129, "\ud800", "a\n"])
def test_a_word_that_would_break_an_address_is_refused(word):
    """The refusal says what it was to be."""
    with pytest.raises(RequestError, match="cannot be a name"):
        check_word(word, "a name")


@pytest.mark.parametrize(
    ("alias", "version"),
    [
        ("v0", 0),
        ("v12", 12),
        ("v01", None),
        ("v", None),
        ("V1", None),
        ("v1 ", None),
        ("v" + "1" * 30, None),
        ("v٣", None),
    ],
)
def test_an_alias_that_names_a_version_is_none_to_give(alias, version):
    """`v3` is the fourth version whatever people say; what only looks like one may be given."""
    assert version_of(alias) == version
    if version is not None:
        with pytest.raises(RequestError, match="names a version"):
            check_alias(alias)


def test_a_name_keeps_its_kind_and_type(log):
    """A sequence is no portfolio, and a dataset no model."""
    known = log.collection()
    with log.store.write() as db:
        for kind, artifact_type in ((PORTFOLIO, "dataset"), (SEQUENCE, "model")):
            with pytest.raises(RequestError, match="is a ArtifactSequence of type 'dataset'"):
                collections.ensure(db, known.project_id, "data", kind, artifact_type, now=0)
        with pytest.raises(RequestError, match="an artifact's type"):
            collections.ensure(db, known.project_id, "new", SEQUENCE, "a/b", now=0)
        assert artifact_collections.find(db, known.project_id, "new") is None


def test_a_new_version_is_the_latest(log):
    """Enrolled again, an artifact stays the version it is, and becomes the latest."""
    collection, first, second = log.collection(), log.begin(), log.begin()
    with log.store.write() as db:
        members = [collections.enrol(db, collection, artifact.id, now=1) for artifact in (first, second, first)]
    assert [member.version for member in members] == [0, 1, 0]
    assert log.versions(collection.id) == {1: [], 0: ["latest"]}


def test_a_version_is_found_by_number_or_alias(log):
    """A number that was never given and an alias that nobody has find nothing."""
    collection, artifact = log.collection(), log.begin()
    with log.store.write() as db:
        member = collections.enrol(db, collection, artifact.id, now=1)
        collections.give_aliases(db, collection.id, artifact.id, ["best"])
        found = {
            alias: collections.resolve(db, collection.id, alias) for alias in ("v0", "best", "latest", "v1", "worst")
        }
    assert found == {"v0": member, "best": member, "latest": member, "v1": None, "worst": None}


def test_a_wrong_alias_gives_none(log):
    """One that cannot be given leaves the others ungiven too."""
    collection, artifact = log.collection(), log.begin()
    with log.store.write() as db:
        collections.enrol(db, collection, artifact.id, now=1)
        with pytest.raises(RequestError):
            collections.give_aliases(db, collection.id, artifact.id, ["good", "v7"])
    assert log.versions(collection.id) == {0: ["latest"]}


def test_tags_are_kept_in_order_once_each():
    """Taken before they are added, so that one of both stays."""
    assert changed_tags('["a", "b", "c"]', ["d", "b", "d", "a"], ["a", "x"]) == '["b", "c", "d", "a"]'
