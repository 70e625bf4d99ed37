"""Curves in a line."""

from __future__ import annotations

import pytest

from sweeper.cli.sparkline import BARS, sparkline


@pytest.mark.parametrize(
    ("values", "width", "line"),
    [
        ([], 8, ""),
        ([1.0], 0, ""),
        ([3.0], 8, "▄"),
        ([2.0, 2.0], 8, "▄▄"),
        ([0.0, 1.0], 8, "▁█"),
        ([float(value) for value in range(8)], 8, BARS),
        ([5.0, 1.0], 8, "█▁"),
        ([-1e308, 1e308], 8, "▁█"),
    ],
)
def test_the_lowest_value_is_the_lowest_bar(values, width, line):
    """What is flat is no low; nothing is drawn of nothing."""
    assert sparkline(values, width) == line


def test_a_long_curve_keeps_its_ends():
    """As many bars as there are columns: the first value and the last are among them."""
    line = sparkline([100.0, *([0.0] * 998), 50.0], 10)
    assert (len(line), line[0], line[-1], set(line[1:-1])) == (10, "█", "▅", {"▁"})
