"""Pages of lists: their length, and cursors that survive new entries."""

from __future__ import annotations


def test_pages_join_without_gap_or_repeat(client):
    """Paging by the last edge's cursor lists every run once, even if a run comes in between two pages."""
    for i in range(5):
        client.init(f"r{i}")
    query = """query($after: String) { project(name: "p") { runs(first: 2, after: $after, order: "-created_at") {
        edges { node { name } cursor } pageInfo { hasNextPage endCursor } } } }"""
    names, after, more = [], None, True
    while more:
        page = client.graphql(query, after=after)["project"]["runs"]
        names += [edge["node"]["name"] for edge in page["edges"]]
        after, more = page["edges"][-1]["cursor"], page["pageInfo"]["hasNextPage"]
        client.init("late")
    assert names == ["r4", "r3", "r2", "r1", "r0"]
