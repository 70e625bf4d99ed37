"""The values of a sweep's metric: numbered, with their extremes, however they are delivered."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.run import RunState
from sweeper.server.errors import RequestError
from sweeper.server.store import lines, projects, runs, sweeps, users
from sweeper.server.store.database import MEMORY, Store
from sweeper.server.store.lines import MAX_LINES, HistoryLine, Stream

VALUES = st.sampled_from([0.0, 1.0, -1.0, 2.5, math.nan, math.inf, None])
DELIVERIES = st.lists(st.tuples(st.integers(0, 8), st.lists(VALUES, max_size=5)), max_size=8)


def line(number: int, value: float | None) -> HistoryLine:
    row = {} if value is None else {"loss": value}
    return HistoryLine(number, json.dumps(row), row)


def _sweep_and_run(db) -> tuple[int, int]:
    user = users.ensure_user(db, "local", "k" * 40, now=0)
    place = projects.ensure(db, "local", "p", now=0)
    text = "{method: random, metric: {name: loss}, parameters: {x: {min: 0.0, max: 1.0}}}"
    sweep = sweeps.create(db, place.id, text, user_id=user.id, seed=1, display_name=None, now=0)
    return sweep.id, runs.create(db, place.id, "r", state=RunState.RUNNING, now=0, sweep_id=sweep.id).id


@given(DELIVERIES)
@settings(max_examples=60, deadline=None)
def test_values_are_numbered_by_line_whatever_the_order_of_delivery(deliveries):
    """Lines sent again, changed, late or with gaps leave the same numbers as one clean delivery."""
    store, final = Store(MEMORY), {}
    with store.write() as db:
        sweep_id, run_id = _sweep_and_run(db)
        for offset, values in deliveries:
            brought = [line(offset + i, value) for i, value in enumerate(values)]
            # as a request does it: lines behind all that were there are not looked for
            lines.put_metric(db, sweep_id, run_id, "loss", brought, known=max(final, default=-1) + 1)
            final |= {offset + i: value for i, value in enumerate(values)}
        found = db.execute("SELECT line, value, iteration, lowest, highest FROM metric_values ORDER BY line")
        stored = [tuple(row) for row in found]
        bad = lines.nonfinite(db, sweep_id, run_id)
    store.close()
    logged = [(number, value) for number, value in sorted(final.items()) if value is not None]
    finite = [(number, value) for number, value in logged if math.isfinite(value)]
    so_far = [[value for _, value in finite[: i + 1]] for i in range(len(finite))]
    assert stored == [(*pair, i + 1, min(so_far[i]), max(so_far[i])) for i, pair in enumerate(finite)]
    assert bad == len(logged) - len(finite)


@pytest.mark.parametrize(("line_number", "known"), [(0, 0), (1, 1), (2, 1), (3, 2), (99, 2)])
def test_the_values_before_a_line_are_counted(line_number, known):
    """Finite values only: what a delivery adds is what lies at its first line and after."""
    store = Store(MEMORY)
    with store.write() as db:
        sweep_id, run_id = _sweep_and_run(db)
        lines.put_metric(db, sweep_id, run_id, "loss", [line(0, 1.0), line(1, math.nan), line(2, 2.0)])
        assert lines.iterations(db, sweep_id, run_id, line_number) == known
    store.close()


def texts(*rows: dict) -> list[HistoryLine]:
    """Lines of a history, numbered from 0."""
    return [HistoryLine(number, json.dumps(row), row) for number, row in enumerate(rows)]


def test_a_line_sent_again_replaces_itself(db, make_run):
    """Streams are apart, gaps stay gaps, and the count is the index after the last."""
    run = make_run("r")
    lines.put(db, run.id, Stream.CONSOLE, 0, ["a", "b"])
    lines.put(db, run.id, Stream.CONSOLE, 1, ["B"])
    lines.put(db, run.id, Stream.CONSOLE, 5, ["f"])
    assert lines.texts(db, run.id, Stream.CONSOLE) == ["a", "B", "f"]
    assert (lines.count(db, run.id, Stream.CONSOLE), lines.count(db, run.id, Stream.EVENTS)) == (6, 0)
    assert (lines.tail(db, run.id, Stream.CONSOLE), lines.tail(db, run.id, Stream.EVENTS)) == (["f"], [])


@pytest.mark.parametrize(
    ("step", "kept"),
    [
        (3, 3),
        (None, None),
        ("3", None),
        (2**53, 2**53),
        (2**53 + 1, None),
        (2**63, None),
        (-(2**63) + 1, -(2**63) + 1),
        (-(2**63), None),
    ],
)
def test_a_step_is_a_number_that_sqlite_holds(step, kept):
    """Whatever else was logged as `_step` is no step."""
    assert HistoryLine(0, "", {"_step": step}).step == kept


def test_the_last_line_of_a_stream_is_taken_and_none_behind_it(db, make_run):
    """GraphQL's Int counts no further: of any stream, one line or many."""
    run = make_run("r")
    lines.put(db, run.id, Stream.CONSOLE, MAX_LINES - 2, ["a", "b"])
    lines.put_history(db, run.id, [HistoryLine(MAX_LINES - 1, "{}", {})])
    assert lines.count(db, run.id, Stream.CONSOLE) == lines.count(db, run.id, Stream.HISTORY) == MAX_LINES
    with pytest.raises(RequestError, match="more than a stream"):
        lines.put(db, run.id, Stream.CONSOLE, MAX_LINES - 2, ["a", "b", "c"])
    with pytest.raises(RequestError, match="more than a stream"):
        lines.put_history(db, run.id, [HistoryLine(MAX_LINES, "{}", {})])


