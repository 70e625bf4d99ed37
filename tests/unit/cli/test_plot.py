"""Curves in the terminal."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.cli.plot import plot, short


def test_a_rise_goes_from_the_lower_left_to_the_upper_right():
    """With its axes and their ends."""
    lines = plot([(0, 0.0), (1, 1.0)], width=14, height=2)
    assert lines[0].startswith("1 ┤")
    assert lines[1].startswith("0 ┤")
    first, second = lines[0].split("┤")[1], lines[1].split("┤")[1]
    assert len(first) > len(second.rstrip())  # the upper line's dots are on the right
    assert lines[-1].split() == ["0", "1"]


def test_what_does_not_change_is_a_line():
    """One value, or a run with one step, has one label."""
    assert plot([(0, 3.0), (9, 3.0)], width=20, height=5)[0].startswith("3 ┤")
    lines = plot([(5, 3.0)], width=20, height=5)
    assert lines[-1].split() == ["5"]
    assert sum(line.count("3") for line in lines) == 1


FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(FINITE, min_size=1, max_size=50), st.integers(30, 160), st.integers(2, 12))
def test_every_curve_fits(values, width, height):
    """Whatever is drawn, no line is longer than the terminal, and there are as many as were asked for."""
    lines = plot([*enumerate(values)], width=width, height=height)
    assert len(lines) == height + 2
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize(("value", "text"), [(3.0, "3"), (0.5, "0.5"), (1e9, "1e+09"), (math.pi, "3.142")])
def test_an_axis_has_short_numbers(value, text):
    """Whole ones without a point."""
    assert short(value) == text
