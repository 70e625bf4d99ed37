"""Distributions of parameters: support, quantiles, quantisation, and no argument that breaks them."""

from __future__ import annotations

import math
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from sweeper.space.distributions import Beta, Categorical, IntUniform, LogNormal, LogUniform, Normal, Uniform
from sweeper.space.quantized import Quantized
from sweeper.space.values import json_key

units = st.floats(0, 1)
inner_units = st.floats(1e-9, 1 - 1e-9)

REAL = [
    (Uniform(-1.0, 2.5), stats.uniform(-1.0, 3.5)),
    (LogUniform(1e-5, 1e-1), stats.loguniform(1e-5, 1e-1)),
    (LogUniform(math.exp(-700), math.exp(700)), None),  # SciPy's own overflows
    (Normal(2.0, 0.5), stats.norm(2.0, 0.5)),
    (LogNormal(-1.0, 1.5), stats.lognorm(s=1.5, scale=math.exp(-1.0))),
    (Beta(2.0, 5.0), stats.beta(2.0, 5.0)),
    (Beta(0.5, 0.5), stats.beta(0.5, 0.5)),
]
QUANTIZED = [
    (Quantized(Uniform(1, 11), 4), stats.uniform(1, 10)),
    (Quantized(Uniform(0.4, 1.0), 0.1), stats.uniform(0.4, 0.6)),
    (Quantized(LogUniform(1, 256), 8), stats.loguniform(1, 256)),
    (Quantized(Normal(3.0, 2.0), 1), stats.norm(3.0, 2.0)),
    (Quantized(Normal(0.0, 1.0), 0.05), stats.norm()),
    (Quantized(LogNormal(0.0, 1.0), 1), stats.lognorm(s=1.0)),
    (Quantized(LogNormal(3.0, 0.5), 2.5), stats.lognorm(s=0.5, scale=math.exp(3.0))),
    (Quantized(Beta(2.0, 5.0), 0.1), stats.beta(2.0, 5.0)),
    (Quantized(Beta(0.5, 0.5), 0.25), stats.beta(0.5, 0.5)),
]
DISTRIBUTIONS = [
    Categorical(("adam", "sgd", None)),
    Categorical((True, False, 1, 0), (0.1, 0.2, 0.3, 0.4)),
    Categorical(("a", "b", "c"), (0.5, 0.5, 0.0)),
    IntUniform(-3, 7),
    *(distribution for distribution, _ in REAL + QUANTIZED),
]
WITH_ORACLE = [pair for pair in REAL if pair[1] is not None]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=repr)
@given(u=units)
@example(u=0.0)
@example(u=1.0)
def test_a_sample_lies_in_its_distribution(distribution, u):
    """Whatever the uniform number, both ends included, the value is one the distribution contains and lists."""
    value = distribution.ppf(u)
    assert distribution.contains(value)
    assert distribution.support is None or value in distribution.support


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=repr)
@given(u=inner_units)
def test_the_cdf_undoes_the_ppf(distribution, u):
    """A value turned back into [0, 1] is a point that gives the value again."""
    value = distribution.ppf(u)
    assert 0 <= distribution.cdf(value) <= 1
    again = distribution.ppf(distribution.cdf(value))
    continuous = not isinstance(distribution, Categorical | IntUniform | Quantized)
    assert again == pytest.approx(value, rel=1e-6) if continuous else again == value


@pytest.mark.parametrize(
    "distribution", [distribution for distribution in DISTRIBUTIONS if distribution.support is not None], ids=repr
)
def test_the_cdf_of_every_listed_value_leads_back_to_it(distribution):
    """Each value has a share of [0, 1], and its CDF lies in it: the first and the last too."""
    assert [distribution.ppf(distribution.cdf(value)) for value in distribution.support] == list(distribution.support)


def _begins(distribution, place: int) -> float:
    """Find where the share of the value at a place of the support begins, by halving: ppf goes through it in order."""
    keys = [json_key(value) for value in distribution.support]
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if keys.index(json_key(distribution.ppf(middle))) < place:
            low = middle
        else:
            high = middle
    return high if place else 0.0


