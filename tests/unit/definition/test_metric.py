"""What a metric's goal means, in the one place that says it."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.definition.metric import Metric
from sweeper.run import Goal, best_value

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(("goal", "good", "bad"), [("minimize", 0.1, 0.2), ("maximize", 0.2, 0.1)])
def test_a_target_is_reached_by_what_is_as_good(goal, good, bad):
    """Low values are good where the metric is minimised, high ones where it is maximised; equal is enough."""
    metric = Metric(name="m", goal=goal, target=good)
    assert metric.reached_by(good)
    assert not metric.reached_by(bad)
    assert metric.better(good, bad)
    assert not metric.better(bad, good)
    assert not metric.better(good, good)


def test_no_target_is_reached_by_nothing():
    """A metric without a target ends no sweep."""
    assert not Metric(name="m").reached_by(-1e300)


def test_nought_is_a_target_too():
    """A loss of 0.0 ends the sweep that asks for it."""
    assert Metric(name="m", target=0.0).reached_by(0.0)
    assert Metric(name="m", target=0.0).reached_by(-1.0)
    assert not Metric(name="m", target=0.0).reached_by(0.1)
    assert Metric(name="m", goal="maximize", target=0.0).reached_by(0.1)


@given(st.sampled_from(["minimize", "maximize"]), st.lists(NUMBERS, min_size=1))
def test_nothing_is_better_than_the_best(goal, values):
    """The best of some values is one of them, reaches each of them, and is the lowest loss."""
    metric = Metric(name="m", goal=cast(Goal, goal))
    best = best_value(metric.goal, values)
    assert best in values
    assert not any(metric.better(value, best) for value in values)
    assert metric.sign * best == min(metric.sign * value for value in values)
