"""A run in several parts, synced one by one as SDK 0.29 does: none of them resumes."""

from __future__ import annotations

import json

import pytest

BEGIN = """mutation($program: String) { upsertBucket(input: {name: "r", modelName: "p", host: "h", config: "{}",
    jobProgram: $program}) { inserted bucket { historyLineCount } } }"""
COMMAND = "/venv/bin/wandb"


def sync(client, *steps, program=COMMAND, key="v"):
    """Send a part as the command does: what it printed first, then its rows and its own summary."""
    known = client.graphql(BEGIN, program=program)["upsertBucket"]["bucket"]["historyLineCount"]
    client.stream("r", files={"output.log": {"offset": 0, "content": [f"2026-01-01T00:00:00 part {steps}"]}})
    content = [json.dumps({"_step": step, key: step}) for step in steps]
    for _ in range(2):  # an answer may be lost
        rows = {"wandb-history.jsonl": {"offset": known, "content": content}}
        summary = {"wandb-summary.json": {"offset": 0, "content": [json.dumps({key: steps[-1]})]}}
        client.stream("r", files={**rows, **summary})
    client.stream("r", complete=True, exitcode=0)


def kept(client):
    """What is there of the run: its steps, its summary, and how many lines it printed."""
    found = client.run("r", "state summaryMetrics logLineCount history")
    steps = [json.loads(row)["_step"] for row in found["history"]]
    return steps, json.loads(found["summaryMetrics"]), found["logLineCount"], found["state"]


@pytest.mark.parametrize("program", [COMMAND, "-m wandb.__main__"])
def test_parts_lie_behind_one_another(client, program):
    """All rows and lines are there, and the summary has the last value of each key."""
    sync(client, 0, 1, program=program)
    sync(client, 2, program=program, key="w")
    sync(client, 3, 4, program=program)
    assert kept(client) == ([0, 1, 2, 3, 4], {"v": 4, "w": 2}, 3, "finished")
    assert client.run("r", "historyKeys")["historyKeys"]["lastStep"] == 4


def test_parts_synced_again_are_the_same_run(client):
    """The first one begins anew, with all that came before its first row, and the others follow."""
    for _ in range(2):
        sync(client, 0, 1)
        sync(client, 2)
    assert kept(client) == ([0, 1, 2], {"v": 2}, 2, "finished")


def test_a_process_of_the_users_own_overwrites(client):
    """An id used again without `resume` is a run of its own, wherever its steps begin."""
    sync(client, 0, 1)
    sync(client, 7, program="train.py")
    assert kept(client) == ([7], {"v": 7}, 1, "finished")
