"""Compressed request bodies."""

from __future__ import annotations

import gzip
import json

import pytest

from sweeper.server.http import compression, endpoints

GZIP = {"Content-Encoding": "gzip"}


def test_graphql_file_stream_and_uploads_may_be_gzipped(client):
    """Packed in one or in several members, a body means the same."""
    query = {"query": 'mutation { upsertBucket(input: {name: "r", modelName: "p"}) { inserted } }'}
    answer = client.http.post("/graphql", content=gzip.compress(json.dumps(query).encode()), headers=GZIP)
    assert answer.json() == {"data": {"upsertBucket": {"inserted": True}}}
    rows = [json.dumps({"_step": step, "text": "x" * 1000}) for step in range(1000)]
    body = json.dumps({"files": {"wandb-history.jsonl": {"content": rows}}}).encode()
    packed = gzip.compress(body[:500]) + gzip.compress(body[500:])
    answer = client.http.post("/files/local/p/r/file_stream", content=packed, headers=GZIP)
    assert answer.status_code == 200, answer.text
    assert client.run("r", "historyLineCount")["historyLineCount"] == 1000
    answer = client.http.put(client.upload_url("r", "a.bin"), content=gzip.compress(bytes(10**6)), headers=GZIP)
    assert answer.status_code == 200, answer.text
    assert client.http.get("/files/local/p/r/a.bin").content == bytes(10**6)


def test_a_bomb_is_refused_before_it_goes_off(client):
    """A body of 64 KiB that unpacks to more than a JSON body, or a file, may have is a 413."""
    bomb = gzip.compress(bytes(endpoints.MAX_BODY + 1))
    for path in ("/graphql", "/files/local/p/r/file_stream"):
        answer = client.http.post(path, content=bomb, headers=GZIP)
        assert (answer.status_code, "unpacks to more than" in answer.text) == (413, True)
    client.init("r")
    client.http.app.state.max_file = 2**20
    answer = client.http.put(client.upload_url("r", "a.bin"), content=bomb, headers=GZIP)
    assert answer.status_code == 413
    assert [path for path in (client.data_dir / "files").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("body", "encoding", "said"),
    [
        (b"{}", "gzip", "not gzip"),
        (gzip.compress(b"{}" * 1000, mtime=0)[:-9], "gzip", "cut off"),
        (b"", "gzip", "cut off"),
        (b"{}", "br", "'br' is not known"),
    ],
)
def test_what_cannot_be_unpacked_is_refused(client, body, encoding, said):
    """Another encoding, something else, and half a body are a client's mistakes."""
    answer = client.http.post("/graphql", content=body, headers={"Content-Encoding": encoding})
    assert answer.status_code == 400
    assert said in answer.json()["errors"][0]["message"]


def test_a_body_of_nothing_is_not_unpacked_for_ever(client):
    """Members without content, and blocks without content, have an end."""
    empty = gzip.compress(b"", mtime=0)
    answer = client.http.post("/graphql", content=empty * (compression.MAX_MEMBERS + 1), headers=GZIP)
    assert (answer.status_code, "members" in answer.text) == (400, True)
    begin, block = gzip.compress(b"", mtime=0)[:10], b"\0\0\0\xff\xff"
    answer = client.http.post("/graphql", content=begin + block * (endpoints.MAX_BODY // 4), headers=GZIP)
    assert (answer.status_code, "packed request" in answer.text) == (413, True)
