"""Filters of runs, as people type them."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from sweeper.errors import ResultError, UsageError
from sweeper.results.run_filter import parse


def one(text):
    (condition,) = parse(text)
    return condition


def test_conditions_stand_side_by_side():
    """With commas or `and` between them as well, and spaces around an operator."""
    for text in (
        "val/acc>0.9 state=finished lr<1e-3",
        "val/acc > 0.9, state == finished and lr<1e-3",
        "  val/acc >0.9 && state= finished lr < 1e-3 ",
    ):
        found = [(part.name, part.operator, part.wanted) for part in parse(text)]
        assert found == [("val/acc", ">", "0.9"), ("state", "=", "finished"), ("lr", "<", "1e-3")]
    quoted = one("\"my metric\">='0.5'")
    assert (quoted.name, quoted.operator, quoted.wanted, quoted.quoted) == ("my metric", ">=", "0.5", True)
    assert one("name~a=b").wanted == "a=b"


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("lr<1e-3", 0.0005, True),
        ("lr<=1e-3", 0.001, True),
        ("lr>1e-3", 0.001, False),
        ("lr>1e-3", None, False),
        ("lr>1e-3", math.nan, False),
        ("lr=nan", math.nan, True),
        ("lr>1", True, False),  # true is no number
        ("n=32", 32, True),
        ("n=32.0", 32, True),
        ("n='32'", "32", True),
        ("n='32'", 32, False),
        ("n=32", "32", True),
        ("bias=true", True, True),
        ("bias=False", False, True),
        ("bias!=true", False, True),
        ("opt=adam", "adam", True),
        ("opt=adam", "adamw", False),
        ("opt~ADAM", "adamw", True),
        ("opt!~adam", "sgd", True),
        ("opt~adam", None, False),
        ("opt!~adam", None, True),
        ("opt!=adam", None, True),  # what has none has no adam
        ("opt=none", None, True),
        ("opt!=none", "x", True),
        ("opt='none'", "none", True),
        ("sizes=[32,16]", "[32,16]", True),
        ("duration>10m", 601.0, True),
        ("duration>1h30m", 5400.0, False),
        ("duration_s<90s", 89.0, True),
        ("lr>10m", 601.0, False),  # only a duration has a unit
        ("created>2026-01-31", datetime(2026, 2, 1, tzinfo=UTC), True),
        ("created<2026-01-31T12:00", datetime(2026, 1, 31, 12, tzinfo=UTC), False),
        ("created=2026-01-31", datetime(2026, 1, 31, 12, tzinfo=UTC), True),
        ("x>abc", "abd", False),
    ],
)
def test_a_condition_holds_for_a_value(text, value, holds):
    """Numbers are compared as numbers, texts as texts; what is not there compares with nothing."""
    assert one(text).holds(value) is holds


@pytest.mark.parametrize(
    ("text", "column", "what"),
    [
        ("", 0, "it is empty"),
        ("lr", 2, "no operator behind `lr`"),
        ("lr 0.1", 2, "no operator behind `lr`"),
        ("lr=>0.1", 2, "`=>` is no operator"),
        ("lr=", 3, "no value behind `=`"),
        ("lr>0.1 or lr<1", 7, "`or` is not there"),
        ("=0.1", 0, "a name is missing"),
        ("name='x", 5, "the quote is not closed"),
        ("'name=x", 0, "the quote is not closed"),
        ("lr>0.1 loss<>1", 11, "`<>` is no operator"),
    ],
)
def test_a_fault_is_shown_with_its_place(text, column, what):
    """The filter as it was typed, with a caret below the place, and what to write instead."""
    with pytest.raises(UsageError) as raised:
        parse(text)
    said, shown, caret = raised.value.message.split("\n")
    assert what in said
    assert (shown, caret) == (f"    {text}", f"    {' ' * column}^")
    assert raised.value.hint


@pytest.mark.parametrize(
    ("text", "is_time", "column"), [("lr>abc", False, 3), ("created>soon", True, 8), ("lr>'1'", False, 4)]
)
def test_an_order_needs_a_number_or_a_time(text, is_time, column):
    """A text is no more than another one; equality is asked of anything."""
    with pytest.raises(ResultError) as raised:
        one(text).check(is_time=is_time)
    assert raised.value.message.endswith(f"\n    {' ' * column}^")
    one("lr=abc").check(is_time=False)
    one("duration>10m").check(is_time=False)
    one("created>2026-01-01").check(is_time=True)
