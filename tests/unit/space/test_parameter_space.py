"""The space that parameters span: grid, size, samples, nesting and conditions."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.space.distributions import Categorical, IntUniform, Normal, Uniform
from sweeper.space.parameter_space import ParameterSpace, params_key
from sweeper.space.quantized import Quantized


def space() -> ParameterSpace:
    distributions = {"opt.lr": Uniform(0, 1), "opt.name": Categorical(("a", "b")), "x.y": IntUniform(1, 2)}
    return ParameterSpace(distributions, {"opt.lr": ("opt", "lr"), "opt.name": ("opt", "name"), "x.y": ("x.y",)})


def spanned(distributions, conditions=None) -> ParameterSpace:
    return ParameterSpace(distributions, {name: tuple(name.split(".")) for name in distributions}, conditions or {})


def optimizers() -> ParameterSpace:
    """Span a momentum for SGD alone, and Nesterov's for a momentum that is not 0."""
    distributions = {
        "optimizer": Categorical(("sgd", "adam")),
        "batch": IntUniform(1, 3),
        "sgd.momentum": Quantized(Uniform(0.0, 0.9), 0.3),
        "sgd.nesterov": Categorical((True, False)),
        "adam.beta": Categorical((0.9, 0.99)),
    }
    conditions = {
        "adam.beta": {"optimizer": ("adam",)},
        "sgd.nesterov": {"sgd.momentum": (0.3, 0.6, 0.9)},
        "sgd.momentum": {"optimizer": ("sgd",)},
    }
    return spanned(distributions, conditions)


def keys(configurations) -> list[str]:
    return [params_key(params) for params in configurations]


@st.composite
def conditional_spaces(draw) -> ParameterSpace:
    """Draw spaces of up to 5 small parameters, each dependent on some of those before it (in any order of names)."""
    names = draw(st.permutations("abcde"))[: draw(st.integers(1, 5))]
    values = st.lists(st.sampled_from([0, 1, 2, True, False, "x"]), min_size=1, max_size=3)
    distributions = {name: Categorical(tuple(draw(values))) for name in names}
    conditions = {
        name: {other: tuple(draw(values)) for other in draw(st.sets(st.sampled_from(names[:i]), max_size=2))}
        for i, name in enumerate(names)
        if i
    }
    return spanned(distributions, conditions)


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
    for walk in (space().grid(), space().shuffled_grid(random.Random(0))):
        with pytest.raises(ValueError, match="no grid"):
            next(walk)


def test_a_sample_is_contained_in_its_space():
    """What the space draws, it contains; what lacks a parameter or has one more, it does not."""
    params = space().sample(random.Random(0))
    assert space().contains(params)
    assert not space().contains({"opt.lr": 0.5})
    assert not space().contains({**params, "other": 1})


def test_a_constant_is_not_searched():
    """What has one value needs no search: a single value, a normal distribution without spread, one multiple."""
    distributions = {"a": Categorical((1, 1.0)), "b": Normal(0, 0), "c": Quantized(Uniform(0, 1), 2), "d": Normal(0, 1)}
    assert list(spanned(distributions).searched) == ["d"]


def test_equal_configurations_have_equal_keys():
    """Order does not matter, 2 and 2.0 are one number, True and 1 are not."""
    assert params_key({"a": 2, "b": [1]}) == params_key({"b": [1], "a": 2.0})
    assert params_key({"a": True}) != params_key({"a": 1})


def test_a_parameter_exists_only_where_its_condition_holds():
    """Momentum needs SGD; Nesterov needs momentum, and so falls with it."""
    whole = {"optimizer": "adam", "batch": 1, "sgd.momentum": 0.3, "sgd.nesterov": True, "adam.beta": 0.9}
    assert optimizers().active(whole) == {"optimizer": "adam", "batch": 1, "adam.beta": 0.9}
    assert optimizers().active({**whole, "optimizer": "sgd"}) == {
        "optimizer": "sgd", "batch": 1, "sgd.momentum": 0.3, "sgd.nesterov": True
    }  # fmt: skip
    assert optimizers().active({**whole, "optimizer": "sgd", "sgd.momentum": 0.0}) == {
        "optimizer": "sgd", "batch": 1, "sgd.momentum": 0.0
    }  # fmt: skip