@pytest.mark.parametrize(
    "distribution",
    [
        Categorical(("adam", "sgd", None)),
        Categorical((True, False, 1, 0), (0.1, 0.2, 0.3, 0.4)),
        Categorical(("only",)),
        Categorical(("a", "b", "c"), (0.2, 0.6, 0.1)),
        IntUniform(-3, 7),
        IntUniform(5, 5),
        Quantized(Uniform(1, 11), 4),
        Quantized(LogUniform(1, 256), 8),
        Quantized(Beta(2.0, 5.0), 0.1),
        Quantized(LogNormal(1.0, 0.0), 1),
    ],
    ids=repr,
)
def test_the_cdf_lies_in_the_middle_of_a_share(distribution):
    """So that a model sees values as far apart as they are, and none of them at an edge."""
    edges = [*(_begins(distribution, place) for place in range(len(distribution.support))), 1.0]
    middles = [(low + high) / 2 for low, high in pairwise(edges)]
    assert [distribution.cdf(value) for value in distribution.support] == pytest.approx(middles, abs=1e-9)


@pytest.mark.parametrize("make", [lambda n: IntUniform(1, n), lambda n: Quantized(Uniform(1, n), 1)], ids=["int", "q"])
def test_a_hundred_thousand_values_are_listed_and_one_more_is_not(make):
    """That many configurations are looked through for what is left; more count as endless."""
    assert len(make(100_000).support) == 100_000
    assert make(100_001).support is None


def test_limits_that_are_not_written_are_those_of_the_law():
    """They are no arguments: a log-normal value is above 0, a beta value in [0, 1], a normal one anywhere."""
    assert (LogNormal(0.0, 1.0).low, LogNormal(0.0, 1.0).high) == (0.0, math.inf)
    assert (Normal(0.0, 1.0).low, Normal(0.0, 1.0).high) == (-math.inf, math.inf)
    assert (Beta(2.0, 2.0).low, Beta(2.0, 2.0).high, Beta(2.0, 2.0).support) == (0.0, 1.0, None)
    assert (LogNormal(), Normal(), Beta()) == (LogNormal(0.0, 1.0), Normal(0.0, 1.0), Beta(1.0, 1.0))


@pytest.mark.parametrize(
    ("distribution", "inside", "outside"),
    [
        (Uniform(-1.0, 2.5), [-1.0, 0, 2.5], [math.nextafter(-1.0, -2), math.nextafter(2.5, 3), True]),
        (LogUniform(0.5, 2.0), [0.5, 1, 2.0], [math.nextafter(0.5, 0), math.nextafter(2.0, 3), True]),
        (IntUniform(-3, 7), [-3, 0, 7], [-4, 8, 2.5, True]),
        (Beta(2.0, 2.0), [0.0, 0.5, 1.0], [-5e-324, math.nextafter(1.0, 2), False]),
        (LogNormal(0.0, 1.0), [5e-324, 1e308], [0.0, -1.0, True]),
        (Normal(0.0, 1.0), [-1e308, 0, 1e308], [True, "0"]),
        (Categorical((1, "x", None)), [1, 1.0, "x", None], [True, "1", 2, "X"]),
    ],
    ids=lambda value: repr(value) if isinstance(value, Uniform | LogUniform | IntUniform) else "",
)
def test_limits_belong_to_a_distribution(distribution, inside, outside):
    """And what lies the least bit beyond does not; a truth value is no number."""
    assert [value for value in inside if not distribution.contains(value)] == []
    assert [value for value in outside if distribution.contains(value)] == []


@pytest.mark.parametrize("distribution", [distribution for distribution, _ in REAL + QUANTIZED], ids=repr)
@given(one=units, other=units)
def test_a_larger_share_gives_no_smaller_value(distribution, one, other):
    """The inverse CDF never falls."""
    low, high = distribution.ppf(min(one, other)), distribution.ppf(max(one, other))
    assert low <= high or low == pytest.approx(high, rel=1e-12)


