"""Runs as filters and orders choose them."""

from __future__ import annotations

import json

import pytest

from sweeper.server.budget import Budget, SpentError
from sweeper.server.errors import RequestError
from sweeper.server.store import run_filters

FILTERED = [
    ({}, ["a", "b", "c"]),
    ({"state": "finished"}, ["a"]),
    ({"state": {"$ne": "finished"}}, ["b", "c"]),
    ({"config.lr.value": 0.1}, ["a"]),
    ({"config.lr": {"$gt": 0.1}}, ["b"]),
    ({"config.opt.name": "adam"}, ["a"]),
    ({"config.opt.value.name": {"$in": ["adam", "sgd"]}}, ["a", "b"]),
    ({"config.opt.name": {"$nin": ["adam"]}}, ["b", "c"]),
    ({"summary_metrics.loss": {"$lte": 2}}, ["a", "b"]),
    ({"summary_metrics.loss": {"$exists": False}}, ["c"]),
    ({"summary_metrics.val.acc": {"$gte": 0.5}}, ["a"]),
    ({"$or": [{"name": "a"}, {"name": "c"}]}, ["a", "c"]),
    ({"$and": [{"config.lr": {"$lt": 1}}, {"$not": {"name": "a"}}]}, ["b"]),
    ({"config.lr": {"$not": {"$eq": 0.1}}}, ["b", "c"]),
    ({"display_name": {"$regex": "^run-[12]$"}}, ["a", "b"]),
    ({"tags": "x"}, []),
    ({"created_at": {"$gt": "2020-01-01"}}, ["a", "b", "c"]),
    ({"createdAt": {"$gt": "2200-01-01T00:00:00Z"}}, []),
    ({"username": "local"}, ["a", "b", "c"]),
    ({"config.lr": {"$gt": "text"}}, []),
    ({"sweep": "nope"}, []),
]


@pytest.fixture
def three_runs(client):
    """Runs a, b and c: the first finished, the last without config and summary."""
    config = {"lr": {"value": 0.1}, "opt": {"value": {"name": "adam"}}}
    client.init("a", config=json.dumps(config), summary='{"loss": 1, "val": {"acc": 0.5}}')
    client.stream("a", complete=True, exitcode=0)
    config = {"lr": {"value": 0.2}, "opt": {"value": {"name": "sgd"}}}
    client.init("b", config=json.dumps(config), summary='{"loss": 2, "val": {"acc": NaN}}')
    client.init("c")
    return client


@pytest.mark.parametrize(("condition", "expected"), FILTERED)
def test_filters_select_as_mongo_does(three_runs, condition, expected):
    """W&B's Mongo-like filters select the runs they describe."""
    assert three_runs.runs(condition) == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("+created_at", ["a", "b", "c"]),
        ("-created_at", ["c", "b", "a"]),
        ("+summary_metrics.loss", ["a", "b", "c"]),
        ("-summary_metrics.loss", ["b", "a", "c"]),
        ("-config.lr.value", ["b", "a", "c"]),
        ("-summary_metrics.val.acc", ["a", "b", "c"]),
        ("-summary_metrics.nope", ["a", "b", "c"]),
    ],
)
def test_runs_without_the_key_come_last(three_runs, order, expected):
    """Orders are ascending with + and descending with -; runs without a finite value come last either way."""
    assert three_runs.runs(order=order) == expected


def test_the_first_of_a_sweeps_runs_by_its_metric_is_the_best(client):
    """`best_run()` of the SDK takes it: runs that failed come behind all others, and a summed-up value counts."""
    grid = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"lr": {"values": [1, 2, 3]}}}
    sweep = client.sweep(grid)
    made = [client.beat(client.agent(sweep))[0]["run_id"] for _ in range(3)]
    for name, loss, code in zip(made, ("0.1", '{"min": 0.2}', "0.3"), (1, 0, 0), strict=True):
        client.init(name, summary=f'{{"loss": {loss}}}')
        client.stream(name, complete=True, exitcode=code)
    own = {"$and": [{"sweep": sweep}]}
    assert client.runs(own, order="+summary_metrics.loss") == [made[1], made[2], made[0]]
    assert client.runs(own, order="-summary_metrics.loss") == [made[2], made[1], made[0]]
    assert client.runs({}, order="+summary_metrics.loss")[0] == made[0]


def test_a_sweeps_runs_are_ordered_by_an_aggregate_that_no_summary_has(client):
    """The SDK asks for `summary_metrics.loss.max`, and a summary has the last loss alone."""
    grid = {"method": "grid", "metric": {"name": "loss.max"}, "parameters": {"lr": {"values": [1, 2]}}}
    sweep = client.sweep(grid)
    made = [client.beat(client.agent(sweep))[0]["run_id"] for _ in range(2)]
    for name, highest in zip(made, (5, 3), strict=True):
        client.init(name)
        client.log(name, {"_step": 0, "loss": highest}, {"_step": 1, "loss": 1})
        client.stream(name, complete=True, exitcode=0)
    assert client.runs({"$and": [{"sweep": sweep}]}, order="+summary_metrics.loss.max") == made[::-1]


