"""The grid: every configuration once, in order or shuffled."""

from __future__ import annotations

from sweeper.search import grid_search
from sweeper.space.distributions import Categorical, IntUniform
from sweeper.space.parameter_space import ParameterSpace, params_key

SPACE = ParameterSpace({"b": Categorical(("x", "y")), "a": IntUniform(1, 12)}, {"a": ("a",), "b": ("b",)})


def walk(seed: int | None = None) -> list[dict[str, object]]:
    """Take proposals until the grid ends; each is used at once."""
    found: list[dict[str, object]] = []
    while (params := grid_search.propose(SPACE, {params_key(one) for one in found}, seed=seed)) is not None:
        found.append(dict(params))
    return found


def test_the_order_is_that_of_wandb():
    """Names sorted, the last one fastest."""
    assert [(one["a"], one["b"]) for one in walk()[:3]] == [(1, "x"), (1, "y"), (2, "x")]
    assert len(walk()) == 24


def test_a_grid_in_random_order_is_the_same_grid():
    """Every configuration once, not in W&B's order, and in another one with another seed."""
    plain, shuffled = walk(), walk(1)
    assert sorted(map(params_key, plain)) == sorted(map(params_key, shuffled))
    assert plain != shuffled
    assert shuffled == walk(1)
    assert shuffled != walk(2)


def test_a_random_order_has_no_direction():
    """The first half of the shuffled grid holds every part of every parameter."""
    half = walk(1)[:12]
    assert {one["b"] for one in half} == {"x", "y"}
    assert {(one["a"] - 1) // 4 for one in half} == {0, 1, 2}
