"""Distributions rounded to multiples of a step; what all distributions share is tested beside them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sweeper.space import distributions
from sweeper.space.distributions import LogNormal, LogUniform, Normal, Uniform
from sweeper.space.quantized import Quantized


@given(low=st.floats(-1e6, 1e6), width=st.floats(1e-3, 1e3), q=st.integers(1, 10_000).map(lambda n: n / 1000))
def test_a_listed_quantised_distribution_leads_back_to_each_value(low, width, q):
    """Random limits and steps: every value listed lies inside, appears once, and is found again by its CDF."""
    distribution = Quantized(Uniform(low, low + width), q)
    support = distribution.support[:: max(1, len(distribution.support) // 20)] if distribution.support else ()
    assert all(low <= value <= low + width for value in support)
    assert len(set(distribution.support or ())) == len(distribution.support or ())
    assert [distribution.ppf(distribution.cdf(value)) for value in support] == list(support)


def test_quantised_values_never_leave_their_limits():
    """W&B's q distributions give 0 and 12 for [1, 11] by 4; ours give the multiples inside."""
    distribution = Quantized(Uniform(1, 11), 4)
    assert {distribution.ppf(i / 1000) for i in range(1000)} == {4, 8} == set(distribution.support)


def test_a_quantised_log_uniform_is_never_zero():
    """A minimum far below the step still is a minimum: the first multiple is q, not 0."""
    assert Quantized(LogUniform(1e-12, 1.0), 0.25).support == (0.25, 0.5, 0.75, 1.0)


def test_a_quantised_log_normal_can_be_zero():
    """As in W&B: no minimum is stated, and a value below q / 2 rounds to 0."""
    distribution = Quantized(LogNormal(0.0, 1.0), 1)
    assert [distribution.ppf(u) for u in (0.0, 0.2, 0.3, 0.99)] == [0, 0, 1, 10]
    assert distribution.contains(0)
    assert not distribution.contains(-1)


def test_ties_round_to_the_even_multiple():
    """As numpy rounds: 0.5 to 0, 1.5 and 2.5 to 2."""
    distribution = Quantized(Uniform(0, 4), 1)
    assert [distribution.ppf(u / 8) for u in (1, 3, 5, 7)] == [0, 2, 2, 4]


def test_a_quantised_float_has_no_drift():
    """0.1 three times is 0.3, not 0.30000000000000004; 0.3 / 0.1 reaches 3, though it is 2.9999999999999996."""
    assert Quantized(Uniform(0.1, 0.3), 0.1).support == (0.1, 0.2, 0.3)
    assert Quantized(Uniform(0.1, 0.5), 0.1).support == (0.1, 0.2, 0.3, 0.4, 0.5)


def test_a_small_step_keeps_all_digits_of_a_large_value():
    """A step of 1e-6 far from 0 needs more digits than 12."""
    assert Quantized(Uniform(1234567.0, 1234568.0), 1e-6).ppf(0.123456) == 1234567.123456


def test_multiples_that_floats_cannot_tell_apart_are_one_value():
    """Near 1e17 floats are 16 apart: a step of 1.0 gives 7 values in a range of 100, not 101."""
    assert len(Quantized(Uniform(1e17, 1e17 + 100), 1.0).support) == 7


def test_only_what_has_few_values_is_listed():
    """Distributions without limits and distributions with too many steps count as continuous."""
    assert Quantized(Normal(0.0, 1.0), 1).support is None
    assert Quantized(Normal(0.0, 1.0), 1e305).support is None  # few steps, but without limits
    assert Quantized(Uniform(0.0, 1.0), 1e-9).support is None
    assert len(Quantized(Uniform(1, distributions.MAX_SUPPORT), 1).support) == distributions.MAX_SUPPORT
