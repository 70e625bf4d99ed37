"""What runs log: offsets and replays, NaN, the sweep's metric, the end of a run, reading it back."""

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
    assert keys["lastStep"] == 2


def test_lines_are_rewritten_in_place(client):
    """Lines sent for indices that are there already replace them."""
    client.init("r")
    client.log("r", {"_step": 0, "a": 1}, {"_step": 1, "a": 2})
    client.log("r", {"_step": 1, "a": 5}, offset=1)
    assert [row["a"] for row in history(client)] == [1, 5]


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


def test_bad_run_is_told_to_stop_in_the_answer(client):
    """The request that brings a run to a rung it does not pass is answered with `stopped`."""
    definition = {**SWEEP, "early_terminate": {"type": "hyperband", "min_iter": 2, "eta": 2}}
    sweep = client.sweep(definition)
    answers = []
    for loss in (1.0, 2.0, 5.0):
        (command,) = client.beat(client.agent(sweep))
        client.init(command["run_id"])
        answers.append(client.log(command["run_id"], *({"_step": i, "val": {"loss": loss}} for i in range(2))))
    assert [answer["stopped"] for answer in answers] == [False, False, True]
    client.stream(command["run_id"], complete=True, exitcode=1)
    found = client.run(command["run_id"], "state summaryMetrics")
    assert found["state"] == "killed"
    assert "rung 2" in json.loads(found["summaryMetrics"])["_sweeper"]["reason"]


def test_stopped_run_keeps_the_numbers_of_its_decision(client):
    """The summary holds rule, rung, value, threshold and number of runs beside the reason."""
    sweep = client.sweep({**SWEEP, "early_terminate": {"type": "hyperband", "min_iter": 1, "eta": 2}})
    for loss in (1.0, 2.0, 5.0):
        (command,) = client.beat(client.agent(sweep))
        client.init(command["run_id"])
        client.log(command["run_id"], {"_step": 0, "val": {"loss": loss}})
    told = json.loads(client.run(command["run_id"], "summaryMetrics")["summaryMetrics"])["_sweeper"]
    assert told["stop"] == {"rule": "hyperband", "rung": 1, "value": 5.0, "threshold": 2.0, "n": 3}
    assert "5 > 2" in told["reason"]


def test_run_that_logs_only_nan_is_told_to_stop(client):
    """At the first rung a run without one finite value is stopped; W&B would let it train to the end."""
    sweep = client.sweep({**SWEEP, "early_terminate": {"type": "hyperband", "min_iter": 2}})
    (command,) = client.beat(client.agent(sweep))
    name = command["run_id"]
    client.init(name)
    rows = [{"_step": 0, "val": {"loss": float("nan")}}, {"_step": 1, "val": {"loss": float("inf")}}]
    assert client.log(name, rows[0])["stopped"] is False
    assert client.log(name, rows[0])["stopped"] is False  # sent again
    assert client.log(name, rows[1], offset=1)["stopped"] is True
    told = json.loads(client.run(name, "summaryMetrics")["summaryMetrics"])["_sweeper"]
    assert told["stop"]["value"] is None
    assert "never a finite number" in told["reason"]


ASHA = {**SWEEP, "sweeper": {"early_terminate": {"type": "asha", "min_iter": 1, "eta": 3}}}


def started(client, sweep, agent=None):
    (command,) = client.beat(agent or client.agent(sweep))
    client.init(command["run_id"])
    return command["run_id"]


def losses(*values):
    return [{"_step": step, "val": {"loss": value}} for step, value in enumerate(values)]


def test_asha_judges_a_run_once_at_each_rung(client):
    """The first at a rung passes, and goes on when better ones come after it, until its own next rung."""
    sweep = client.sweep(ASHA)
    agent = client.agent(sweep)
    first = started(client, sweep, agent)
    assert client.log(first, *losses(5.0))["stopped"] is False
    for name in (started(client, sweep) for _ in range(3)):
        assert client.log(name, *losses(1.0, 1.0, 1.0))["stopped"] is False
    rows = losses(5.0, 5.0, 5.0)
    assert client.beat(agent, first) == []
    assert client.log(first, rows[1], offset=1)["stopped"] is False
    assert client.log(first, rows[2], offset=2)["stopped"] is True


def test_asha_judges_every_rung_of_one_delivery(client):
    """A run whose values come all at once is judged at the rungs it would have been stopped at one by one."""
    sweep = client.sweep(ASHA)
    good = started(client, sweep)
    client.log(good, *losses(1.0, 1.0, 1.0))
    late = started(client, sweep)
    assert client.log(late, *losses(2.0, 0.5, 0.5))["stopped"] is True  # best at rung 3, too bad at rung 1
    told = json.loads(client.run(late, "summaryMetrics")["summaryMetrics"])["_sweeper"]["stop"]
    assert told == {"rule": "asha", "rung": 1, "value": 2.0, "threshold": 1.0, "n": 2}


def test_median_stops_the_worse_runs(client):
    """Once enough others have got as far, a run among the worse part is told to stop."""
    rule = {"type": "median", "warm_up": 0, "min_runs": 2, "percentile": 50}
    sweep = client.sweep({**SWEEP, "sweeper": {"early_terminate": rule}})
    told = [client.log(started(client, sweep), *losses(value))["stopped"] for value in (3.0, 2.0, 9.0, 1.0)]
    assert told == [False, False, True, False]


def test_preempted_run_is_not_failed(client):
    """`preempting` sent before a non-zero exit makes the run preempted; an upsert in between does not undo it."""
    client.init("r")
    client.stream("r", preempting=True)
    assert client.run("r", "state")["state"] == "preempting"
    client.init("r")
    client.stream("r", complete=True, exitcode=1)
    assert client.run("r", "state")["state"] == "preempted"


def test_repeated_end_changes_nothing(client):
    """A last request that is sent again leaves the ending as it was."""
    client.init("r")
    client.stream("r", complete=True, exitcode=1)
    client.stream("r", complete=True, exitcode=0)
    assert client.run("r", "state exitcode") == {"state": "failed", "exitcode": 1}


def test_resumed_run_is_running_again(client):
    """A finished run that logs again is running until it completes again."""
    client.init("r")
    client.stream("r", complete=True, exitcode=1)
    client.stream("r")
    assert client.run("r", "state exitcode") == {"state": "running", "exitcode": None}


def test_unknown_run_is_created(client):
    """A stream of a run nobody knows creates it: a 404 would end its upload for good."""
    client.log("r", {"_step": 0})
    assert client.run("r", "state historyLineCount") == {"state": "running", "historyLineCount": 1}


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


def test_odd_steps_do_not_break_a_history(client):
    """Rows with a missing, huge or textual step are kept and read back."""
    client.init("r")
    client.log("r", {"a": 1}, {"_step": 10**30, "a": 2}, {"_step": "x", "a": 3}, {"_step": True, "a": 4})
    assert [row["a"] for row in history(client)] == [1, 2, 3, 4]