@pytest.mark.parametrize(
    "condition",
    [{"$foo": []}, {"state": {"$foo": 1}}, {"nope": 1}, {"$and": 3}, {"name": {"$regex": "("}}, {"created_at": "soon"}],
)
def test_unreadable_filter_is_refused(three_runs, condition):
    """A filter with an unknown operator or key is a 400 that says what there is."""
    query = 'query($f: JSONString) { project(name: "p") { runCount(filters: $f) } }'
    assert three_runs.graphql(query, status=400, f=json.dumps(condition))


@pytest.mark.parametrize(
    ("wanted", "each", "only"),
    [
        ({"$or": [{"name": "a"}, {"name": "b"}]}, ["a", "b"], ["a", "b"]),
        ({"$or": [{"name": "a"}, {"state": "finished"}]}, ["a"], None),
        ({"name": "a"}, ["a"], None),
        ({"name": {"$in": ["a"]}}, [], None),
        ({"$or": [], "state": "finished"}, [], None),
    ],
)
def test_runs_named_one_by_one_are_known_without_a_look_at_any(wanted, each, only):
    """`prior_runs` of a thousand names need no walk over the project, if nothing else is asked."""
    assert run_filters.names_in(json.dumps(wanted)) == each
    assert run_filters.names_only(json.dumps(wanted)) == only


def test_a_filter_that_would_take_minutes_is_refused(three_runs):
    """The work is the filter's length times the runs there are, and it has a limit."""
    costly = [
        {"$and": [{}] * 50_000},
        {"$nor": [{"$not": {"$or": [{}] * 50}}] * 1000},
        {"config.a": {"$in": [0] * 50_000}},
        {"config.many": {"$nin": [1.5] * 1000}},
        {"config.many": {"$in": [{"a": 1}] * 1000}},
        {"$and": [{"config.many": 2.5}] * 1000},
        {"$or": [{"config.long": {"$regex": f"(a|b)*c{i}$"}} for i in range(2000)]},
        {"$or": [{"config.texts": {"$regex": f"(a|b)*c{i}$"}} for i in range(2000)]},
        {"config.a": {"$not": {"$not": {"$in": [0] * 50_000}}}},
    ]
    config = {"a": 1.5, "many": list(range(20_000)), "long": "ab" * 50_000, "texts": ["ab" * 1000] * 50}
    with three_runs.http.app.state.store.write() as db:
        text = json.dumps({name: {"value": value} for name, value in config.items()})
        db.execute("UPDATE runs SET config = ?", (text,))
        for wanted in costly:
            with pytest.raises(SpentError, match="too long for so many runs"):
                run_filters.find(db, 1, json.dumps(wanted), budget=Budget(work=50_000))
        with pytest.raises(RequestError, match="characters"):
            run_filters.find(db, 1, json.dumps({"name": "x" * run_filters.MAX_FILTER}), budget=Budget())


def test_filters_of_one_request_share_its_budget(three_runs):
    """A filter repeated under other names costs as often as it stands there."""
    with three_runs.http.app.state.store.write() as db:
        db.execute("UPDATE runs SET config = ?", (json.dumps({"many": {"value": list(range(20_000))}}),))
    wanted = json.dumps({"$or": [{"config.many": 2.5}] * 20})
    assert three_runs.runs(json.loads(wanted)) == []
    runs = "".join(f"a{i}: runs(filters: $f) {{ edges {{ cursor }} }} b{i}: runCount(filters: $f) " for i in range(20))
    query = f'query($f: JSONString) {{ project(name: "p") {{ {runs} }} }}'
    assert "too long" in three_runs.graphql(query, status=400, f=wanted)


def test_a_sweeps_runs_are_found_with_those_attached_to_it(table):
    """A filter by sweep finds what the sweep sees, and gives the names of all sweeps that see a run."""
    old, new = table.sweep(GRID), table.sweep(GRID)
    run = table.given(table.agent(old))
    table.start(run)
    with table.store.write() as db:
        db.execute("INSERT INTO prior_runs VALUES (?, ?)", (new.id, run.id))
        (found,) = run_filters.find(db, new.project_id, json.dumps({"sweep": new.name}), budget=Budget())
    assert (found.stored.name, found.sweeps) == (run.name, (old.name, new.name))


GRID = {"method": "grid", "parameters": {"lr": {"values": [0.1, 0.2]}}}