def test_all_conditions_of_a_parameter_must_hold():
    """Two conditions are joined by `and`; the values of one by `or`."""
    distributions = {"a": IntUniform(1, 3), "b": IntUniform(1, 3), "c": IntUniform(1, 2)}
    both = spanned(distributions, {"c": {"a": (1, 2), "b": (3,)}})
    assert [p for p in both.grid() if "c" in p] == [
        {"a": a, "b": 3, "c": c} for a, c in itertools.product((1, 2), (1, 2))
    ]


def test_a_condition_tells_true_from_one():
    """As everywhere else, `true` and `1` are two values."""
    distributions = {"a": Categorical((1, True)), "b": IntUniform(1, 2)}
    assert spanned(distributions, {"b": {"a": (True,)}}).size == 3


def test_a_space_contains_exactly_the_active_parameters():
    """A missing active one and a present inactive one are both wrong."""
    right = {"optimizer": "adam", "batch": 1, "adam.beta": 0.9}
    assert optimizers().contains(right)
    assert not optimizers().contains({"optimizer": "adam", "batch": 1})
    assert not optimizers().contains({**right, "sgd.momentum": 0.3})
    assert not optimizers().contains({**right, "adam.beta": 0.5})


def test_a_grid_has_no_two_configurations_that_differ_only_in_what_is_inactive():
    """3 batches times (2 betas + momentum 0 + 3 momenta with 2 kinds each), not 3 * 2 * 4 * 2 * 2."""
    assert optimizers().size == 3 * (2 + 1 + 6) == len(list(optimizers().grid()))


def test_a_conditional_grid_keeps_the_order_of_names():
    """An inactive parameter sorts where its first value would."""
    grid = spanned({"a": IntUniform(1, 2), "z": Categorical(("off", "on"))}, {"a": {"z": ("on",)}})
    assert list(grid.grid()) == [{"z": "off"}, {"a": 1, "z": "on"}, {"a": 2, "z": "on"}]


@given(drawn=conditional_spaces(), seed=st.integers(0, 5))
def test_size_grid_samples_and_conditions_agree(drawn, seed):
    """The grid is what is left of the whole product, each once and in order; `size` counts it, samples lie in it."""
    names = sorted(drawn.distributions)
    product = itertools.product(*(drawn.distributions[name].support for name in names))
    expected = dict.fromkeys(keys(drawn.active(dict(zip(names, values, strict=True))) for values in product))
    assert sorted(keys(drawn.grid())) == sorted(expected)
    assert drawn.size == len(expected)
    assert all(drawn.contains(params) for params in drawn.grid())
    sample = drawn.sample(random.Random(seed))
    assert drawn.contains(sample)
    assert params_key(sample) in expected
    assert drawn.flatten(drawn.nest(sample)) == sample


@given(drawn=conditional_spaces())
def test_a_conditional_grid_is_sorted(drawn):
    """Each configuration comes after the one before it, an inactive parameter counting as its first value."""

    def places(params):
        supports = [
            (name, keys([{"": v} for v in drawn.distributions[name].support])) for name in sorted(drawn.distributions)
        ]
        return [all_.index(params_key({"": params[name]})) if name in params else 0 for name, all_ in supports]

    walked = [places(params) for params in drawn.grid()]
    assert walked == sorted(walked)


@given(drawn=conditional_spaces(), seed=st.integers(0, 1000))
def test_a_shuffled_grid_is_the_grid_in_another_order(drawn, seed):
    """Every configuration once, with conditions and without."""
    for each in (drawn, spanned(drawn.distributions)):
        shuffled = keys(each.shuffled_grid(random.Random(seed)))
        assert sorted(shuffled) == sorted(keys(each.grid()))


def test_a_shuffled_grid_depends_on_its_seed_alone():
    """The same seed gives the same order, another one another."""
    walks = [keys(optimizers().shuffled_grid(random.Random(seed))) for seed in (1, 1, 2)]
    assert walks[0] == walks[1] != walks[2]
    assert walks[0] != keys(optimizers().grid())


