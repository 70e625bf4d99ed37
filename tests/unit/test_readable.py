"""Values as people read them."""

from __future__ import annotations

import pytest

from sweeper.readable import duration, number, parameters, runs_word, share, size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *(
            (None, "-"),
            (0, "0.0s"),
            (8.25, "8.2s"),
            (59.94, "59.9s"),
            (59.96, "1m 00s"),
            (60, "1m 00s"),
            (63, "1m 03s"),
        ),
        *((119.7, "2m 00s"), (3599.4, "59m 59s"), (3599.6, "1h 00m"), (3600, "1h 00m"), (3660, "1h 01m")),
        *((7800, "2h 10m"), (360_000, "100h 00m")),
    ],
)
def test_durations_are_for_people(seconds, text):
    """Seconds, then minutes, then hours."""
    assert duration(seconds) == text


def test_nested_names_lose_their_groups():
    """`optimizer.learning_rate` is read as `learning_rate`."""
    assert parameters({"opt.lr": 0.1, "k": [1, 2]}) == "lr=0.1 k=[1,2]"
    assert parameters({"b": True, "a.b.c": 0.123456789, "i": 123456, "t": "a b"}) == "b=True c=0.1235 i=123456 t=ab"
    assert parameters({}) == ""


@pytest.mark.parametrize(("value", "text"), [(None, "-"), (0.0, "0"), (0.123456, "0.1235"), (-1e-9, "-1e-09")])
def test_a_value_has_four_digits(value, text):
    """A dash where there is none; nothing is a value."""
    assert number(value) == text


@pytest.mark.parametrize(("value", "text"), [(None, "-"), (0.0, "0%"), (0.634, "63%"), (0.636, "64%"), (1.0, "100%")])
def test_a_share_is_of_a_hundred(value, text):
    """A dash where it is not known."""
    assert share(value) == text


def test_one_run_is_one_run():
    """And none are several."""
    assert [runs_word(count) for count in (0, 1, 2)] == ["0 runs", "1 run", "2 runs"]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "-"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 KB"),
        (1_234_567, "1.23 MB"),
        (999_499, "999 KB"),
        (999_500, "1 MB"),
        (1e9, "1 GB"),
        (1e12, "1 TB"),
        (5e15, "5e+03 TB"),
    ],
)
def test_sizes_are_short(number, text):
    """Three digits and a unit."""
    assert size(number) == text
