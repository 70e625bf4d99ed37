"""What the SDK asks of the server as a whole: who asks, projects, users, charts."""

from __future__ import annotations

from sweeper.server.graphql.operations import FEATURES


def test_viewer_is_the_embedded_user(client):
    """The key in the data directory is that of the user and entity `local`."""
    assert client.graphql("{ viewer { entity username flags } }")["viewer"] == {
        "entity": "local",
        "username": "local",
        "flags": "{}",
    }


def test_a_chart_is_kept_under_its_name(client):
    """Made again it takes the place of the first; it is a whole one or none."""
    query = """mutation($spec: JSONString!) { createCustomChart(input: {entity: "local", name: "c", displayName: "C",
        type: "vega2", access: "private", spec: $spec}) { chart { id } } }"""
    for spec in ("{}", "[]"):
        assert client.graphql(query, spec=spec)["createCustomChart"]["chart"]["id"]
    with client.http.app.state.store.read() as db:
        kept = db.execute("SELECT entity, name, display_name, spec FROM custom_charts").fetchall()
    assert [tuple(row) for row in kept] == [("local", "c", "C", "[]")]
    client.graphql('mutation { createCustomChart(input: {name: "c"}) { chart { id } } }', status=400)


def test_users_are_found_by_a_part_of_their_names(client):
    """In any case of letters; a percent sign is no wildcard."""
    query = "query($q: String) { users(query: $q) { edges { node { username entity } } } }"
    found = [client.graphql(query, q=part)["users"]["edges"] for part in (None, "OCA", "%")]
    assert found == [[{"node": {"username": "local", "entity": "local"}}]] * 2 + [[]]


def test_projects_are_made_and_listed(client):
    """The newest first, by page; made again, a project is the one that was there."""
    query = "mutation($n: String!) { upsertModel(input: {name: $n}) { inserted project { name } model { name } } }"
    made = [client.graphql(query, n=name)["upsertModel"] for name in ("a", "b", "a")]
    assert [found["inserted"] for found in made] == [True, True, False]
    assert made[0]["project"] == made[0]["model"] == {"name": "a"}
    listed = client.graphql("{ models(first: 1) { edges { node { name entityName } } pageInfo { hasNextPage } } }")[
        "models"
    ]
    assert listed["edges"] == [{"node": {"name": "b", "entityName": "local"}}]
    assert listed["pageInfo"]["hasNextPage"]
    assert client.graphql('{ models(entityName: "ann") { edges { node { name } } } }')["models"]["edges"] == []


def test_few_features_are_announced(client):
    """Each one changes which requests come: only those that are answered here are among them."""
    found = client.graphql(
        "{ serverInfo { cliVersionInfo features { name isEnabled } } organization { featureFlags { rampKey } } }"
    )
    assert {feature["name"] for feature in found["serverInfo"]["features"]} == set(FEATURES)
    assert all(feature["isEnabled"] for feature in found["serverInfo"]["features"])
    assert found["organization"] is None


def test_an_entity_has_no_organization(client):
    """With one, the SDK would ask an address of the cloud about it."""
    query = "{ entity { name organization { coreWeaveOrganizationId } } }"
    assert client.graphql(query)["entity"] == {"name": "local", "organization": None}
