"""The arithmetic of rungs: where they lie, and who passes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.definition.rungs import MAX_RUNGS, falling, rising, share_threshold, wandb_threshold


def test_rungs_rise_by_multiplication_and_end_below_the_top():
    """Cut to integers, each once; without a top they end where no run gets."""
    assert rising(2, 1.5)[:4] == (2, 3, 4, 6)
    assert rising(1, 3, 27) == (1, 3, 9)
    assert rising(5, 3, 5) == ()
    assert rising(5, 3, 6) == (5,)
    assert rising(1, 1.4)[:5] == (1, 2, 3, 5, 7)
    assert rising(3, 2000.0)[-1] < 10**15


def test_rungs_fall_from_the_top_as_far_as_a_run_can_stand():
    """The top itself is none, and neither is anything below 1."""
    assert falling(27, 3, 2) == (3, 9)
    assert falling(10, 2, 3) == (1, 2, 5)
    assert falling(2, 3, 9) == ()
    assert falling(9, 3, 2) == falling(9, 3, 9) == (1, 3)
    assert falling(9, 3, 1) == (3,)
    assert falling(9, 3, 0) == ()


@given(st.integers(1, 10**6), st.floats(1.0001, 1e6))
def test_rungs_are_few_and_in_order(first, eta):
    """Whatever the file says, nobody counts for ever."""
    found = rising(first, eta)
    assert len(found) <= MAX_RUNGS
    assert list(found) == sorted(set(found))
    assert found[0] == first


@pytest.mark.parametrize(("runs", "kept"), [(1, 1), (3, 2), (6, 3), (49, 17)])
def test_wandbs_threshold_keeps_one_more_than_the_share(runs, kept):
    """At eta 3, floor(n / 3) + 1 values pass."""
    values = list(map(float, range(runs)))[::-1]
    assert wandb_threshold(values, 3) == kept - 1


def test_wandbs_threshold_rounds_the_share_first():
    """1/49 of 49 runs is a little less than one: the best alone passes, as in `sweeps` 0.3.0."""
    assert wandb_threshold(list(map(float, range(49))), 49) == 0


@pytest.mark.parametrize(("runs", "share", "kept"), [(1, 0.5, 1), (4, 0.5, 2), (10, 1 / 3, 3), (3, 0.01, 1)])
def test_a_share_keeps_as_many_as_come_nearest_and_at_least_one(runs, share, kept):
    """The threshold is the worst of them."""
    assert share_threshold(list(map(float, range(runs)))[::-1], share) == kept - 1