def test_curves_end_with_the_last_value(db, make_sweep, make_run):
    """Whether the points divide the values or not; a run without a value has none."""
    sweep, run, _ = make_sweep(), make_run("r"), make_run("empty")
    for number in range(1, 12):
        lines.put_metric(db, sweep.id, run.id, "loss", [line(number, float(number))])
        curves = lines.metric_curves(db, sweep.id, ["r", "empty"], 4)
        assert curves.keys() == {"r"}
        assert curves["r"][-1] == (number, float(number))
        assert lines.metric_samples(db, sweep.id, run.id, 4)[-1] == float(number)


def test_values_behind_lines_that_come_again_keep_theirs(db, make_sweep, make_run):
    """Numbered anew, once each; a line that now has another value, NaN or none gives its place up."""
    sweep, run = make_sweep(), make_run("r")
    lines.put_metric(db, sweep.id, run.id, "loss", [line(i, float(i)) for i in range(5)])
    lines.put_metric(db, sweep.id, run.id, "loss", [line(1, math.nan), line(2, 9.0)], known=5)
    assert lines.metric_history(db, sweep.id, run.id) == (0.0, 9.0, 3.0, 4.0)
    assert [row["value"] for row in lines.metric_at(db, sweep.id, 4)] == [4.0]
    lines.put_metric(db, sweep.id, run.id, "loss", [line(1, 1.0), line(2, None)], known=5)
    assert lines.metric_history(db, sweep.id, run.id) == (0.0, 1.0, 3.0, 4.0)
    assert lines.nonfinite(db, sweep.id, run.id) == 0


def test_history_is_read_by_number_and_by_step(db, make_run):
    """A step may come twice, after a resume; lines without one are read by number only."""
    run = make_run("r")
    history = texts({"_step": 5}, {"_step": 6}, {"a": 1}, {"_step": 5, "again": 1})
    lines.put_history(db, run.id, history)
    assert lines.history(db, run.id, first=2) == history[2:]
    assert lines.steps(db, run.id) == [5, 6, 5]
    assert lines.history_between(db, run.id, 5, 6) == [history[0].text, history[3].text]


