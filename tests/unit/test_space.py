"""Laws of parameters: support, quantiles, quantisation, and the space they span."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.space import Categorical, IntUniform, LogUniform, ParameterSpace, Quantized, Uniform, params_key

units = st.floats(0, 1, exclude_max=True)
LAWS = [
    Categorical(("adam", "sgd", None)),
    Categorical((True, False, 1, 0), (0.1, 0.2, 0.3, 0.4)),
    IntUniform(-3, 7),
    Uniform(-1.0, 2.5),
    LogUniform(1e-5, 1e-1),
    Quantized(Uniform(1, 11), 4),
    Quantized(Uniform(0.4, 1.0), 0.1),
    Quantized(LogUniform(1, 256), 8),
]


@pytest.mark.parametrize("law", LAWS, ids=repr)
@given(u=units)
def test_a_sample_lies_in_its_law(law, u):
    """Whatever the uniform number, the value is one the law contains and lists."""
    value = law.ppf(u)
    assert law.contains(value)
    assert law.support is None or value in law.support


@pytest.mark.parametrize("law", LAWS, ids=repr)
@given(u=units)
def test_the_cdf_undoes_the_ppf(law, u):
    """A value turned back into [0, 1] is a point that gives the value again."""
    value = law.ppf(u)
    assert 0 <= law.cdf(value) <= 1
    again = law.ppf(min(law.cdf(value), 1 - 1e-12))
    assert again == pytest.approx(value) if isinstance(value, float) else again == value


def test_quantised_values_never_leave_their_limits():
    """W&B's q laws give 0 and 12 for [1, 11] by 4; ours give the multiples inside."""
    law = Quantized(Uniform(1, 11), 4)
    assert {law.ppf(i / 1000) for i in range(1000)} == {4, 8} == set(law.support)


def test_a_quantised_float_has_no_drift():
    """0.1 three times is 0.3, not 0.30000000000000004; 0.3 / 0.1 reaches 3, though it is 2.9999999999999996."""
    assert Quantized(Uniform(0.1, 0.3), 0.1).support == (0.1, 0.2, 0.3)
    assert Quantized(Uniform(0.1, 0.5), 0.1).support == (0.1, 0.2, 0.3, 0.4, 0.5)


def test_log_uniform_spreads_over_magnitudes():
    """Each decade of [1e-4, 1] gets a quarter of the draws."""
    law = LogUniform(1e-4, 1.0)
    assert [law.ppf(q) for q in (0.25, 0.5, 0.75)] == pytest.approx([1e-3, 1e-2, 1e-1])


def test_integers_are_equally_likely_at_both_ends():
    """Both limits of int_uniform get as many draws as the middle."""
    law = IntUniform(1, 4)
    drawn = [law.ppf(i / 400) for i in range(400)]
    assert [drawn.count(n) for n in (1, 2, 3, 4)] == [100, 100, 100, 100]


def test_a_value_written_twice_is_one_configuration_drawn_twice_as_often():
    """It counts once in the grid, and keeps its double share of the draws."""
    law = Categorical((32, 32.0, 64))
    assert law.support == (32, 64)
    assert [law.ppf(u / 9) for u in range(9)].count(64) == 3


def test_true_is_not_one():
    """JSON tells `true` from `1`, and so does a categorical."""
    law = Categorical((1, True, 0, False))
    assert [law.index(value) for value in (1, True, 0, False)] == [0, 1, 2, 3]


def space() -> ParameterSpace:
    laws = {"opt.lr": Uniform(0, 1), "opt.name": Categorical(("a", "b")), "x.y": IntUniform(1, 2)}
    return ParameterSpace(laws, {"opt.lr": ("opt", "lr"), "opt.name": ("opt", "name"), "x.y": ("x.y",)})


def test_nesting_is_undone_by_flattening():
    """Groups become dicts and back; a dot inside a name is no group."""
    params = {"opt.lr": 0.5, "opt.name": "a", "x.y": 2}
    config = space().nest(params)
    assert config == {"opt": {"lr": 0.5, "name": "a"}, "x.y": 2}
    assert space().flatten({**config, "_wandb": {}, "other": 3}) == params


def test_a_grid_walks_sorted_names_the_last_fastest():
    """W&B's order: names sorted, the last one varies fastest."""
    grid = ParameterSpace({"b": IntUniform(1, 2), "a": Categorical(("x", "y"))}, {"b": ("b",), "a": ("a",)})
    assert [tuple(params.values()) for params in grid.grid()] == [("x", 1), ("x", 2), ("y", 1), ("y", 2)]
    assert grid.size == 4


def test_a_continuous_space_has_no_size_and_no_grid():
    """One continuous parameter makes the space infinite."""
    assert space().size is None
    with pytest.raises(ValueError, match="no grid"):
        next(space().grid())


def test_a_sample_is_contained_in_its_space():
    """What the space draws, it contains; what lacks a parameter, it does not."""
    params = space().sample(random.Random(0))
    assert space().contains(params)
    assert not space().contains({"opt.lr": 0.5})


def test_equal_configurations_have_equal_keys():
    """Order does not matter, 2 and 2.0 are one number, True and 1 are not."""
    assert params_key({"a": 2, "b": [1]}) == params_key({"b": [1], "a": 2.0})
    assert params_key({"a": True}) != params_key({"a": 1})
