"""Numbers of a history summed up in chunks of its lines."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.plots.chunks import CHUNK, COUNT, HIGH, LOW, MEAN, Numbers, columns, packed, summed, unpacked

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def test_numbers_of_rows_become_columns():
    """Nested keys are dotted; text, booleans, media and what is not finite are no numbers."""
    rows = [
        (0, {"a": 1, "in": {"b": 2.5}, "flag": True, "text": "NaN"}),
        (4, {"a": math.nan, "m": {"_type": "histogram", "bins": [1], "size": 3}}),
        (5, {"a": 10**400, "in": {"b": -1}}),
    ]
    found = {key: (column.lines.tolist(), column.values.tolist()) for key, column in columns(rows).items()}
    assert found == {"a": ([0], [1.0]), "in.b": ([0, 5], [2.5, -1.0])}


def test_only_the_keys_that_are_asked_for_are_read():
    """A chart has one or two of fifty."""
    rows = [(0, {"a": 1, "in": {"b": 2.5}, "c": 3, "in.d": 4})]
    assert {key: one.values.tolist() for key, one in columns(rows, ["a", "in.b", "in.d", "x"]).items()} == {
        "a": [1],
        "in.b": [2.5],
        "in.d": [4],
    }


@given(st.dictionaries(st.integers(0, 5 * CHUNK - 1), NUMBERS, max_size=60))
def test_no_lowest_and_no_highest_value_of_a_chunk_is_lost(values):
    """Each chunk has the count and the extremes of its lines, and a mean between them, however large they are."""
    places = sorted(values)
    column = Numbers(np.array(places, dtype=np.int64), np.array([values[place] for place in places]))
    sums = summed(column, 5 * CHUNK)
    for chunk, row in enumerate(sums):
        inside = [values[place] for place in places if place // CHUNK == chunk]
        assert row[COUNT] == len(inside)
        if inside:
            assert (row[LOW], row[HIGH]) == (min(inside), max(inside))
            assert row[LOW] <= row[MEAN] <= row[HIGH]
        else:
            assert np.isnan(row[1:]).all()


@pytest.mark.parametrize(("lines", "chunks"), [(0, 0), (1, 1), (CHUNK, 1), (CHUNK + 1, 2)])
def test_the_last_chunk_may_be_shorter(lines, chunks):
    """As many chunks as the lines need."""
    assert summed(Numbers(np.array([], dtype=np.int64), np.array([])), lines).shape == (chunks, 4)


def test_sums_are_read_as_they_were_written():
    """To the last bit."""
    sums = summed(Numbers(np.array([0, 70]), np.array([0.1, 1 / 3])), 2 * CHUNK)
    assert np.array_equal(unpacked(packed(sums)), sums, equal_nan=True)
