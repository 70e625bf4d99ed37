"""What is known of a history's keys, and rows picked from it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.server.store import history_keys
from sweeper.server.store.lines import HistoryLine


def lines_of(*rows: dict) -> list[HistoryLine]:
    """Lines of a history, numbered from 0."""
    return [HistoryLine(number, json.dumps(row), row) for number, row in enumerate(rows)]


def kinds(known: dict) -> dict[str, list[tuple[str, int]]]:
    """Of each key, how often it was logged as what."""
    return {
        name: [(count["type"], count["count"]) for count in entry["typeCounts"]]
        for name, entry in known["keys"].items()
    }


def test_each_kind_of_value_is_counted():
    """Mappings are spread out with dots, but for those with a `_type`: they are one media value."""
    row = {"a": 1, "b": {"c": 2.5}, "m": {"_type": "image-file"}, "t": "x", "n": None, "l": [1], "f": True}
    assert kinds(history_keys.add_keys({}, lines_of(row))) == {
        "a": [("number", 1)],
        "b.c": [("number", 1)],
        "m": [("image-file", 1)],
        "t": [("string", 1)],
        "n": [("nil", 1)],
        "l": [("array", 1)],
        "f": [("boolean", 1)],
    }


@given(st.lists(st.one_of(st.integers(-5, 5), st.sampled_from(["x", True, None])), max_size=12), st.integers(0, 12))
def test_counting_goes_on_where_it_stopped(values, cut):
    """Two deliveries leave what one delivery of all leaves."""
    rows = lines_of(*({"_step": number, "a": value} for number, value in enumerate(values)))
    whole = history_keys.add_keys({}, rows)
    assert history_keys.add_keys(history_keys.add_keys({}, rows[:cut]), rows[cut:]) == whole
    assert whole["lastStep"] == len(values) - 1
    assert history_keys.counts(whole).get("a", 0) == len(values)


@pytest.mark.parametrize(("values", "monotonic"), [([1, 1, 2], True), ([1, 3, 2], False), (["x", 1, 2], False)])
def test_a_key_that_never_falls_is_monotonic(values, monotonic):
    """The SDK takes such a key for one that a chart may have as its axis."""
    known = history_keys.add_keys({}, lines_of(*({"a": value} for value in values)))
    assert known["keys"]["a"]["monotonic"] is monotonic


@given(st.lists(st.integers(), max_size=50), st.integers(-1, 60))
def test_a_sample_is_in_order_and_has_both_ends(items, limit):
    """As many as asked for if there are so many, the first and the last among them."""
    items = list(enumerate(items))
    found = list(history_keys.sample(items, limit))
    assert len(found) == max(0, min(limit, len(items)))
    assert found == sorted(set(found))
    if found:
        assert found[-1] == items[-1]
    if len(found) > 1:
        assert found[0] == items[0]


def test_rows_are_cut_down_to_the_keys_they_all_have():
    """A row that lacks a key, or has null for it, is left out."""
    texts = ['{"a": 1, "b": {"c": 2}, "d": 3}', '{"a": 1}', '{"a": null, "b": {"c": 2}}', '{"say": "a b"}']
    assert history_keys.rows_with(texts, ["a", "b.c"]) == [{"a": 1, "b.c": 2}]


def test_keys_without_end_are_not_counted():
    """What is known of each is written with every delivery; the first ones go on being counted."""
    one = history_keys.add_keys({}, [HistoryLine(0, "", {"a0": 0})])
    first = {**one, "keys": {f"a{i}": one["keys"]["a0"] for i in range(history_keys.MAX_KEYS)}}
    more = history_keys.add_keys(first, [HistoryLine(1, "", {"a0": 5, "b": 1})])
    assert len(more["keys"]) == history_keys.MAX_KEYS
    assert history_keys.counts(more)["a0"] == 2


def test_rows_of_one_shape_are_counted_as_others():
    """Whether all rows have the same keys in the same order, which is nearly always so, is no matter."""
    rows = [{"a": 1, "b": {"c": i}, "d": "x"} for i in range(3)]
    mixed = [dict(reversed(row.items())) if i == 1 else row for i, row in enumerate(rows)]
    whole, scattered = (history_keys.add_keys({}, lines_of(*some)) for some in (rows, mixed))
    assert whole["keys"] == scattered["keys"]
    assert kinds(whole) == {"a": [("number", 3)], "b.c": [("number", 3)], "d": [("string", 3)]}
    assert not whole["keys"]["d"]["monotonic"]
    flat = history_keys.add_keys({}, lines_of({"a": 2, "_step": 4}, {"a": 1.5, "_step": 7}))
    assert (flat["lastStep"], flat["keys"]["a"]["monotonic"], flat["keys"]["a"]["previousValue"]) == (7, False, 1.5)


def test_the_extremes_are_of_finite_numbers_alone():
    """NaN has no place in an order, and a number that no float holds none on a chart."""
    known = history_keys.add_keys({}, lines_of({"a": float("nan")}, {"a": 2}, {"a": 10**400}, {"a": 1}, {"a": True}))
    assert known["keys"]["a"][history_keys.EXTREMES] == [1, 1, 2]
    assert history_keys.add_keys({}, lines_of({"a": "x"}))["keys"]["a"][history_keys.EXTREMES] == []


def test_extremes_that_nobody_counted_from_the_first_row_on_are_not_begun():
    """A run of an older server would be told the extremes of its last rows as those of all."""
    old = history_keys.without_extremes(json.dumps(history_keys.add_keys({}, lines_of({"a": -5}))))
    now = history_keys.add_keys(json.loads(old), lines_of({"a": 1, "b": 1}))["keys"]
    assert history_keys.EXTREMES not in now["a"]
    assert now["b"][history_keys.EXTREMES] == [1, 1, 1]
