"""What the SDK asks of the server as a whole: who asks, projects, users, charts."""

from __future__ import annotations


def test_viewer_is_the_embedded_user(client):
    """The key in the data directory is that of the user and entity `local`."""
    assert client.graphql("{ viewer { entity username flags } }")["viewer"] == {
        "entity": "local",
        "username": "local",
        "flags": "{}",
    }


def test_a_chart_is_kept_under_its_name(client):
    """Made again it keeps nothing of the first."""
    query = """mutation($spec: JSONString!) { createCustomChart(input: {entity: "local", name: "c", displayName: "C",
        type: "vega2", access: "private", spec: $spec}) { chart { id } } }"""
    assert [client.graphql(query, spec=spec)["createCustomChart"]["chart"]["id"] for spec in ("{}", "[]")]


def test_users_are_found_by_a_part_of_their_names(client):
    """In any case of letters; a percent sign is no wildcard."""
    query = "query($q: String) { users(query: $q) { edges { node { username entity } } } }"
    found = [client.graphql(query, q=part)["users"]["edges"] for part in (None, "OCA", "%")]
    assert found == [[{"node": {"username": "local", "entity": "local"}}]] * 2 + [[]]
