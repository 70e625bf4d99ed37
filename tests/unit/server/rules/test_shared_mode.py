"""Several processes that write one run."""

from __future__ import annotations

import json


def test_processes_of_one_run_do_not_overwrite_each_other(client):
    """In shared mode each counts from 0: rows lie as they came, once, with steps of their own; summaries add up."""
    client.init("r")

    def write(writer, first, *values):
        rows = [json.dumps({"_step": first + i, writer: value}) for i, value in enumerate(values)]
        files = {
            "wandb-history.jsonl": {"offset": first, "content": rows},
            "output.log": {"offset": first, "content": [f"{writer} {value}" for value in values]},
            "wandb-summary.json": {"content": [json.dumps({writer: values[-1]})]},
        }
        answer = client.http.post(
            "/files/local/p/r/file_stream", json={"files": files}, headers={"X-WANDB-ASYNC-CLIENT-ID": writer}
        )
        assert answer.status_code == 200, answer.text

    write("a", 0, 1, 2)
    write("b", 0, 3)
    write("b", 0, 3, 4)  # the answer was lost: sent again, with more
    write("a", 2, 5)
    found = client.run("r", "history summaryMetrics logLines { edges { node { line } } }")
    rows = [json.loads(line) for line in found["history"]]
    assert rows == [
        {"_step": 0, "a": 1},
        {"_step": 1, "a": 2},
        {"_step": 2, "b": 3},
        {"_step": 3, "b": 4},
        {"_step": 4, "a": 5},
    ]
    assert json.loads(found["summaryMetrics"]) == {"a": 5, "b": 4}
    assert [edge["node"]["line"] for edge in found["logLines"]["edges"]] == ["a 1", "a 2", "b 3", "b 4", "a 5"]


def test_processes_of_one_run_keep_each_others_config(client):
    """Each sends what it knows; the last value of a key holds, and both are told apart in the SDK's own section."""

    def config(writer, **values):
        own = {"_wandb": {"value": {"t": {"3": [67]}, "e": {writer: {"host": writer}}}}}
        return json.dumps({**own, **{name: {"value": value} for name, value in values.items()}})

    client.begin("r", config=config("a", lr=1, depth=2))
    client.begin("r", config=config("b", lr=3))
    found = json.loads(client.run("r", "config")["config"])
    assert (found["lr"], found["depth"]) == ({"value": 3}, {"value": 2})
    assert found["_wandb"]["value"]["e"] == {"a": {"host": "a"}, "b": {"host": "b"}}


def test_a_second_process_neither_clears_nor_reopens_a_run(client):
    """One that says it shares the run leaves its rows, and a late line of it does not set an ended run running."""
    client.init("r")
    client.log("r", {"_step": 0, "loss": 1})
    client.stream("r", complete=True, exitcode=0)
    shared = json.dumps({"_wandb": {"value": {"t": {"3": [14, 67]}}}})
    assert client.begin("r", config=shared)["bucket"] == {
        "id": client.run("r", "id")["id"],
        "state": "finished",
        "historyLineCount": 1,
    }
    client.http.post("/files/local/p/r/file_stream", json={}, headers={"X-WANDB-ASYNC-CLIENT-ID": "b"})
    assert client.run("r", "state")["state"] == "finished"