@pytest.mark.parametrize(
    ("distribution", "oracle"), WITH_ORACLE, ids=[repr(distribution) for distribution, _ in WITH_ORACLE]
)
@given(u=inner_units)
def test_quantiles_are_those_of_the_stated_distribution(distribution, oracle, u):
    """SciPy's distribution of the same name has the same quantiles and the same CDF."""
    value = distribution.ppf(u)
    assert value == pytest.approx(oracle.ppf(u), rel=1e-6, abs=1e-12)
    assert distribution.cdf(value) == pytest.approx(oracle.cdf(value), rel=1e-6)


@pytest.mark.parametrize(
    ("distribution", "oracle"), QUANTIZED, ids=[repr(distribution) for distribution, _ in QUANTIZED]
)
@given(u=inner_units)
def test_a_quantised_value_is_as_likely_as_rounding_makes_it(distribution, oracle, u):
    """A value's share is the inner one's between the middles to its neighbours, all that is beyond at the ends."""
    value, within = distribution.ppf(u), 1e-9
    below, above = oracle.cdf(value - distribution.q / 2), oracle.cdf(value + distribution.q / 2)
    first, last = value == distribution.ppf(0.0), value == distribution.ppf(1.0)
    assert (first and u <= above + within) or (last and u >= below - within) or below - within <= u <= above + within
    for inside in (below + 1e-7, above - 1e-7):
        if below < inside < above:
            assert distribution.ppf(inside) == value


def test_nothing_of_a_log_normal_lies_at_nought_or_below():
    """Its logarithm is asked of no such number."""
    assert [LogNormal(0.0, 1.0).cdf(value) for value in (-1.0, 0.0)] == [0.0, 0.0]
    assert 0.0 < LogNormal(0.0, 1.0).cdf(0.5) < 0.5 == LogNormal(0.0, 1.0).cdf(1.0)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=repr)
def test_what_no_distribution_gives_is_not_contained(distribution):
    """Text, NaN, infinities, lists and numbers beyond the floats are no values; -1e15 is one of a normal one alone."""
    strange = ["three", math.nan, math.inf, -math.inf, [1.0], {}, 10**400]
    assert not [value for value in strange if distribution.contains(value)]
    assert distribution.contains(-1e15) == isinstance(getattr(distribution, "distribution", distribution), Normal)


positive = st.floats(min_value=5e-324, allow_infinity=False)
finite = st.floats(allow_nan=False, allow_infinity=False)
limits = st.tuples(finite, finite).map(sorted).filter(lambda pair: pair[0] < pair[1])
positive_limits = st.tuples(positive, positive).map(sorted).filter(lambda pair: pair[0] < pair[1])
spreads = st.just(0.0) | positive
any_distribution = st.one_of(
    limits.map(lambda pair: Uniform(*pair)),
    positive_limits.map(lambda pair: LogUniform(*pair)),
    st.builds(Normal, finite, spreads),
    st.builds(LogNormal, finite, spreads),
    st.builds(Beta, positive, positive),
)


@given(distribution=any_distribution, u=units)
@example(distribution=LogNormal(0.0, 1e300), u=1.0)
@example(distribution=LogNormal(1e308, 1e308), u=0.0)
@example(distribution=Uniform(-1.7e308, 1.7e308), u=0.5)
@example(distribution=LogUniform(1e300, math.nextafter(1e300, math.inf)), u=0.5)
@example(distribution=Beta(0.5, 1e308), u=0.5)
def test_no_arguments_drive_a_distribution_out_of_the_floats(distribution, u):
    """Limits 1e308 apart, spreads of 1e300, subnormals: the value is finite and contained, its CDF in [0, 1]."""
    value = distribution.ppf(u)
    assert math.isfinite(value)
    assert distribution.contains(value)
    assert 0 <= distribution.cdf(value) <= 1


