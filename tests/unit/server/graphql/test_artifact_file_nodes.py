"""Files of artifacts, as the SDK lists them."""

from __future__ import annotations


def test_files_are_listed_by_page(log):
    """A page has the length asked for, and the next one begins behind it."""
    log.contents = {f"{number:02}": str(number).encode() for number in range(5)}
    log.log()
    query = """query($after: String) { project(name: "p") { artifactCollectionMembership(name: "data") {
        files(first: 2, after: $after) { pageInfo { hasNextPage endCursor } edges { node { name } } } } } }"""
    names, after, more = [], None, True
    while more:
        page = log.client.graphql(query, after=after)["project"]["artifactCollectionMembership"]["files"]
        names += [edge["node"]["name"] for edge in page["edges"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert names == sorted(log.contents)
