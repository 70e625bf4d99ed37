"""Which node stands for which type, and that no field of the schema lacks what answers it."""

from __future__ import annotations

import dataclasses
from typing import get_args

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLScalarType, GraphQLUnionType, get_named_type

from sweeper.server.graphql import types
from sweeper.server.graphql.artifact_file_nodes import ArtifactFileNode
from sweeper.server.graphql.executor import _schema, _snake_case
from sweeper.server.graphql.operations import Operations
from sweeper.server.graphql.run_file_nodes import FileNode

BY_NAME = {name: [node] for name, node in types.NODES.items() if isinstance(node, type)} | {
    "File": [FileNode, ArtifactFileNode]
}


def answered_by(node):
    """List what a node class answers: its own attributes, and the columns of its row."""
    (row,) = get_args(node.__orig_bases__[0])
    return {*dir(node), *(column.name for column in dataclasses.fields(row))}


@pytest.mark.parametrize("name", sorted(set(BY_NAME) - {"CreatedBy"}))
def test_every_field_of_a_type_is_answered_by_its_node(name):
    """A field that neither the node nor its row has would be an error for whoever asks for it."""
    fields = {_snake_case(field) for field in _schema().type_map[name].fields}
    for node in BY_NAME[name]:
        assert fields - answered_by(node) == set(), node


@pytest.mark.parametrize("root", ["Query", "Mutation"])
def test_every_field_of_the_roots_is_an_operation(root):
    """What the schema offers at its top is a method of Operations."""
    assert {_snake_case(field) for field in _schema().type_map[root].fields} - set(dir(Operations)) == set()


def test_a_type_with_a_node_is_one_of_the_schema():
    """A name misspelt in the table would leave rows without their node."""
    assert set(types.NODES) - set(_schema().type_map) == set()


def test_every_interface_and_union_knows_what_a_value_is():
    """One that does not would fail every request with a fragment on it."""
    kinds = _schema().type_map.values()
    abstract = {kind.name for kind in kinds if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType)}
    assert set(types.KINDS) == abstract


def test_a_type_that_leads_to_a_row_is_a_node_wherever_it_stands():
    """Types with fields of their own that are neither pages nor payloads have a node, or are written out as dicts."""
    written_out = {"User", "Entity", "ArtifactAlias", "Tag", "ArtifactManifest", "LogLine", "View", "RunFile"}
    wide = {
        kind.name
        for kind in _schema().type_map.values()
        if isinstance(kind, GraphQLObjectType) and "id" in kind.fields and not kind.name.startswith("__")
    }
    plain = {"ApiKey", "CustomChart", "EnqueueSweepRunPayload", "ArtifactPortfolio", "Member"}
    none_of = {"Organization", "SlackIntegration", "GenericWebhookIntegration", "Trigger", "RunQueue"}
    assert wide - set(types.NODES) - plain - none_of == written_out - {"LogLine", "RunFile"}


def test_a_collection_is_what_it_was_made_as(log, client):
    """Fragments on ArtifactSequence and ArtifactPortfolio find their own, and the run that logged is a Run."""
    artifact = log.log()
    link = """mutation($i: LinkArtifactInput!) { linkArtifact(input: $i) {
        artifactMembership { artifactCollection { __typename name } } } }"""
    linked = client.graphql(link, i={"artifactID": artifact, "artifactPortfolioName": "best", "projectName": "p"})
    assert linked["linkArtifact"]["artifactMembership"]["artifactCollection"] == {
        "__typename": "ArtifactPortfolio",
        "name": "best",
    }
    query = """{ project(name: "p") { artifactCollection(name: "data") { __typename
        ... on ArtifactSequence { latestArtifact { id createdBy { __typename ... on Run { name } } } } } } }"""
    found = client.graphql(query)["project"]["artifactCollection"]
    assert found["__typename"] == "ArtifactSequence"
    assert found["latestArtifact"] == {"id": artifact, "createdBy": None}


def test_the_inputs_of_mutations_are_opaque():
    """A newer SDK sends fields that the schema does not know: inputs.py passes over them, validation would not."""
    arguments = [arg.type for field in _schema().mutation_type.fields.values() for arg in field.args.values()]
    assert {type(get_named_type(kind)) for kind in arguments} == {GraphQLScalarType}
