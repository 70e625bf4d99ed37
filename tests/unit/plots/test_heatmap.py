"""Histograms over steps as a picture."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.plots.heatmap import ROWS, Histogram, heatmap, read


def levels(found) -> np.ndarray:
    """The picture as columns of rows."""
    return np.frombuffer(found.shares, dtype=np.uint8).reshape(len(found.steps), ROWS)


@pytest.mark.parametrize(
    ("value", "edges"),
    [
        ({"_type": "histogram", "values": [1, 2], "bins": [0, 0.5, 1]}, [0, 0.5, 1]),
        ({"_type": "histogram", "values": [1, 2], "packedBins": {"min": 3, "size": 2, "count": 2}}, [3, 5, 7]),
        ({"_type": "histogram", "values": [1, 2], "bins": [0, 1]}, None),
        ({"_type": "histogram", "values": [1, 2], "bins": [0, "NaN", 1]}, None),
        ({"_type": "histogram", "values": [], "bins": [0]}, None),
        ({"_type": "histogram", "values": [1, -2], "bins": [0, 1, 2]}, None),
        ({"_type": "histogram", "values": [1, 2], "bins": [0, 2, 1]}, None),
        ({"_type": "histogram", "values": [1], "packedBins": {"min": 3}}, None),
        ({"_type": "image-file"}, None),
        (3, None),
    ],
)
def test_a_histogram_is_read_as_the_sdk_writes_it(value, edges):
    """With its edges, or with where they begin and how far apart they are; what is none is left out."""
    found = read(value)
    assert (None if found is None else found.edges.tolist()) == edges


@given(
    st.lists(
        st.tuples(st.floats(-1e6, 1e6), st.floats(1e-3, 1e3), st.lists(st.integers(0, 99), min_size=1)), min_size=1
    )
)
def test_every_column_shows_its_values(parts):
    """The whole range is there, and the fullest place of all is the brightest."""
    found = [
        (float(step), Histogram(low + width * np.arange(len(counts) + 1), np.array(counts, dtype=float)))
        for step, (low, width, counts) in enumerate(parts)
    ]
    picture = heatmap(found)
    assert picture is not None
    assert picture.steps == [float(step) for step in range(len(parts))]
    assert picture.low <= min(one.edges[0] for _, one in found)
    assert picture.high >= max(one.edges[-1] for _, one in found)
    for column, (_, one) in zip(levels(picture), found, strict=True):
        assert bool(column.any()) == bool(one.counts.sum())
    assert levels(picture).max() in {0, 255}


def test_values_that_are_all_the_same_have_a_picture():
    """As a layer's bias before the first step."""
    picture = heatmap([(0.0, Histogram(np.zeros(3), np.array([0.0, 5.0])))])
    assert picture is not None
    assert (picture.low, picture.high) == (-1.0, 1.0)
    assert np.flatnonzero(levels(picture)[0]).tolist() == [ROWS // 2]
    assert heatmap([]) is None
    assert not math.isnan(picture.high)
