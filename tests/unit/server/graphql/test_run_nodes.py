"""GraphQL's Run, as the SDK reads it."""

from __future__ import annotations

import json

import pytest

from sweeper.server.graphql.run_nodes import MAX_SPECS


def test_resume_finds_the_last_line_and_the_counts(client):
    """Resuming is told the number of lines, the last one as a list of texts, and the SDK's own config."""
    client.init("r", config='{"_wandb": {"value": {"t": {"1": 2}, "x": 3}}}')
    client.log("r", {"_step": 0, "loss": 1}, {"_step": 1, "loss": 2})
    query = """{ model(name: "p") { bucket(name: "r", missingOk: true) {
        historyLineCount eventsLineCount logLineCount historyTail eventsTail wandbConfig(keys: ["t"]) } } }"""
    found = client.graphql(query)["model"]["bucket"]
    assert found["historyLineCount"] == 2
    assert json.loads(json.loads(found["historyTail"])[0]) == {"_step": 1, "loss": 2}
    assert found["eventsTail"] == "[]"
    assert json.loads(found["wandbConfig"]) == {"t": {"1": 2}}


def test_system_metrics_are_those_of_the_last_event(client):
    """What the machine was last like; nothing before it said anything."""
    client.init("r")
    assert client.run("r", "systemMetrics")["systemMetrics"] == "{}"
    events = [json.dumps({"system.cpu": cpu, "_runtime": cpu}) for cpu in (1, 2)]
    client.stream("r", files={"wandb-events.jsonl": {"content": events}})
    assert json.loads(client.run("r", "systemMetrics")["systemMetrics"]) == {"system.cpu": 2}


def test_a_run_gives_the_rows_asked_for(client):
    """Whole lines between two steps, the end exclusive; rows cut down to keys, the end inclusive."""
    client.init("r")
    client.log("r", *({"_step": step, "loss": 10 - step} for step in range(4)))
    found = client.run("r", "history(minStep: 1, maxStep: 3)")["history"]
    assert [json.loads(line)["_step"] for line in found] == [1, 2]
    spec = {"keys": ["loss"], "minStep": 1, "maxStep": 2}
    query = 'query($s: [JSONString!]!) { project(name: "p") { run(name: "r") { sampledHistory(specs: $s) } } }'
    ((first, second), none) = client.graphql(query, s=[json.dumps(spec), "{}"])["project"]["run"]["sampledHistory"]
    assert (first["loss"], second["loss"], none) == (9, 8, [])


def test_pages_of_rows_that_overlap_in_a_step_give_it_once(client):
    """To 0.26 `scan_history(keys=...)` asks for `samples` steps and one more, which the next page begins with."""
    client.init("r")
    client.log("r", *({"_step": step, "loss": step} for step in range(7)))
    specs = [json.dumps({"keys": ["loss"], "minStep": at, "maxStep": min(at + 3, 7), "samples": 3}) for at in (0, 3, 6)]
    query = 'query($s: [JSONString!]!) { project(name: "p") { run(name: "r") { sampledHistory(specs: $s) } } }'
    pages = client.graphql(query, s=specs)["project"]["run"]["sampledHistory"]
    assert [[row["loss"] for row in page] for page in pages] == [[0, 1, 2], [3, 4, 5], [6]]


@pytest.mark.parametrize(
    "spec",
    [
        {"keys": "loss"},
        {"keys": [1]},
        {"keys": ["a"], "samples": "9"},
        {"keys": ["a"], "minStep": 2**70},
        {"keys": None},
    ],
)
def test_a_history_spec_that_is_none_is_refused(client, spec):
    """The message says what one looks like."""
    client.init("r")
    query = 'query($s: [JSONString!]!) { project(name: "p") { run(name: "r") { sampledHistory(specs: $s) } } }'
    assert "a history spec is" in client.graphql(query, status=400, s=[json.dumps(spec)])


def test_a_request_has_few_history_specs(client):
    """Each reads the whole history."""
    client.init("r")
    query = 'query($s: [JSONString!]!) { project(name: "p") { run(name: "r") { sampledHistory(specs: $s) } } }'
    assert "at most" in client.graphql(query, status=400, s=["{}"] * (MAX_SPECS + 1))


def test_live_data_have_the_keys_asked_for(client):
    """Nothing lies in parquet files; the step alone is all that SDK 0.31.0 asks for."""
    client.init("r")
    client.log("r", {"_step": 0, "loss": 2}, {"_step": 1})
    steps = client.run("r", 'parquetHistory(liveKeys: ["_step"]) { parquetUrls liveData }')["parquetHistory"]
    assert steps == {"parquetUrls": [], "liveData": [{"_step": 0}, {"_step": 1}]}
    rows = client.run("r", 'parquetHistory(liveKeys: ["loss"]) { liveData }')["parquetHistory"]["liveData"]
    assert [row.get("loss") for row in rows] == [2]


def test_a_run_of_nobody_is_the_askers(client):
    """The SDK (0.31.0) cannot read a run without a user; one that is removed leaves its runs behind."""
    client.init("r")
    with client.http.app.state.store.write() as db:
        db.execute("UPDATE runs SET user_id = NULL")
    assert client.run("r", "user { name }") == {"user": {"name": "local"}}


def test_a_run_says_how_it_is(client):
    """In the words of three generations of the SDK."""
    client.init("r")
    asked = "running failed stopped shouldStop exitcode"
    assert client.run("r", asked) == {
        "running": True,
        "failed": False,
        "stopped": False,
        "shouldStop": False,
        "exitcode": None,
    }
    client.stream("r", complete=True, exitcode=3)
    ended = client.run("r", asked)
    assert (ended["running"], ended["failed"], ended["exitcode"]) == (False, True, 3)
