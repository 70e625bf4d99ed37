"""When two values of a parameter are the same one."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.space.values import is_number, json_key

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        ("1", 1, False),
        (None, "null", False),
        ([1, 2], [2, 1], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        (math.inf, 1e308, False),
    ],
)
def test_values_are_the_same_where_json_has_one_for_both(one, other, same):
    """A whole number is the same with a point; a truth is no number; the order of keys says nothing."""
    assert (json_key(one) == json_key(other)) is same


@given(VALUES)
def test_a_value_keeps_its_key_on_the_wire(value):
    """Whatever a file can hold comes back from JSON as the same value."""
    assert json_key(json.loads(json.dumps(value))) == json_key(value)


@pytest.mark.parametrize(("value", "number"), [(1, True), (1.5, True), (True, False), ("1", False), (None, False)])
def test_a_truth_is_no_number(value, number):
    """Python counts with it; JSON does not."""
    assert is_number(value) is number
