"""The runs that no other run beats."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sweeper.search.pareto_front import front as front_of
from sweeper.search.pareto_front import losses_of

GOALS = ("minimize", "maximize")
VALUES = st.lists(st.none() | st.tuples(*[st.integers(0, 5).map(float)] * 2), max_size=30)


def beats(one, other) -> bool:
    return one[0] <= other[0] and one[1] >= other[1] and one != other


@given(VALUES)
def test_the_front_is_what_nobody_beats(values):
    """A run is on the front if and only if it has values and no other run's values beat them."""
    front = front_of(values, GOALS)
    for index, row in enumerate(values):
        unbeaten = row is not None and not any(beats(other, row) for other in values if other is not None)
        assert (index in front) == unbeaten


def test_runs_with_the_same_values_stand_on_the_front_together():
    """Neither is better than the other in anything."""
    assert front_of([(1.0, 2.0), (1.0, 2.0), (2.0, 1.0)], GOALS) == [0, 1]


def test_the_front_keeps_the_order_of_the_runs():
    """Whatever their values; runs without values are in none."""
    assert front_of([None, (3.0, 3.0), (), (1.0, 1.0), (2.0, 2.0), (1.0, 1.0)], GOALS) == [1, 3, 4, 5]
    assert front_of([(1.0, 2.0, 3.0), (1.0, 2.0, 2.0), (0.0, 9.0, 9.0)], ("minimize",) * 3) == [1, 2]
    assert front_of([], GOALS) == front_of([None], GOALS) == []


def test_losses_are_low_where_values_are_good_and_stay_finite():
    """The second metric is turned round; what is huge is cut."""
    assert losses_of([(1.0, 2.0), (1e308, -1e308)], GOALS).tolist() == [[1.0, -2.0], [1e300, 1e300]]
