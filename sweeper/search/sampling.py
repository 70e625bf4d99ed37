"""Random search: independent draws from the parameters' laws."""

from __future__ import annotations

import random
from collections.abc import Set as AbstractSet

from sweeper.run import Params
from sweeper.space import ParameterSpace, params_key

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
    for _ in range(redraws):
        params = space.sample(rng)
        if params_key(params) not in used:
            return params
    if space.size is None:
        return space.sample(rng)
    return next(params for params in space.shuffled_grid(rng) if params_key(params) not in used)
