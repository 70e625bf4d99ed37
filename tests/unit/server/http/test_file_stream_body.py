"""The body of a file_stream request, read and refused."""

from __future__ import annotations

import json

import pytest

from sweeper.server.errors import RequestError
from sweeper.server.http import file_stream_body
from sweeper.server.rules.file_stream import Chunk, Sent
from sweeper.server.store.lines import Stream


def test_files_are_streams_and_a_summary():
    """Each stream has its lines from its offset on; of several summaries the last one holds, each being whole."""
    body = b"""{"files": {
        "wandb-history.jsonl": {"offset": 3, "content": ["{}"]}, "output.log": {"content": ["x", "y"]},
        "wandb-summary.json": {"content": ["{}", "{\\"a\\": 1}"]}, "diff.patch": {"content": ["?"]}},
        "complete": true, "exitcode": 7}"""
    assert file_stream_body.read(body) == Sent(
        lines={Stream.HISTORY: Chunk(3, ["{}"]), Stream.CONSOLE: Chunk(0, ["x", "y"])},
        summary='{"a": 1}',
        complete=True,
        exit_code=7,
    )


@pytest.mark.parametrize("body", [b"", b"{}", b'{"files": {"wandb-summary.json": {"content": []}}}'])
def test_a_sign_of_life_brings_nothing(body):
    """An empty request is how a run says that it lives."""
    assert file_stream_body.read(body) == Sent()


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{",
        b'{"files": []}',
        b'{"files": {"wandb-history.jsonl": {"offset": -1, "content": []}}}',
        b'{"files": {"wandb-history.jsonl": {"offset": 1e30, "content": []}}}',
        b'{"files": {"wandb-history.jsonl": {"content": ["[]"]}}}',
        b'{"files": {"wandb-history.jsonl": {"content": ["{"]}}}',
        b'{"files": {"wandb-summary.json": {"content": ["3"]}}}',
        b'{"files": {"output.log": {"content": ["\\ud800"]}}}',
        b'{"complete": true, "exitcode": 99999999999999}',
    ],
)
def test_unreadable_stream_is_refused_whole(client, body):
    """A request that cannot be read is a 400, and nothing of it is stored."""
    client.init("r")
    answer = client.http.post("/files/local/p/r/file_stream", content=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["message"]
    assert client.run("r", "historyLineCount state") == {"historyLineCount": 0, "state": "running"}


def test_lines_of_one_request_are_counted(client):
    """While they are written everybody waits: more than a client sends at a time are refused."""
    client.init("r")
    half = {"content": [""] * (file_stream_body.MAX_CONTENT // 2 + 1)}
    answer = client.stream("r", status=413, files={"output.log": half, "wandb-events.jsonl": half})
    assert "at most" in answer["errors"][0]["message"]
    assert client.run("r", "logLineCount")["logLineCount"] == 0


@pytest.mark.parametrize("name", ["wandb-history.jsonl", "wandb-events.jsonl", "wandb-summary.json"])
def test_a_line_of_values_without_end_is_refused(client, name):
    """Each of its keys would be read, counted and kept; what a run prints may have as many commas as it likes."""
    client.init("r")
    line = '{"a": [' + "0," * (file_stream_body.MAX_ROW + 1) + "0]}"
    answer = client.stream("r", status=413, files={name: {"content": [line]}})
    assert "values" in answer["errors"][0]["message"]
    client.stream("r", files={"output.log": {"content": [line]}})


def test_just_so_many_lines_are_taken():
    """Over all streams of a request together."""
    most = file_stream_body.MAX_CONTENT
    files = {"output.log": {"content": [""] * (most - 1)}, "wandb-events.jsonl": {"content": ["{}"]}}
    assert len(file_stream_body.read(json.dumps({"files": files}).encode()).lines) == 2
    files["wandb-events.jsonl"] = {"content": ["{}", "{}"]}
    with pytest.raises(RequestError, match="at most"):
        file_stream_body.read(json.dumps({"files": files}).encode())
