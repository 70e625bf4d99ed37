"""Points thinned out to the width of a chart."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sweeper.plots import buckets
from sweeper.plots.buckets import NOTHING, Points
from sweeper.plots.chunks import Numbers, summed

FINITE = st.floats(-1e300, 1e300)


def points(pairs) -> Points:
    """Points, each for one value, from left to right."""
    x, y = (np.array(column, dtype=float) for column in zip(*sorted(pairs), strict=True))
    return Points(x, y, y, y, np.ones(x.size))


@given(st.lists(st.tuples(FINITE, FINITE), min_size=1, max_size=80), st.integers(2, 20))
def test_no_peak_is_lost(pairs, width):
    """As many points as the chart is wide, in order, with the extremes and the count of all; few stay as they are."""
    whole = points(pairs)
    thin = buckets.thinned(whole, width)
    assert len(thin) <= max(width, 1) or len(thin) == len(pairs) <= width
    assert (thin.low.min(), thin.high.max()) == (whole.low.min(), whole.high.max())
    assert thin.count.sum() == len(pairs)
    assert np.all(thin.x[1:] >= thin.x[:-1])
    assert np.all((thin.low <= thin.mean) & (thin.mean <= thin.high))
    if len(pairs) <= width:
        assert thin is whole


def test_a_thinned_point_lies_in_the_middle_of_what_it_stands_for():
    """Four values in two cells: the mean of each, between its lowest and highest."""
    thin = buckets.thinned(points([(0, 1), (1, 3), (10, 5), (11, 9)]), 2)
    assert buckets.plain(thin) == {"x": [0.5, 10.5], "y": [2, 7], "low": [1, 5], "high": [3, 9]}


def test_a_point_needs_a_number_on_both_axes():
    """Of lines and of chunks alike; a chunk is one point for all its values."""
    x = Numbers(np.array([0, 1, 2, 64]), np.array([0.0, 1.0, 2.0, 64.0]))
    y = Numbers(np.array([1, 2, 3, 200]), np.array([5.0, 7.0, 9.0, 1.0]))
    assert buckets.plain(buckets.of_column(x, y)) == {"x": [1, 2], "y": [5, 7]}
    found = buckets.of_chunks(summed(x, 256), summed(y, 256))
    assert buckets.plain(found) == {"x": [1], "y": [7], "low": [5], "high": [9]}


def test_parts_are_joined_in_the_order_of_the_axis():
    """Also where an axis goes back, as that of a run that was rewound; nothing is made of nothing."""
    joined = buckets.joined([points([(3, 1), (4, 2)]), points([(1, 3)])])
    assert joined.x.tolist() == [1, 3, 4]
    assert len(buckets.joined([])) == len(NOTHING) == 0
    assert buckets.plain(buckets.thinned(NOTHING, 5)) == {"x": [], "y": []}


def test_a_range_has_the_points_to_which_its_lines_lead():
    """The last one before it and the first one behind it."""
    whole = points([(number, number) for number in range(10)])
    assert buckets.within(whole, 3.5, 5.5).x.tolist() == [3, 4, 5, 6]
    assert buckets.within(whole, None, 0.5).x.tolist() == [0, 1]
    assert buckets.within(whole, 8.5, None).x.tolist() == [8, 9]


def test_numbers_are_sent_with_the_digits_that_count():
    """Whole ones stay whole, as steps are."""
    assert buckets.rounded(np.array([1 / 3, 123456789012.0, 1e300])) == [0.333333333, 123456789012, 1e300]