def test_a_shuffled_grid_starts_anywhere_equally_often():
    """Each of 6 configurations comes first in about a sixth of 3000 seeds."""
    six = spanned({"a": IntUniform(1, 2), "b": IntUniform(1, 3)})
    first = keys(next(six.shuffled_grid(random.Random(seed))) for seed in range(3000))
    assert all(400 < first.count(key) < 600 for key in set(first))
    assert len(set(first)) == 6


def test_a_huge_grid_is_shuffled_without_listing_it():
    """1e30 configurations: the first thousand are at hand, all different."""
    huge = spanned({f"p{i}": IntUniform(1, 1000) for i in range(10)})
    assert huge.size == 10**30
    walk = huge.shuffled_grid(random.Random(0))
    assert len(set(keys(itertools.islice(walk, 1000)))) == 1000


def test_a_conditional_grid_skips_what_cannot_be():
    """30 inactive parameters of 10 values each would take 1e30 steps to walk past one by one."""
    distributions = {"z": Categorical(tuple(range(30)))} | {f"p{i:02}": IntUniform(1, 10) for i in range(30)}
    wide = spanned(distributions, {f"p{i:02}": {"z": (i,)} for i in range(30)})
    assert wide.size == 300 == len(set(keys(wide.grid())))


def test_a_distribution_that_is_never_active_does_not_make_a_space_continuous():
    """What no configuration has needs no list; what one has does."""
    distributions = {"a": IntUniform(1, 2), "b": Uniform(0, 1), "c": IntUniform(1, 5)}
    never = spanned(distributions, {"b": {"a": (3,)}, "c": {"b": (0.5,)}})
    assert never.size == 2
    assert list(never.grid()) == [{"a": 1}, {"a": 2}]
    assert spanned(distributions, {"b": {"a": (2,)}}).size is None


def test_too_many_combinations_to_list_make_a_space_continuous():
    """Conditions on 6 parameters of 100 values each: the size is not known, a sample still is drawn."""
    distributions = {f"p{i}": IntUniform(1, 100) for i in range(7)}
    vast = spanned(distributions, {"p6": {f"p{i}": (1,) for i in range(6)}})
    assert vast.size is None
    assert vast.contains(vast.sample(random.Random(0)))


def test_a_long_chain_of_conditions_is_counted():
    """500 parameters, each there only if the one after it is on: 501 ways to stop."""
    distributions = {f"p{i:03}": Categorical(("off", "on")) for i in range(500)}
    chain = spanned(distributions, {f"p{i:03}": {f"p{i + 1:03}": ("on",)} for i in range(499)})
    assert chain.size == 501


def test_a_group_without_active_members_is_absent():
    """The config of a run with Adam has no `sgd` at all."""
    assert optimizers().nest({"optimizer": "adam", "batch": 1, "adam.beta": 0.9}) == {
        "optimizer": "adam", "batch": 1, "adam": {"beta": 0.9}
    }  # fmt: skip


def test_flattening_leaves_out_what_is_inactive():
    """A trainer that logs its whole config still has run the configuration it was given."""
    config = {"optimizer": "adam", "batch": 1, "adam": {"beta": 0.9}, "sgd": {"momentum": 0.3, "nesterov": True}}
    assert optimizers().flatten(config) == {"optimizer": "adam", "batch": 1, "adam.beta": 0.9}


@pytest.mark.parametrize("conditions", [{"a": {"b": (1,)}, "b": {"a": (1,)}}, {"a": {"a": (1,)}}])
def test_conditions_in_a_circle_are_refused(conditions):
    """Two parameters cannot wait for each other, nor one for itself."""
    with pytest.raises(ValueError, match="cycle"):
        spanned({"a": IntUniform(1, 2), "b": IntUniform(1, 2)}, conditions)


def test_a_condition_on_no_parameter_is_refused():
    """A name that the space does not have is a mistake, not a condition that never holds."""
    with pytest.raises(ValueError, match="nothing, which is no parameter"):
        spanned({"a": IntUniform(1, 2)}, {"a": {"nothing": (1,)}})
