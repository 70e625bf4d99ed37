"""Independent draws: new ones while there are any."""

from __future__ import annotations

import random

import pytest

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.search import random_search
from sweeper.space.parameter_space import ParameterSpace, params_key


def space(*forms: str) -> ParameterSpace:
    parameters = ", ".join(f"p{number}: {form}" for number, form in enumerate(forms))
    return SweepDefinition.from_yaml(f"method: random\nparameters: {{{parameters}}}\n").space


def proposed(of: ParameterSpace, number: int, seed: int = 1) -> list[str]:
    """Take proposals, each used at once; their keys."""
    found: list[str] = []
    for draw in range(number):
        rng = random.Random(f"{seed}/{draw}")
        found.append(params_key(random_search.propose(of, set(found), rng, redraws=20)))
    return found


def test_a_finite_space_is_drawn_to_its_end():
    """What draws do not find is found by looking through what is left."""
    assert len(set(proposed(space("{min: 1, max: 6}", "{values: [x, y]}"), 12))) == 12


def test_a_value_that_is_almost_certain_does_not_hide_the_others():
    """A million configurations of which one is drawn nearly always: the others are found without listing them."""
    nearly_always = "{distribution: q_beta, a: 1000, b: 0.001, q: 0.0001}"
    assert len(set(proposed(space(*[nearly_always] * 3), 3))) == 3


def test_what_is_left_of_a_space_is_drawn_at_random():
    """Not in the order of the grid."""
    weights = [1 - 50e-9] + [1e-9] * 50
    form = f"{{values: {list(range(51))}, probabilities: {weights}}}".replace("1e-09", "1.0e-9")
    assert len({proposed(space(form), 2, seed)[1] for seed in range(8)}) > 3


@pytest.mark.parametrize(("form", "repeats"), [("{min: 0.0, max: 1.0}", True), ("{values: [1, 2]}", False)])
def test_only_an_endless_space_may_repeat_itself(form, repeats):
    """It accepts a draw that is used where a finite one has no more to give."""
    found = random_search.draw(space(form), lambda _: True, random.Random(1), redraws=3)
    assert (found is not None) == repeats
