"""Models, drawn in a frame that has no origin: it reads the one content that is signed for."""

from __future__ import annotations

import base64
import time
from urllib.parse import parse_qs, urlsplit

import pytest

from sweeper.server.http import models
from sweeper.server.store import users
from tests.unit.server.artifact_logger import Logger

FRAME = {"Authorization": "", "Cookie": "", "Origin": "null", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
"""What a browser sends for a script in a frame without an origin."""


@pytest.fixture
def server(client):
    """A server with a model in a run and in an artifact."""
    client.init("r")
    client.upload("r", "out/a b.onnx", b"of the run")
    Logger(client, "net", {"m.onnx": b"of the artifact"}).log()
    return client


OF_RUN = "/-/models/local/p/runs/r/out/a%20b.onnx"
OF_ARTIFACT = "/-/models/local/p/artifacts/net/v0/m.onnx"


def basic(key):
    """Write a key as the SDK sends it."""
    return "Basic " + base64.b64encode(f"api:{key}".encode()).decode()


def sent_on(server, path, **headers):
    """Ask for a model; give what Netron is told of it: the address of the content, and its name."""
    answer = server.http.get(path, headers=headers, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    there = urlsplit(answer.headers["location"])
    assert there.path == "/-/netron/index.html"
    assert answer.headers["cache-control"] == "no-store"
    query = parse_qs(there.query)
    return query["url"][0], query["identifier"][0]


@pytest.mark.parametrize(
    ("path", "content", "name"), [(OF_RUN, b"of the run", "a b.onnx"), (OF_ARTIFACT, b"of the artifact", "m.onnx")]
)
def test_netron_reads_what_it_is_sent_to(server, path, content, name):
    """Without a key, without a session and without an origin."""
    address, identifier = sent_on(server, path)
    answer = server.http.get(address, headers=FRAME)
    assert (answer.content, identifier) == (content, name)
    assert answer.headers["access-control-allow-origin"] == "null"
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", [OF_RUN, OF_ARTIFACT])
def test_who_is_logged_in_is_sent_on_too(server, path):
    """By a session, which knows no key: what is signed for it ends with the key all the same."""
    link = server.http.post("/login/link").json()["path"]
    server.http.headers["Authorization"] = ""
    server.http.get(link)
    address, _ = sent_on(server, path)
    assert server.http.get(address, headers=FRAME).status_code == 200
    users.rotate_key(server.data_dir, "local")
    assert server.http.get(address, headers=FRAME).status_code == 403
    assert server.http.get(path, follow_redirects=False).status_code == 401


def test_an_address_opens_one_content_for_a_while(server, monkeypatch):
    """Not another file, not without its token, and not a quarter of an hour later."""
    server.upload("r", "other.onnx", b"other")
    address, _ = sent_on(server, OF_RUN)
    path, token = address.split("?")
    for wrong in (path, path + "?token=1.2.3", f"/-/model-content/local/p/r/other.onnx?{token}"):
        assert server.http.get(wrong).status_code == 403, wrong
    later = time.time() + models.DRAWN_S + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert server.http.get(address, headers=FRAME).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/-/models/local/p/runs/r/nope.onnx",
        "/-/models/local/p/runs/nope/out/a%20b.onnx",
        "/-/models/local/p/artifacts/net/v0/nope.onnx",
        "/-/models/local/p/artifacts/net/v7/m.onnx",
        "/-/models/local/nope/runs/r/out/a%20b.onnx",
    ],
)
def test_what_is_not_there_is_signed_for_nobody(server, path):
    """Neither for who has a key."""
    assert server.http.get(path, follow_redirects=False).status_code == 404


def test_a_private_model_is_drawn_for_its_owner_alone(server):
    """To others there is none; for the owner it is drawn, though its frame says no name."""
    ann, bob = (users.add_user(server.data_dir, name) for name in ("ann", "bob"))
    as_ann, as_bob = ({"Authorization": basic(key)} for key in (ann, bob))
    query = """mutation { upsertModel(input: {name: "hers", entityName: "ann", access: "RESTRICTED"}) { inserted } }"""
    server.http.post("/graphql", json={"query": query}, headers=as_ann)
    query = """mutation { upsertBucket(input: {name: "s", modelName: "hers", entityName: "ann"}) { inserted } }"""
    server.http.post("/graphql", json={"query": query}, headers=as_ann)
    query = """mutation { createRunFiles(input: {projectName: "hers", entityName: "ann", runName: "s",
        files: ["m.onnx"]}) { files { uploadUrl } } }"""
    told = server.http.post("/graphql", json={"query": query}, headers=as_ann).json()["data"]
    server.http.put(told["createRunFiles"]["files"][0]["uploadUrl"], content=b"hers", headers={"Authorization": ""})
    path = "/-/models/ann/hers/runs/s/m.onnx"
    assert server.http.get(path, headers=as_bob, follow_redirects=False).status_code == 404
    address, _ = sent_on(server, path, **as_ann)
    assert server.http.get(address, headers=FRAME).content == b"hers"
