"""Grid search: every configuration once, in W&B's order or shuffled."""

from __future__ import annotations

import random
from collections.abc import Set as AbstractSet

from sweeper.run import Params
from sweeper.space.parameter_space import ParameterSpace, params_key

ENGINE = "grid/1"
"""Name and version."""


def propose(space: ParameterSpace, used: AbstractSet[str], *, seed: int | None = None) -> Params | None:
    """Give the first configuration that is not used yet; None at the end of the grid.

    Args:
        space: The grid.
        used: The keys of the configurations given out.
        seed: Shuffles the grid, always in the same way; None keeps its order.
    """
    # A string, as the engine's: Random(seed) would tie the order to the draws of other seeds.
    order = space.grid() if seed is None else space.shuffled_grid(random.Random(f"{seed}/order"))  # noqa: S311 no secret
    return next((params for params in order if params_key(params) not in used), None)
