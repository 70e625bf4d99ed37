"""Inputs of artifacts' mutations, which clients write in more ways than one."""

from __future__ import annotations

import pytest

from sweeper.server.errors import RequestError
from sweeper.server.graphql import artifact_inputs as sent_as
from sweeper.server.graphql import inputs

NEW = {"artifactTypeName": "t", "digest": "d"}


@pytest.mark.parametrize("key", ["artifactID", "artifactId"])
def test_an_id_is_read_in_both_spellings(key):
    """wandb-core writes artifactID, wandb.Api() artifactId."""
    assert inputs.read(sent_as.OneArtifact, {key: "x"}).artifact_id == "x"


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ({"artifactCollectionName": "one"}, "one"),
        ({"artifactCollectionNames": ["one", "two"]}, "one"),
        ({"artifactCollectionNames": []}, ""),
        ({}, ""),
    ],
)
def test_the_name_of_a_collection_comes_alone_or_in_a_list(sent, name):
    """A run sends one name, wandb.Api() a list with one; without any it is refused later, as an empty name."""
    assert inputs.read(sent_as.CreateArtifact, {**NEW, **sent}).name == name


def test_aliases_and_tags_come_as_texts_or_as_objects():
    """An alias brings its collection along, which the mutation has already."""
    sent = {**NEW, "aliases": ["a", {"alias": "b", "artifactCollectionName": "c"}], "tags": ["x", {"tagName": "y"}]}
    read = inputs.read(sent_as.CreateArtifact, sent)
    assert (read.aliases, read.tags) == (["a", "b"], ["x", "y"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"tags": [""]},
        {"tags": ["x" * 129]},
        {"tags": [{}]},
        {"aliases": [5]},
        {"historyStep": 2**63},
        {"digest": "d" * 201},
    ],
)
def test_what_the_database_cannot_hold_is_refused(wrong):
    """Tags of no length or too much, objects without their key, numbers of more than 64 bits."""
    with pytest.raises(RequestError, match="CreateArtifact input"):
        inputs.read(sent_as.CreateArtifact, {**NEW, **wrong})


def test_a_collection_is_named_by_either_kind_of_id():
    """One mutation serves sequences and portfolios."""
    for key in ("artifactSequenceID", "artifactPortfolioID", "artifactPortfolioId"):
        assert inputs.read(sent_as.ChangeCollection, {key: "x"}).id == "x"
    assert inputs.read(sent_as.ChangeCollection, {}).id == ""
