"""GraphQL's Run, as the SDK reads it."""

from __future__ import annotations

import json


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


def test_reason_is_shown_in_the_summary_and_never_stored(client):
    """A reason is read as `_sweeper` in the summary, and stripped when a client sends the summary back."""
    client.init("r")
    client.stream("r", complete=True, exitcode=3)
    summary = client.run("r", "summaryMetrics")["summaryMetrics"]
    assert json.loads(summary) == {"_sweeper": {"reason": "exit code 3"}}
    client.init("r", summary='{"a": 1, "_sweeper": {"reason": "mine"}}')
    summary = client.run("r", "summaryMetrics")["summaryMetrics"]
    assert json.loads(summary) == {"a": 1, "_sweeper": {"reason": "exit code 3"}}


def test_system_metrics_are_those_of_the_last_event(client):
    """What the machine was last like; nothing before it said anything."""
    client.init("r")
    assert client.run("r", "systemMetrics")["systemMetrics"] == "{}"
    events = [json.dumps({"system.cpu": cpu, "_runtime": cpu}) for cpu in (1, 2)]
    client.stream("r", files={"wandb-events.jsonl": {"content": events}})
    assert json.loads(client.run("r", "systemMetrics")["systemMetrics"]) == {"system.cpu": 2}