def test_samples_of_a_metric_end_with_its_last_value(db, make_sweep, make_run):
    """A chart of a long run needs few points, and the last of them is where the run stands."""
    sweep, run = make_sweep(), make_run("r")
    lines.put_metric(db, sweep.id, run.id, "loss", texts(*({"loss": float(i)} for i in range(100))))
    assert lines.metric_samples(db, sweep.id, run.id, 4) == (24.0, 49.0, 74.0, 99.0)
    assert lines.metric_samples(db, sweep.id, run.id, 3)[-1] == 99.0
    assert lines.metric_samples(db, sweep.id, run.id, 1000) == lines.metric_history(db, sweep.id, run.id)


def test_a_target_is_reached_by_a_run_of_the_sweeps_own(db, make_sweep, make_run):
    """As good as the target is good enough; what an attached run once logged ends no new sweep."""
    sweep = make_sweep()
    own, prior = make_run("own", sweep_id=sweep.id), make_run("prior")
    lines.put_metric(db, sweep.id, own.id, "loss", texts({"loss": 0.5}, {"loss": 2.0}))
    lines.put_metric(db, sweep.id, prior.id, "loss", texts({"loss": -9.0}, {"loss": 9.0}))
    assert [lines.metric_reached(db, sweep.id, target, "minimize") for target in (0.5, 0.4)] == [True, False]
    assert [lines.metric_reached(db, sweep.id, target, "maximize") for target in (2.0, 2.1)] == [True, False]


def test_a_metric_is_taken_over_by_a_sweep_that_has_the_same(db, make_sweep, make_run):
    """With numbers and extremes, without reading a line again."""
    old, new, run = make_sweep(), make_sweep(), make_run("r")
    lines.put_metric(db, old.id, run.id, "loss", texts({"loss": 3.0}, {"loss": 1.0}, {"loss": 2.0}))
    lines.copy_metric(db, old.id, new.id, run.id)
    assert lines.metric_histories(db, new.id) == {run.id: (3.0, 1.0, 2.0)}
    (row,) = lines.metric_at(db, new.id, 3)
    assert tuple(row) == (run.id, 2.0, 1.0, 3.0)
    assert tuple(lines.metric_of(db, new.id, run.id, 1)) == (3.0, 3.0, 3.0)


def test_the_values_of_a_run_go_and_its_lines_stay(db, make_sweep, make_run):
    """Finite ones and others, of this run alone."""
    sweep, run, other = make_sweep(), make_run("r"), make_run("s")
    for logging in (run, other):
        history = texts({"loss": 1.0}, {"loss": math.nan})
        lines.put_history(db, logging.id, history)
        lines.put_metric(db, sweep.id, logging.id, "loss", history)
    lines.clear_metrics(db, run.id)
    assert lines.metric_histories(db, sweep.id) == {other.id: (1.0,)}
    assert [lines.nonfinite(db, sweep.id, one.id) for one in (run, other)] == [0, 1]
    assert lines.count(db, run.id, Stream.HISTORY) == 2


def test_no_more_is_read_than_an_answer_has_room_for(client):
    """However much a run has logged: what is asked for is not first put together in memory."""
    client.init("r")
    long = json.dumps({"_step": 0, "a": "x" * (17 * 2**20)})
    with client.http.app.state.store.write(durable=False) as db:
        (run,) = db.execute("SELECT id FROM runs").fetchone()
        for number in range(4):
            lines.put_history(db, run, [HistoryLine(number, long, {"_step": 0})])
            lines.put(db, run, Stream.CONSOLE, number, [long])
    console = ["logLines { edges { cursor } }", "logLines(last: 9) { edges { cursor } }"]
    for field in ["history", "history(minStep: 0)", *console]:
        query = f'{{ project(name: "p") {{ run(name: "r") {{ {field} }} }} }}'
        assert "bytes" in client.graphql(query, status=400)
