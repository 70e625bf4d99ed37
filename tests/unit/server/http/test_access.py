"""Who comes in: keys, the Host header, foreign pages; and what everybody may see."""

from __future__ import annotations

import base64

import pytest


def basic(key, user="api"):
    return "Basic " + base64.b64encode(f"{user}:{key}".encode()).decode()


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic !!!", basic(""), basic("0" * 40), "Bearer " + "0" * 40, "Basic " + "A" * 5],
)
def test_without_a_known_key_nobody_comes_in(client, header):
    """A missing, unreadable or unknown key is answered with 401 and a message the SDK shows."""
    answer = client.http.post("/graphql", json={"query": "{ viewer { id } }"}, headers={"Authorization": header})
    assert answer.status_code == 401
    assert "WANDB_API_KEY" in answer.json()["errors"][0]["message"]


def test_who_reads_without_a_key_is_told_how_to_send_one(client):
    """At curl a person reads that it goes in the password; the API says nothing of passwords."""
    assert "Basic" in client.http.get("/", headers={"Authorization": ""}).headers["WWW-Authenticate"]
    answer = client.http.post("/graphql", json={}, headers={"Authorization": ""})
    assert "WWW-Authenticate" not in answer.headers


HOSTS_OF_OTHERS = ["evil.example", "127.0.0.1.evil.example", "", "127.0.0.1@evil.example", "[bad", "127.0.0.1/healthz?"]


@pytest.mark.parametrize("host", HOSTS_OF_OTHERS)
def test_other_names_for_the_server_are_refused(client, host):
    """A page elsewhere cannot reach the server by letting its own name point here."""
    assert client.http.get("/healthz", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "LOCALHOST", "[::1]:80", "192.0.2.7:1"])
def test_names_of_this_machine_are_taken(client, host):
    """The bound names are taken with any port, and so are bare addresses, which nobody can point elsewhere."""
    assert client.http.get("/healthz", headers={"Host": host}).status_code == 200


def test_pages_of_other_sites_cannot_use_a_browsers_key(client):
    """A request that a page of another origin sends with the browser's stored key is refused."""
    query = {"query": "{ viewer { id } }"}
    assert client.http.post("/graphql", json=query, headers={"Origin": "http://evil.example"}).status_code == 403
    assert client.http.post("/graphql", json=query, headers={"Origin": "http://127.0.0.1:1"}).status_code == 200


@pytest.mark.parametrize(
    ("site", "mode", "method", "status"),
    [
        ("cross-site", "cors", "GET", 403),
        ("same-site", "no-cors", "GET", 403),
        ("cross-site", "navigate", "POST", 403),
        ("cross-site", "navigate", "GET", 200),
        ("same-origin", "cors", "GET", 200),
        ("none", "navigate", "GET", 200),
    ],
)
def test_what_a_browser_sends_for_another_page_is_refused(client, site, mode, method, status):
    """Another site, or another port of this machine, may link to a page and not use it otherwise."""
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
    assert client.http.request(method, "/", headers=headers).status_code == status


@pytest.mark.parametrize("path", ["/healthzzz/p", "/login/p", "/healthz/p"])
def test_what_only_looks_like_an_open_address_is_guarded(client, path):
    """An entity whose name begins like an open address is shown to nobody without a key."""
    entity = path.split("/")[1]
    query = 'mutation($e: String) { upsertModel(input: {name: "p", entityName: $e}) { inserted } }'
    client.graphql(query, e=entity)
    assert client.http.get(path).status_code == 200
    assert client.http.get(path, headers={"Authorization": ""}).status_code == 401
