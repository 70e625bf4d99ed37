"""Who comes in: keys, the Host header, foreign pages; and what everybody may see."""

from __future__ import annotations

import base64
import os

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


def test_browser_is_asked_for_the_key(client):
    """A page without a key makes a browser ask for one; the API does not."""
    assert "Basic" in client.http.get("/", headers={"Authorization": ""}).headers["WWW-Authenticate"]
    answer = client.http.post("/graphql", json={}, headers={"Authorization": ""})
    assert "WWW-Authenticate" not in answer.headers


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "127.0.0.1@evil.example", "[bad"])
def test_other_names_for_the_server_are_refused(client, host):
    """A page elsewhere cannot reach the server by letting its own name point here."""
    assert client.http.get("/healthz", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "LOCALHOST"])
def test_names_of_this_machine_are_taken(client, host):
    """The bound names are taken with any port."""
    assert client.http.get("/healthz", headers={"Host": host}).status_code == 200


def test_pages_of_other_sites_cannot_use_a_browsers_key(client):
    """A request that a page of another origin sends with the browser's stored key is refused."""
    query = {"query": "{ viewer { id } }"}
    assert client.http.post("/graphql", json=query, headers={"Origin": "http://evil.example"}).status_code == 403
    assert client.http.post("/graphql", json=query, headers={"Origin": "http://127.0.0.1:1"}).status_code == 200


def test_health_needs_no_key(client):
    """Anybody on the machine may ask whether the server is there, and which process it is."""
    answer = client.http.get("/healthz", headers={"Authorization": ""})
    assert answer.json()["service"] == "sweeper"
    assert answer.json()["pid"] == os.getpid()


def test_telemetry_is_taken_without_a_key(client):
    """The SDK's telemetry, sent without a key, is answered with an empty 200."""
    answer = client.http.post("/sdk/otel/v1/metrics", content=b"\x00\x01", headers={"Authorization": ""})
    assert (answer.status_code, answer.content) == (200, b"")


def test_unknown_address_is_not_found(client):
    """An address nobody serves is 404 with a message, not a page of HTML."""
    answer = client.http.get("/a/b/c/d/e")
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["message"]
