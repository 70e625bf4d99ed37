"""Users, entities, and what this server has none of: the SDK's own words follow from what is answered."""

from __future__ import annotations

import pytest

TEAM = """query GetTeamEntity($name: String!) { entity(name: $name) {
    name isTeam readOnlyAdmin privateOnly storageBytes codeSavingEnabled defaultAccess
    members { username name admin pending accountType apiKey } } }"""


def test_a_team_is_a_user_or_said_to_be_none(client):
    """A user is the one member of their entity, an entity with projects has none, and an unknown one is not found."""
    (member,) = client.graphql(TEAM, name="local")["entity"]["members"]
    assert (member["username"], member["admin"], member["apiKey"]) == ("local", True, None)
    client.graphql('mutation { upsertModel(input: {name: "p", entityName: "others"}) { inserted } }')
    assert client.graphql(TEAM, name="others")["entity"]["members"] == []
    answer = client.http.post("/graphql", json={"query": TEAM, "variables": {"name": "nobody"}})
    # words in an answer: of a refused request the SDKs up to 0.25 show the status alone
    assert (answer.status_code, answer.json()["data"]) == (200, None)
    assert "no team or user 'nobody' here" in answer.json()["errors"][0]["message"]


def test_an_entitys_user_has_no_organization(client):
    """The SDK then says that an organization cannot be told from the entity; an unknown one is not found."""
    query = "query($n: String!) { entity(name: $n) { organization { name } user { name organizations { name } } } }"
    assert client.graphql(query, n="local")["entity"]["user"] == {"name": "local", "organizations": []}
    assert client.graphql(query, n="nobody")["entity"] == {"organization": None, "user": None}
    found = client.graphql('query FetchOrganization { organization(name: "x") { id name orgEntity { name } } }')
    assert found["organization"] is None


@pytest.mark.parametrize("scope", ["viewer", 'entity(name: "local")'])
def test_there_are_no_automations_and_no_integrations(client, scope):
    """Projects are walked for automations and have none; an entity has neither these nor integrations."""
    client.init("r")
    found = client.graphql(f"{{ scope: {scope} {{ projects {{ edges {{ node {{ name triggers {{ id }} }} }} }} }} }}")
    assert found["scope"]["projects"]["edges"] == [{"node": {"name": "p", "triggers": []}}]
    pages = "triggers { edges { node { id } } } integrations { edges { node { __typename } } pageInfo { hasNextPage } }"
    empty = client.graphql(f'{{ entity(name: "local") {{ {pages} }} }}')["entity"]
    assert [page["edges"] for page in empty.values()] == [[], []]
