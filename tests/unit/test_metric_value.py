"""The law by which a metric's values are found in what a run logged."""

from __future__ import annotations

import math

import pytest

from sweeper.metric_value import (
    Reading,
    counted,
    final_values,
    finite,
    flat,
    float_or_nan,
    in_summary,
    logged_kinds,
    lookup,
    may_aggregate,
    reading,
)


def keys(**kinds: str) -> dict:
    """Give key statistics as `historyKeys` answers them."""
    return {"keys": {name: {"typeCounts": [{"type": kind, "count": 1}]} for name, kind in kinds.items()}}


def test_only_finite_numbers_are_iterations():
    """NaN, infinities, booleans and text are skipped, as in W&B's engine."""
    assert finite([1, 2.5, math.nan, math.inf, -math.inf, True, "3", None]) == (1.0, 2.5)


def test_nan_counts_apart():
    """Somebody may want to know that it was logged."""
    assert counted([1, math.nan, "Infinity", "text", 2]) == ((1.0, 2.0), 2)
    assert counted([True, None, [1], 10**400, -math.inf]) == ((), 2)
    assert counted([0, -0.5]) == ((0.0, -0.5), 0)


def test_the_words_of_nan_are_numbers():
    """The SDK writes them so in places; other text is none, however much it looks like a number."""
    assert math.isnan(float_or_nan("NaN"))
    assert (float_or_nan("Infinity"), float_or_nan("-Infinity")) == (math.inf, -math.inf)
    assert (float_or_nan(10**400), float_or_nan(-(10**400))) == (math.inf, -math.inf)
    assert (float_or_nan(0), float_or_nan(-3), float_or_nan(2.5)) == (0.0, -3.0, 2.5)
    assert [float_or_nan(value) for value in ("nan", "inf", "infinity", "", {}, b"1")] == [None] * 6
    assert [float_or_nan(value) for value in ("0.5", True, None, [1])] == [None] * 4


@pytest.mark.parametrize(
    ("row", "value"),
    [
        ({"val.loss": 1, "val": {"loss": 2}}, 1),
        ({"val": {"loss": 2}}, 2),
        ({"val": 3}, None),
        ({"val": {"los": 3}}, None),
        ({"val": {"loss": 0}}, 0),
        ({"a.b": 1, "val": {"loss": False}}, False),
        ({"val.loss": None, "val": {"loss": 2}}, None),
    ],
)
def test_a_key_itself_comes_before_a_path(row, value):
    """What was logged as `val.loss` is meant, and only then what is nested so."""
    assert lookup(row, "val.loss") == value


@pytest.mark.parametrize(
    ("name", "logged", "found"),
    [
        ("loss", {"loss"}, Reading("loss")),
        ("loss.min", {"loss"}, Reading("loss", "min")),
        ("val/auc.max", {"val/auc", "epoch"}, Reading("val/auc", "max")),
        ("val.auc.best", {"val.auc"}, Reading("val.auc", "best")),
        ("loss.min", {"loss", "loss.min"}, Reading("loss.min")),
        ("loss.min", {"other"}, Reading("loss.min")),
        ("loss.median", {"loss"}, Reading("loss.median")),
        (".min", {""}, Reading(".min")),
        ("loss.first", {"loss"}, Reading("loss", "first")),
        ("loss.mean", {"loss"}, Reading("loss", "mean")),
        ("loss.last", {"loss"}, Reading("loss", "last")),
        ("min", {"min", ""}, Reading("min")),
        ("loss.min.max", {"loss.min"}, Reading("loss.min", "max")),
    ],
)
def test_an_aggregate_is_of_a_key_that_was_logged(name, logged, found):
    """The key itself comes first, so a trainer may log a mean of its own under `loss.mean`."""
    assert reading(name, logged) == found
    assert may_aggregate(name) or not found.aggregate


@pytest.mark.parametrize(
    ("word", "value"), [("min", 1), ("max", 4), ("mean", 2.5), ("first", 2), ("last", 3), ("best", 4), ("", 3)]
)
def test_aggregates(word, value):
    """Those of `run.define_metric(..., summary=...)`."""
    assert Reading("acc", word).value([2, 4, 1, 3], "maximize") == value


