"""Runs rewound to a step, and runs that begin with another one's rows."""

from __future__ import annotations

import json

import pytest

GRID = {
    "method": "grid",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"values": [0.1, 0.2, 0.3]}},
}
REWIND = """mutation($run: String!, $step: Float!, $key: String = "_step") {
    rewindRun(input: {runName: $run, projectName: "p", metricName: $key, metricValue: $step}) {
        rewoundRun { name historyLineCount state } } }"""


def test_a_run_is_rewound_to_a_step(client):
    """Rows behind the step go, with what they said of keys, summary and the sweep's metric."""
    agent = client.agent(client.sweep(GRID))
    (command,) = client.beat(agent)
    run = command["run_id"]
    client.init(run)
    client.log(run, *({"_step": step, "loss": 10 - step} for step in range(4)))
    client.stream(run, complete=True, exitcode=0)
    rewound = client.graphql(REWIND, run=run, step=1)["rewindRun"]["rewoundRun"]
    assert rewound == {"name": run, "historyLineCount": 2, "state": "running"}
    found = client.run(run, "historyKeys summaryMetrics")
    assert found["historyKeys"]["lastStep"] == 1
    assert json.loads(found["summaryMetrics"])["loss"] == 9
    query = 'query { project(name: "p") { sweeps { edges { node { bestLoss } } } } }'
    assert client.graphql(query)["project"]["sweeps"]["edges"][0]["node"]["bestLoss"] == 9


@pytest.mark.parametrize(
    ("wrong", "status", "said"),
    [
        ({"step": 9}, 400, "no step 9"),
        ({"step": 0.5}, 400, "0.5"),
        ({"key": "loss"}, 400, "loss"),
        ({"run": "x"}, 404, "x"),
    ],
)
def test_what_cannot_be_rewound_is_refused(client, wrong, status, said):
    """A step it never came to, half a step, another metric, another run."""
    client.init("r")
    client.log("r", {"_step": 0, "loss": 1})
    assert said in client.graphql(REWIND, status=status, **{"run": "r", "step": 0, **wrong})


def branch(run, step):
    """The config of a process that forks, as wandb-core writes it."""
    return json.dumps({"_wandb": {"value": {"branch_point": {"run_id": run, "step": step}}}})


def test_a_fork_starts_with_its_parents_rows(client):
    """The child has the rows up to the step; the parent keeps its own."""
    client.init("r")
    client.log("r", *({"_step": step, "loss": step} for step in range(4)))
    forked = client.begin("f", config=branch("r", 1))
    assert forked["bucket"]["historyLineCount"] == 2
    assert [json.loads(line)["loss"] for line in client.run("f", "history")["history"]] == [0, 1]
    assert client.run("r", "historyLineCount")["historyLineCount"] == 4
    assert "no run 'x'" in client.begin("g", status=404, config=branch("x", 1))
    assert client.begin("h", config=branch("r", "half"))["inserted"]
