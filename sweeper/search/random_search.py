"""Random search: independent draws from the parameters' distributions."""

from __future__ import annotations

import random
from collections.abc import Callable
from collections.abc import Set as AbstractSet

from sweeper.run import Params
from sweeper.space.parameter_space import ParameterSpace, params_key

ENGINE = "random/1"
"""Name and version."""


def propose(space: ParameterSpace, used: AbstractSet[str], rng: random.Random, *, redraws: int) -> Params:
    """Draw a configuration that is not used yet.

    Args:
        space: What to draw from; if it is finite, something must be left in it.
        used: The keys of the configurations given out.
        rng: The source of randomness.
        redraws: How often to draw again on a repeat.
    """
    drawn = draw(space, lambda params: params_key(params) in used, rng, redraws=redraws)
    return drawn or next(params for params in space.shuffled_grid(rng) if params_key(params) not in used)


def draw(
    space: ParameterSpace, is_used: Callable[[Params], bool], rng: random.Random, *, redraws: int
) -> Params | None:
    """Draw until a configuration is not used yet; in the end an infinite space gives a repeat, a finite one None."""
    for _ in range(redraws):
        params = space.sample(rng)
        if not is_used(params):
            return params
    # an endless space repeats itself only where draws round to the same, as with a tiny sigma
    return space.sample(rng) if space.size is None else None
