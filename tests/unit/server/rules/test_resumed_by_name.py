"""A run that is resumed by its name alone, as SDKs before 0.18 do: they ask for it, begin it, and count on."""

from __future__ import annotations

import json

import pytest

ASK = 'query { model(name: "p") { bucket(name: "r", missingOk: true) { historyLineCount logLineCount } } }'
BEGIN = """mutation { upsertBucket(input: {name: "r", modelName: "p", host: "h", config: "{}"}) {
    bucket { historyLineCount } } }"""


def log(client, *steps, offset=0, printed=None):
    """Begin the run, log a row for each step, print a line, and end."""
    client.graphql(BEGIN)
    rows = {"offset": offset, "content": [json.dumps({"_step": step, "a": step}) for step in steps]}
    summary = {"offset": 0, "content": [json.dumps({"a": steps[-1]})]}
    lines = {"offset": offset if printed is None else printed, "content": ["2026-01-01T00:00:00 said"]}
    client.stream("r", files={"wandb-history.jsonl": rows, "wandb-summary.json": summary, "output.log": lines})
    client.stream("r", complete=True, exitcode=0)


def kept(client):
    """What is there of the run: its steps, its last value, how many lines it printed, and its state."""
    found = client.run("r", "state summaryMetrics logLineCount history")
    steps = [json.loads(row)["_step"] for row in found["history"]]
    return steps, json.loads(found["summaryMetrics"])["a"], found["logLineCount"], found["state"]


def test_who_asked_before_goes_on_behind_what_is_there(client):
    """The rows and lines of both are there."""
    log(client, 0, 1, printed=0)
    asked = client.graphql(ASK)["model"]["bucket"]
    assert asked == {"historyLineCount": 2, "logLineCount": 1}
    log(client, 2, 3, offset=2, printed=1)
    assert kept(client) == ([0, 1, 2, 3], 3, 2, "finished")


@pytest.mark.parametrize("asks", [False, True])
def test_who_counts_from_the_beginning_overwrites(client, asks):
    """Whoever asked: `resume="never"` asks too, is refused, and the id is then used anew."""
    log(client, 0, 1, 2)
    if asks:
        client.graphql(ASK)
    log(client, 0)
    assert kept(client) == ([0], 0, 1, "finished")


def test_who_has_gone_on_leaves_nothing_behind(client):
    """The next process begins anew, unless it asks as well."""
    log(client, 0, 1)
    client.graphql(ASK)
    log(client, 2, offset=2, printed=1)
    assert client.graphql(BEGIN)["upsertBucket"]["bucket"]["historyLineCount"] == 0
