"""GraphQL's Project, as the SDK reads it."""

from __future__ import annotations


def test_missing_run_and_project_are_null(client):
    """What is not there is null where the SDK has its own words for that."""
    client.init("r")
    assert client.run("nope", "id") is None
    assert client.graphql('{ project(name: "nope") { id } }')["project"] is None
    query = '{ model(name: "p") { bucket(name: "nope", missingOk: true) { id } } }'
    assert client.graphql(query)["model"]["bucket"] is None
