"""Values as people read them."""

from __future__ import annotations

import pytest

from sweeper.readable import duration, parameters, size


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "-"), (8.25, "8.2s"), (63, "1m 03s"), (119.7, "2m 00s"), (7800, "2h 10m")]
)
def test_durations_are_for_people(seconds, text):
    """Seconds, then minutes, then hours."""
    assert duration(seconds) == text


def test_nested_names_lose_their_groups():
    """`optimizer.learning_rate` is read as `learning_rate`."""
    assert parameters({"opt.lr": 0.1, "k": [1, 2]}) == "lr=0.1 k=[1,2]"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "-"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 KB"),
        (1_234_567, "1.23 MB"),
        (999_600, "1 MB"),
        (5e15, "5e+03 TB"),
    ],
)
def test_sizes_are_short(number, text):
    """Three digits and a unit."""
    assert size(number) == text
