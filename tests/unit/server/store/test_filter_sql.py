"""Filters in SQL against the same filters in Python."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sweeper.run import RunState
from sweeper.server.budget import Budget
from sweeper.server.errors import RequestError
from sweeper.server.store import filter_sql, run_filters, runs, users
from sweeper.server.store.filter_conditions import Work, matches

TEXTS = ["a", "b", "B", "ä", "", "finished", "running", "sweep-one", "local", "2026-01-01", "x\0y", "\ud800"]
NUMBERS = [0, 100, 100.0, 200.5, -1, 2**70, True]
KEYS = ["name", "state", "display_name", "group", "jobType", "notes", "host", "created_at", "heartbeatAt", "sweep"]
KEYS += ["username", "user.username", "tags", "config.lr", "summary_metrics.loss"]

constants = st.sampled_from([*TEXTS, *NUMBERS, None])
lists = st.lists(constants, max_size=4)


@st.composite
def fields(draw):
    """A condition on one field, as the SDK or a person writes it; of a time, no text that is none."""
    key = draw(st.sampled_from(KEYS))
    values, patterns = constants, [st.tuples(st.just("$regex"), st.sampled_from(["a", "^b$", "."]))]
    if key in {"created_at", "heartbeatAt"}:
        patterns = []
        values = st.sampled_from(["2026-01-01", "1970-01-01T00:01:40Z", *NUMBERS, None])
    operators = st.one_of(
        st.tuples(st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]), values),
        st.tuples(st.sampled_from(["$in", "$nin"]), st.lists(values, max_size=4)),
        st.tuples(st.just("$exists"), st.booleans()),
        *patterns,
    )
    some = st.lists(operators, min_size=1, max_size=2).map(dict)
    return {key: draw(st.one_of(values, some, some.map(lambda inner: {"$not": inner})))}


filters = st.recursive(
    st.one_of(st.just({}), fields()),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["$and", "$or", "$nor"]), st.lists(inner, max_size=3)).map(lambda pair: dict([pair])),
        inner.map(lambda part: {"$not": part}),
        st.tuples(inner, inner).map(lambda pair: {**pair[0], **pair[1]}),
    ),
    max_leaves=6,
)


@pytest.fixture
def many(db, project, make_sweep, make_run):
    """Runs with all kinds of names, times, sweeps and users, and without."""
    one, two = make_sweep(), make_sweep()
    db.execute("UPDATE sweeps SET name = 'sweep-one' WHERE id = ?", (one.id,))
    user = users.find(db, "local")
    for number, text in enumerate(TEXTS[:-2]):
        made = make_run(f"r{number}", list(RunState)[number % 8], user_id=user.id if number % 3 else None)
        about = {"group_name": text, "notes": text or None, "host": None if number % 2 else text, "tags": '["a", "ä"]'}
        owner = (None, one.id, two.id)[number % 3]
        runs.update(db, made.id, display_name=text, created_at=50.0 * number, sweep_id=owner, **about)
        runs.update(db, made.id, config='{"lr": {"value": 100}}', summary=f'{{"loss": {number}}}')
    db.execute("INSERT INTO prior_runs SELECT ?, id FROM runs WHERE name IN ('r0', 'r2', 'r3')", (one.id,))
    return project


def in_python(db, project, wanted):
    """Every run of the project, held against the whole filter."""
    known = run_filters.find(db, project.id, None)
    work = Work(Budget())
    return [run.stored.name for run in known if matches(wanted, run, work)]


@given(wanted=filters)
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sql_and_python_choose_the_same_runs(db, many, wanted):
    """Whatever the filter says, in whichever part SQL can say it."""
    found = [run.stored.name for run in run_filters.find(db, many.id, json.dumps(wanted))]
    assert found == in_python(db, many, json.loads(json.dumps(wanted)))


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"$and": [{"sweep": "s"}]},
        {"sweep": "s", "state": {"$in": ["finished", "running"]}},
        {"$or": [{"name": "a"}, {"display_name": {"$ne": None}}]},
        {"created_at": {"$gt": "2026-01-01", "$lte": 5}},
        {"username": "local", "$not": {"group": {"$exists": True}}},
    ],
)
def test_what_the_sdk_and_people_ask_is_said_whole(wanted):
    """Nothing of it is left for Python."""
    assert filter_sql.split(wanted)[1] == {}


def test_what_sql_cannot_say_is_left_and_the_rest_said():
    """The runs of one sweep are looked up, and only those held against the config."""
    said, left = filter_sql.split({"$and": [{"sweep": "s"}, {"config.lr": {"$gt": 0.1}}], "state": "finished"})
    assert left == {"$and": [{"config.lr": {"$gt": 0.1}}]}
    assert said.values == ("s", "s", "finished")


def test_a_filter_of_any_size_is_no_fault_of_sqlite(db, many):
    """It nests a thousand conditions, and takes more for an error; thousands of names are one value."""
    long = {"$or": [{"$and": [{"name": "r1"}] * 150}] * 150}
    names = {"name": {"$in": ["r1", *map(str, range(20_000))]}}
    for wanted in (long, names):
        assert [run.stored.name for run in run_filters.find(db, many.id, json.dumps(wanted))] == ["r1"]


def test_a_time_that_is_none_is_refused():
    """Before any run is looked at."""
    with pytest.raises(RequestError, match="is not a time"):
        filter_sql.split({"created_at": {"$gt": "yesterday"}})
