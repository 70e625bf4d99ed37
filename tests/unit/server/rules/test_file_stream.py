"""What runs log: offsets and replays, NaN, the sweep's metric, what cannot be read, reading it back."""

from __future__ import annotations

import json

import pytest

SWEEP = {
    "method": "random",
    "metric": {"name": "val.loss", "goal": "minimize"},
    "parameters": {"lr": {"min": 0.0, "max": 1.0}},
}


def history(client, run="r", arguments="samples: 1000"):
    return [json.loads(text) for text in client.run(run, f"history({arguments})")["history"]]


def sampled(client, spec, run="r"):
    query = (
        'query($s: JSONString!, $r: String!) { project(name: "p") { run(name: $r) { sampledHistory(specs: [$s]) } } }'
    )
    return client.graphql(query, s=json.dumps(spec), r=run)["project"]["run"]["sampledHistory"][0]


def test_replayed_request_changes_nothing(client):
    """The same lines at the same offset twice are there once, and are counted once."""
    client.init("r")
    for _ in range(2):
        client.log("r", {"_step": 0, "a": 1}, {"_step": 1, "a": 2})
    client.log("r", {"_step": 2, "a": 3}, offset=2)
    assert [row["a"] for row in history(client)] == [1, 2, 3]
    keys = client.run("r", "historyKeys")["historyKeys"]
    assert keys["keys"]["a"]["typeCounts"] == [{"type": "number", "count": 3}]
    assert keys["keys"]["a"]["extremes"] == [3, 1, 3]
    assert keys["lastStep"] == 2


def test_lines_are_rewritten_in_place(client):
    """Lines sent for indices that are there already replace them."""
    client.init("r")
    client.log("r", {"_step": 0, "a": 1}, {"_step": 1, "a": 2})
    client.log("r", {"_step": 1, "a": 5}, offset=1)
    assert [row["a"] for row in history(client)] == [1, 5]
    # the value that is gone was counted among them: whoever asks reads the history
    assert "extremes" not in client.run("r", "historyKeys")["historyKeys"]["keys"]["a"]


def test_nan_stays_in_lines_and_becomes_a_word_in_raw_json(client):
    """Bare NaN and Infinity come back verbatim in line texts, and as words where the answer itself is JSON."""
    client.init("r")
    line = '{"_step": 0, "a": NaN, "b": -Infinity}'
    client.stream("r", files={"wandb-history.jsonl": {"offset": 0, "content": [line]}})
    assert client.run("r", "history")["history"] == [line]
    assert sampled(client, {"keys": ["a", "b"]}) == [{"a": "NaN", "b": "-Infinity"}]
    assert client.run("r", "historyKeys")["historyKeys"]["keys"]["a"]["previousValue"] == "NaN"


def test_page_of_history_ends_before_max_step(client):
    """`history(maxStep)` excludes that step; `maxStep` in a sampling spec includes it."""
    client.init("r")
    client.log("r", *({"_step": 10 * i, "a": i} for i in range(5)))
    assert [row["_step"] for row in history(client, arguments="minStep: 10, maxStep: 30, samples: 9")] == [10, 20]
    spec = {"keys": ["_step", "a"], "minStep": 10, "maxStep": 30}
    assert [row["_step"] for row in sampled(client, spec)] == [10, 20, 30]


def test_sampled_rows_hold_all_the_keys(client):
    """Only rows with every key asked for are given, nested keys by dotted name."""
    client.init("r")
    client.log("r", {"_step": 0, "a": 1}, {"_step": 1, "a": 2, "n": {"b": 3}}, {"_step": 2, "n": {"b": 4}})
    assert sampled(client, {"keys": ["a", "n.b"]}) == [{"a": 2, "n.b": 3}]


def test_long_history_is_thinned_out_evenly(client):
    """More rows than samples are thinned out, the first and the last among those that stay."""
    client.init("r")
    client.log("r", *({"_step": i} for i in range(100)))
    assert [row["_step"] for row in history(client, arguments="samples: 4")] == [0, 33, 66, 99]


def test_scan_lists_every_step_as_live(client):
    """Everything is live data: there are no parquet files."""
    client.init("r")
    client.log("r", {"_step": 3}, {"_step": 7})
    found = client.run("r", 'parquetHistory(liveKeys: ["_step"]) { parquetUrls liveData }')["parquetHistory"]
    assert found == {"parquetUrls": [], "liveData": [{"_step": 3}, {"_step": 7}]}


def test_media_counts_as_one_value(client):
    """A dictionary with `_type` is one value of that type; other dictionaries are flattened with dots."""
    client.init("r")
    client.log("r", {"_step": 0, "g": {"_type": "histogram", "bins": [1]}, "d": {"x": {"y": 1}}, "t": "s", "o": True})
    keys = client.run("r", "historyKeys")["historyKeys"]["keys"]
    assert {name: entry["typeCounts"][0]["type"] for name, entry in keys.items()} == {
        "_step": "number",
        "g": "histogram",
        "d.x.y": "number",
        "t": "string",
        "o": "boolean",
    }