@pytest.mark.parametrize(
    ("summary", "name", "value"),
    [
        ({"acc": 0.5}, "acc", 0.5),
        ({"acc": {"max": 0.9}}, "acc.max", 0.9),
        ({"acc": {"max": 0.9, "min": 0.1}}, "acc", 0.9),
        ({"acc": {"last": 0.2}}, "acc", 0.2),
        ({"acc": {"max": 0.9}}, "acc.best", 0.9),
        ({"acc": 0.5}, "acc.last", 0.5),
        ({"acc": 0.5}, "acc.max", None),
        ({"acc": {"_type": "histogram"}}, "acc", None),
        ({"val": {"acc": 0.5}}, "val", None),
        ({"val": {"acc": 0.5}}, "val.acc", 0.5),
        ({}, "acc", None),
        ({"acc": 0.0}, "acc", 0.0),
        ({"acc": {"best": 0.7, "max": 0.9, "last": 0.1}}, "acc", 0.7),
        ({"acc": {"min": 0.1, "last": 0.2}}, "acc", 0.2),
        ({"acc": {"mean": 0.3, "first": 0.2}}, "acc", 0.3),
        ({"acc": {"first": 0.2, "min": 0.1}}, "acc", 0.2),
        ({"acc": {"min": 0.1}}, "acc", 0.1),
        ({"acc": {"min": 0.1}}, "acc.best", None),
        ({"acc.last": 0.4, "acc": 0.5}, "acc.last", 0.4),
        ({"acc.max": 0.4, "acc": 0.5}, "acc.max", 0.4),
        ({"acc": {"last": 0.4}}, "acc.last", 0.4),
        ({"acc": 0.5}, "acc.first", None),
    ],
)
def test_a_summary_has_what_define_metric_makes_of_it(summary, name, value):
    """A metric of the sweep may be named with or without what it is summed up by."""
    assert in_summary(summary, name, "maximize") == value


def test_several_metrics_have_all_values_or_none():
    """Half a point is no point of a front."""
    goals = {"acc": "maximize", "size": "minimize"}
    assert final_values({"acc": 0.5, "size": {"min": 3}}, goals) == (0.5, 3.0)
    assert final_values({"acc": 0.5, "size": "NaN"}, goals) == ()
    assert final_values({"acc": {"max": 0.9, "min": 0.1}, "size": {"max": 4, "min": 3}}, goals) == (0.9, 3.0)
    assert final_values({"size": 3}, goals) == ()
    assert final_values({"acc": True, "size": 3}, goals) == ()
    assert final_values({"size": 0, "acc": 0}, goals) == (0.0, 0.0)


def test_the_best_follows_the_goal():
    """The lowest of what is minimized, in a history and in a summary."""
    assert Reading("loss", "best").value([2, 4, 1, 3], "minimize") == 1
    assert in_summary({"loss": {"min": 0.1, "max": 0.9}}, "loss", "minimize") == 0.1
    assert in_summary({"loss": {"min": 0.1, "max": 0.9}}, "loss.best", "minimize") == 0.1


def test_what_was_logged_is_listed_numbers_first():
    """Without what the SDK logs by itself; what a summary says of a key of the history is no key of its own."""
    summary = {"los": {"min": 1}, "note": "x", "only": 3, "_runtime": 4, "_sweeper": {"reason": ""}, "flag": True}
    told = logged_kinds(keys(picture="image-file", los="number", _step="number", word="string"), summary)
    kinds = {"picture": "a image-file", "word": "text", "note": "text", "flag": "true or false"}
    assert told == {"los": "number", "only": "number", **kinds}
    assert next(iter(told)) == "los"
    assert logged_kinds({}, {}) == {}


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        ({"typeCounts": [{"type": "string"}, {"type": "number"}]}, "number"),
        ({"typeCounts": []}, "number"),
        ({}, "number"),
        ({"typeCounts": [{"type": "boolean"}]}, "true or false"),
        ({"typeCounts": [{"type": "nil"}]}, "None"),
        ({"typeCounts": [{"type": "array"}, {"type": "string"}]}, "a list"),
        ({"typeCounts": [{"type": "histogram"}]}, "a histogram"),
    ],
)
def test_a_key_that_was_ever_a_number_is_one(entry, kind):
    """What nobody counted is taken for one; else the first kind tells."""
    assert logged_kinds({"keys": {"x": entry}}, {}) == {"x": kind}


def test_a_summary_tells_the_kind_of_what_is_in_no_row():
    """The words of NaN are numbers."""
    told = logged_kinds({}, {"t": "text", "b": True, "l": [1], "n": None, "f": 0.5, "nan": "NaN", "i": 0})
    others = {"t": "text", "b": "true or false", "l": "a list", "n": "None"}
    assert told == {"f": "number", "nan": "number", "i": "number", **others}


def test_nested_values_have_dotted_names():
    """Media and what begins with `_` are left out; the words of NaN become numbers."""
    assert dict(flat({"a": {"b": 1}, "_c": 2, "d": {"_type": "table-file"}, "e": "Infinity"})) == {
        "a.b": 1,
        "e": math.inf,
    }
    nested = {"a": {"b": {"c": 0, "_type": "x"}, "_d": 1, "e": {}}, "": 2, "x.y": "text", "l": [{"a": 1}], "n": None}
    assert list(flat(nested)) == [("a._d", 1), ("", 2), ("x.y", "text"), ("l", [{"a": 1}]), ("n", None)]
