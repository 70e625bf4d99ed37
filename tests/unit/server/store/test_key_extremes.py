"""The extremes of any key: counted as rows come in, or read where nobody counted them."""

from __future__ import annotations

import json

import pytest

from sweeper.server.store import history_keys, key_extremes, lines, runs
from sweeper.server.store.key_extremes import Extremes, extremes
from sweeper.server.store.lines import HistoryLine

ROWS = [
    {"_step": 0, "loss": 2.0, "val": {"acc": 1}, "note": "x", "flag": True},
    {"_step": 1, "loss": float("nan"), "val": {"acc": 3}},
    {"_step": 2, "loss": -1.5, "val": {"acc": 2}},
    {"_step": 3, "bad": float("inf")},
]
FOUND = {"loss": Extremes(-1.5, -1.5, 2.0), "val.acc": Extremes(2, 1, 3), "_step": Extremes(3, 0, 3)}


def logged(db, run_id: int, *, counted: bool) -> None:
    """Give a run a history, with or without the statistics that tell its extremes."""
    history = [HistoryLine(number, json.dumps(row), row) for number, row in enumerate(ROWS)]
    lines.put_history(db, run_id, history)
    keys = json.dumps(history_keys.add_keys(history_keys.add_keys({}, history[:2]), history[2:]))
    runs.put(db, run_id, history_keys=keys if counted else history_keys.without_extremes(keys))


@pytest.mark.parametrize("counted", [True, False])
def test_last_lowest_and_highest_of_any_key_are_found(db, make_run, counted):
    """Nested keys are dotted; NaN, infinities, text and booleans are no values; an older run's history is read."""
    run = make_run("r")
    logged(db, run.id, counted=counted)
    wanted = ["loss", "val.acc", "_step", "note", "flag", "bad", "never"]
    assert extremes(db, [run.id], wanted) == {run.id: FOUND}


def test_a_key_of_any_name_is_found(db, make_run):
    """Quotes, dots and letters of other scripts are no trouble, however the statistics were written."""
    row = {'a "b" c': 1, "größe": 2, "a.b/c d": 3}
    history = [HistoryLine(0, json.dumps(row), row)]
    run = make_run("r", history_keys=json.dumps(history_keys.add_keys({}, history)))
    assert {key: extremes(db, [run.id], [key])[run.id][key].last for key in row} == row


def test_a_key_that_only_the_summary_has_is_its_value_there(db, make_run):
    """`run.summary["x"] = 3` is a metric as well; what has no number is left out."""
    run, other = make_run("r", summary='{"x": 3, "in": {"y": "NaN"}}'), make_run("s")
    assert extremes(db, [run.id, other.id], ["x", "in.y"]) == {run.id: {"x": Extremes(3, 3, 3)}}


def test_statistics_of_a_run_that_logs_meanwhile_stay(db, make_run):
    """What was read of its history is not all any more."""
    run = make_run("r", history_keys="{}")
    key_extremes.put(db, run.id, '{"older": 1}', '{"keys": {}}')
    assert runs.get(db, run.id).history_keys == "{}"
    assert key_extremes.complete(db, 0) is None


def test_a_thousand_runs_are_read_page_by_page(db, make_run):
    """However many are asked for, each is answered."""
    made = [
        make_run(f"r{i}", history_keys=f'{{"keys": {{"a": {{"extremes": [{i}, 0, {i}]}}}}}}').id for i in range(1001)
    ]
    found = extremes(db, made, ["a"])
    assert [found[run_id]["a"].last for run_id in made] == [*range(1001)]
