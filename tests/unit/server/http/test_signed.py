"""Signed addresses end with the key of whoever asked for them, and not for those who upload slowly."""

from __future__ import annotations

import base64
import hashlib
import time

import pytest

from sweeper.server.graphql.artifact_addresses import READ, WRITE
from sweeper.server.store import users

MD5 = hashlib.md5(b"new", usedforsecurity=False).hexdigest()


@pytest.fixture
def ann(client):
    """A client with a user `ann` beside its own; gives the addresses that she was given for a file and two contents."""
    client.http.headers["Authorization"] = authorization(users.add_user(client.data_dir, "ann"))
    query = 'mutation { upsertBucket(input: {name: "r", modelName: "p", entityName: "local"}) { inserted } }'
    assert client.graphql(query)["upsertBucket"]["inserted"]
    query = """mutation { createRunFiles(input: {projectName: "p", entityName: "local", runName: "r",
        files: ["model.onnx"]}) { files { uploadUrl } } }"""
    (file,) = client.graphql(query)["createRunFiles"]["files"]
    assert client.http.put(file["uploadUrl"], content=b"old").status_code == 200
    state = client.http.app.state
    user = state.keys.owner(base64.b64decode(client.http.headers["Authorization"].split()[1]).decode()[4:])

    def sign(*asked):
        return state.signer.token(*asked, user_id=user.id, key=user.key, until=time.time() + 60)

    urls = {
        "file": file["uploadUrl"],
        "content": f"/artifact-files/1/{MD5}?limit=9&token={sign(WRITE, '1', MD5, '9')}",
        "read": f"/artifact-files/1/{MD5}?token={sign(READ, '1', MD5)}",
    }
    client.http.headers["Authorization"] = ""
    return urls


def authorization(key):
    return "Basic " + base64.b64encode(f"api:{key}".encode()).decode()


@pytest.mark.parametrize("end", [users.rotate_key, users.remove_user])
def test_addresses_end_with_the_key_they_were_given_for(client, ann, end):
    """After rotate-key and remove-user nothing is written or read at them, whoever takes the user's place."""
    assert client.http.put(ann["content"], content=b"new").status_code == 200
    assert client.http.get(ann["read"]).status_code == 200
    end(client.data_dir, "ann")
    users.add_user(client.data_dir, "ann" if end is users.remove_user else "bob")
    assert client.http.put(ann["file"], content=b"new").status_code == 403
    assert client.http.put(ann["content"], content=b"new").status_code == 403
    assert client.http.get(ann["read"]).status_code == 403
    assert (client.data_dir / "files/local/p/r/model.onnx").read_bytes() == b"old"


@pytest.mark.parametrize("place", ["file", "content"])
def test_an_upload_under_way_ends_with_the_key(client, ann, place):
    """What is still coming when the key ends is not taken."""

    def coming():
        yield b"ne"
        users.remove_user(client.data_dir, "ann")
        yield b"w"

    assert client.http.put(ann[place], content=coming()).status_code == 403
    assert (client.data_dir / "files/local/p/r/model.onnx").read_bytes() == b"old"
    assert not list((client.data_dir / "artifacts").glob("*/*/*"))


def test_a_further_key_ends_no_address(client, ann):
    """Only the key that it was signed for counts."""
    users.add_user(client.data_dir, "ann")
    assert client.http.put(ann["file"], content=b"new").status_code == 200


def test_an_upload_may_outlast_its_address(client):
    """Its time counts when the upload begins; one that begins later is refused."""
    client.init("r")
    state = client.http.app.state
    user = state.keys.owner((client.data_dir / "api-key").read_text().strip())
    until = int(time.time()) + 1
    token = state.signer.token("upload", "local", "p", "r", "a.txt", user_id=user.id, key=user.key, until=until)

    def slowly():
        yield b"a"
        while time.time() < until + 1.01:
            time.sleep(0.05)
        yield b"b"

    url = f"/files/local/p/r/a.txt?token={token}"
    assert client.http.put(url, content=slowly()).status_code == 200
    assert client.http.put(url, content=b"c").status_code == 403