@given(distribution=any_distribution, q=positive | st.integers(1, 2**63 - 1), u=units)
@example(distribution=Uniform(0.0, 1e308), q=5e-324, u=0.9)
@example(distribution=Normal(0.0, 1e300), q=1, u=1.0)
@example(distribution=Normal(1.7e308, 0.0), q=1e308, u=0.5)
@example(distribution=Uniform(1e17, 1e17 + 100), q=1.0, u=0.5)
def test_no_arguments_drive_a_quantised_distribution_out_of_its_limits(distribution, q, u):
    """Whatever the step: finite, contained, inside the limits; a whole step gives 64-bit integers."""
    quantised = Quantized(distribution, q)
    if not quantised.steps:
        return
    value = quantised.ppf(u)
    assert quantised.contains(value)
    assert distribution.low <= value <= distribution.high
    assert 0 <= quantised.cdf(value) <= 1
    assert math.isfinite(value) if isinstance(q, float) else isinstance(value, int) and abs(value) < 2**63


def test_limits_may_be_further_apart_than_the_largest_float():
    """A range of 3.4e308 keeps its quantiles, and each value its place."""
    distribution = Uniform(-1.7e308, 1.7e308)
    assert [distribution.ppf(u) for u in (0.0, 0.25, 0.5, 1.0)] == [-1.7e308, -0.85e308, 0.0, 1.7e308]
    assert [distribution.cdf(value) for value in (-1.7e308, 0.0, 1.7e308)] == [0.0, 0.5, 1.0]


def test_no_spread_makes_a_constant():
    """Sigma 0 is legal in W&B: one value, whatever the draw."""
    made = [Normal(0.3, 0), LogNormal(0.0, 0), Quantized(Normal(0.3, 0), 0.25), Quantized(LogNormal(1.0, 0.0), 1)]
    assert [distribution.support for distribution in made] == [(0.3,), (1.0,), (0.25,), (3,)]
    assert [{distribution.ppf(u) for u in (0.0, 0.5, 1.0)} for distribution in made] == [{0.3}, {1.0}, {0.25}, {3}]
    assert not any(distribution.contains(0.31) for distribution in made)


def test_log_uniform_spreads_over_magnitudes():
    """Each decade of [1e-4, 1] gets a quarter of the draws."""
    distribution = LogUniform(1e-4, 1.0)
    assert [distribution.ppf(q) for q in (0.25, 0.5, 0.75)] == pytest.approx([1e-3, 1e-2, 1e-1])


def test_integers_are_equally_likely_at_both_ends():
    """Both limits of int_uniform get as many draws as the middle."""
    distribution = IntUniform(1, 4)
    drawn = [distribution.ppf(i / 400) for i in range(400)]
    assert [drawn.count(n) for n in (1, 2, 3, 4)] == [100, 100, 100, 100]


def test_a_value_written_twice_is_one_configuration_drawn_twice_as_often():
    """It counts once in the grid, and keeps its double share of the draws."""
    distribution = Categorical((32, 32.0, 64))
    assert distribution.support == (32, 64)
    assert [distribution.ppf(u / 9) for u in range(9)].count(64) == 3


def test_a_value_of_probability_zero_is_never_drawn():
    """Neither at the ends nor where rounded probabilities sum to less than 1; so it is no value of the distribution."""
    distribution = Categorical(("never", "a", "b", "nor"), (0.0, 0.3333333, 0.6666666, 0.0))
    assert [distribution.ppf(u) for u in (0.0, 0.5, 1.0)] == ["a", "b", "b"]
    assert distribution.support == ("a", "b")
    assert not distribution.contains("never")


def test_true_is_not_one():
    """JSON tells `true` from `1`, and so does a categorical."""
    distribution = Categorical((1, True, 0, False))
    assert [distribution.index(value) for value in (1, True, 0, False)] == [0, 1, 2, 3]


def test_distributions_load_without_scientific_packages():
    """Reading a sweep file must stay quick: numpy and scipy load with the first beta value."""
    modules = "sweeper.space.parameter_space, sweeper.space.distributions"
    code = f"import sys, {modules}; print(sorted({{'numpy', 'scipy'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
