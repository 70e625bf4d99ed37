"""What runs hold: files, artifacts, and the sweeps that learn from them."""

from __future__ import annotations

import json

from sweeper.server.store import holdings, runs
from tests.unit.server.artifact_logger import Logger


def test_what_some_runs_hold_is_weighed(client):
    """Files that they uploaded, artifacts that they made; what they used is others'."""
    client.init("r", config="{}")
    client.init("other", config="{}")
    client.upload("r", "a.txt", b"12345")
    client.upload("other", "b.txt", b"1")
    Logger(client, contents={"c": b"123"}).log(runName="r")
    with client.http.app.state.store.read() as db:
        ids = {run.name: run.id for run in runs.named(db, 1, ["r", "other"])}
        assert holdings.files_of(db, [ids["r"]]) == (1, 5)
        assert holdings.artifacts_of(db, [ids["r"]]) == (1, 3)
        assert holdings.files_of(db, ids.values()) == (2, 6)
        assert holdings.files_of(db, []) == holdings.artifacts_of(db, [ids["other"]]) == (0, 0)


def test_the_sweeps_that_learn_from_a_run_are_named(client):
    """Those to which it is attached."""
    client.init("r", config='{"lr": {"value": 0.1}}')
    query = """mutation($c: String, $f: JSONString) { upsertSweep(input: {config: $c, projectName: "p",
        priorRunsFilters: $f}) { sweep { name } } }"""
    config = json.dumps({"method": "random", "metric": {"name": "loss"}, "parameters": {"lr": {"values": [0.1, 0.2]}}})
    name = client.graphql(query, c=config, f=json.dumps({"$or": [{"name": "r"}]}))["upsertSweep"]["sweep"]["name"]
    with client.http.app.state.store.read() as db:
        (run,) = runs.named(db, 1, ["r"])
        assert holdings.learners_of(db, [run.id]) == [name]
        assert holdings.learners_of(db, []) == []
