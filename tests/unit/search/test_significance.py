"""Means, intervals and tests, held against SciPy's own."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sweeper.search.significance import Spread, foreseen, holm, spread, welch

SAMPLES = st.lists(st.integers(-1000, 1000), min_size=2, max_size=12).map(lambda sample: [n / 7 for n in sample])


@given(SAMPLES)
def test_an_interval_is_students(sample):
    """SciPy gives the same limits; of equal values the interval is a point, and exactly theirs."""
    found = spread(sample)
    if len(set(sample)) == 1:
        assert found == Spread(len(sample), sample[0], 0.0, sample[0], sample[0])
        return
    low, high = stats.t.interval(0.95, len(sample) - 1, loc=found.mean, scale=stats.sem(sample))
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    assert found.sd == pytest.approx(stats.tstd(sample))


@given(SAMPLES, SAMPLES)
def test_two_means_are_compared_by_welchs_test(one, other):
    """SciPy gives the same probability, whichever stands first."""
    if len(set(one)) == 1 or len(set(other)) == 1:  # SciPy warns where there is no spread
        return
    p = welch(spread(one), spread(other))
    assert p == pytest.approx(stats.ttest_ind(one, other, equal_var=False).pvalue, abs=1e-12)
    assert p == pytest.approx(welch(spread(other), spread(one)))


def test_samples_without_any_spread_differ_or_do_not():
    """There is no chance in values that no seed changes; a spread on one side is enough for a test."""
    assert welch(spread([1.0, 1.0]), spread([2.0, 2.0])) == 0.0
    assert welch(spread([1.0, 1.0]), spread([1.0, 1.0])) == 1.0
    assert welch(spread([0.0, 0.0]), spread([0.0, 0.0])) == 1.0
    assert 0 < welch(spread([1.0, 1.0, 1.0]), spread([2.0, 2.1, 1.9])) < 0.01


def test_too_few_values_have_no_interval():
    """One value has a mean and says nothing of its spread; none have not even that."""
    assert spread([]) == Spread()
    assert spread([3.0]) == Spread(1, 3.0)
    assert foreseen(spread([3.0])) is None
    assert welch(spread([3.0]), spread([1.0, 2.0])) is None
    assert welch(spread([1.0, 2.0]), spread([3.0])) is None
    assert welch(spread([]), spread([1.0, 2.0])) is None
    assert welch(spread([1.0, 2.0]), spread([])) is None
    assert foreseen(spread([])) is None
    assert foreseen(spread([3.0, 3.0])) == (3.0, 3.0)


def test_a_further_value_may_lie_further_off_than_the_mean():
    """The limits for one more value are wider than those for the mean: Student's, times the root of n + 1."""
    found = spread([1.0, 2.0, 3.0])
    low, high = foreseen(found)
    assert high - low == pytest.approx((found.high - found.low) * 2)


@pytest.mark.parametrize("scale", [1e-300, 1e308])
def test_very_large_and_small_values_are_numbers_too(scale):
    """No square and no sum of them leaves what a float holds."""
    one, other = spread([scale * part for part in (1.0, 1.1, 0.9)]), spread([scale * part for part in (0.1, 0.2, 0.15)])
    assert one.mean == pytest.approx(scale)
    assert math.isfinite(one.sd)
    assert welch(one, other) == pytest.approx(welch(spread([1.0, 1.1, 0.9]), spread([0.1, 0.2, 0.15])))


def test_several_tests_are_paid_for_as_holm_does():
    """The least probability counts as often as there are tests, the next once less; none overtakes the one before."""
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([0.04, 0.01, 0.02, 0.03]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.02, 0.02]) == pytest.approx([0.04, 0.04])
    assert holm([0.3]) == [0.3]
    assert holm([]) == []