@pytest.mark.parametrize("row", [{"val": {"loss": 2.0}}, {"val.loss": 2.0}], ids=["nested", "flat"])
def test_metric_of_the_sweep_is_kept_once(client, row):
    """The sweep's metric counts however it was nested, finite values only, and a replay does not count twice."""
    sweep = client.sweep(SWEEP)
    (command,) = client.beat(client.agent(sweep))
    name = command["run_id"]
    client.init(name)
    for _ in range(2):
        client.log(name, {"_step": 0, **row}, {"_step": 1, "val": {"loss": float("nan")}}, {"_step": 2})
    client.log(name, {"_step": 3, "val.loss": 1.0}, offset=3)
    query = f'{{ project(name: "p") {{ sweep(sweepName: "{sweep}") {{ bestLoss }} }} }}'
    assert client.graphql(query)["project"]["sweep"]["bestLoss"] == 1.0
    store = client.http.app.state.store
    with store.read() as db:
        assert [value for (value,) in db.execute("SELECT value FROM metric_values ORDER BY line")] == [2.0, 1.0]


@pytest.mark.parametrize(("name", "best"), [("loss.max", 3.0), ("loss.mean", 2.0), ("loss.last", 2.0)])
def test_an_aggregate_of_a_logged_key_is_the_metric(client, name, best):
    """However its values came in, and whatever the goal."""
    sweep = client.sweep({**SWEEP, "metric": {"name": name, "goal": "minimize"}})
    (command,) = client.beat(client.agent(sweep))
    run = command["run_id"]
    client.init(run)
    client.log(run, {"_step": 0, "loss": 1.0}, {"_step": 1, "loss": 3.0})
    client.log(run, {"_step": 2, "loss": 2.0}, offset=2)
    query = f'{{ project(name: "p") {{ sweep(sweepName: "{sweep}") {{ bestLoss }} }} }}'
    assert client.graphql(query)["project"]["sweep"]["bestLoss"] == best
    client.log(run, {"_step": 3, name: 7.0}, offset=3)  # the key itself comes first, and all before it is void
    assert client.graphql(query)["project"]["sweep"]["bestLoss"] == 7.0


def test_metric_given_only_in_the_summary_counts_at_the_end(client):
    """A run that never logged the metric but left it in its summary is judged by that."""
    sweep = client.sweep(SWEEP)
    (command,) = client.beat(client.agent(sweep))
    client.init(command["run_id"])
    client.stream(
        command["run_id"],
        files={"wandb-summary.json": {"offset": 0, "content": ['{"val": {"loss": 0.25}}']}},
        complete=True,
        exitcode=0,
    )
    query = f'{{ project(name: "p") {{ sweep(sweepName: "{sweep}") {{ bestLoss }} }} }}'
    assert client.graphql(query)["project"]["sweep"]["bestLoss"] == 0.25


def test_unknown_run_is_created(client):
    """A stream of a run nobody knows creates it: a 404 would end its upload for good."""
    client.log("r", {"_step": 0})
    assert client.run("r", "state historyLineCount") == {"state": "running", "historyLineCount": 1}


def test_odd_steps_do_not_break_a_history(client):
    """Rows with a missing, huge or textual step are kept and read back."""
    client.init("r")
    client.log("r", {"a": 1}, {"_step": 10**30, "a": 2}, {"_step": "x", "a": 3}, {"_step": True, "a": 4})
    assert [row["a"] for row in history(client)] == [1, 2, 3, 4]


def test_a_delivery_costs_few_statements(client):
    """As many for fifteen rows as for one, and no more for a long history."""
    store = client.http.app.state.store
    client.agent(client.sweep(SWEEP))
    client.init("r")
    counts = []
    for first, length in ((0, 1), (1, 15), (16, 15)):
        seen: list[str] = []
        store._writer.set_trace_callback(seen.append)
        client.log("r", *({"_step": i, "val.loss": 1.0} for i in range(first, first + length)), offset=first)
        store._writer.set_trace_callback(None)
        counts.append(len(seen))
    assert counts[0] == counts[1] == counts[2] <= 14, counts


def test_a_small_delivery_and_a_big_one_are_the_same(client):
    """A small one shares a transaction with others, a big one has a thread of its own; both are judged and stored."""
    for run, length in (("small", 10), ("big", 2000)):
        client.init(run)
        client.log(run, *({"_step": i, "a": float(i), "text": "x" * 50} for i in range(length)))
        assert client.run(run, "historyLineCount") == {"historyLineCount": length}
