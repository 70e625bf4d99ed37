"""Mutations of collections: aliases, links, names, tags."""

from __future__ import annotations


def test_a_name_keeps_its_type_and_kind(log):
    """A name of one type cannot be logged with another, nor linked to as if it were a portfolio."""
    artifact = log.log()
    assert "dataset" in log.create(status=400, artifactTypeName="model")
    query = """mutation($i: LinkArtifactInput!) { linkArtifact(input: $i) { versionIndex } }"""
    link = {"artifactID": artifact, "artifactPortfolioName": "data", "projectName": "p"}
    assert "ArtifactSequence" in log.client.graphql(query, i=link, status=400)
