"""Grid search: every configuration once, in W&B's order."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from sweeper.run import Params
from sweeper.space import ParameterSpace, params_key

ENGINE = "grid/1"
"""Name and version."""


def propose(space: ParameterSpace, used: AbstractSet[str]) -> Params | None:
    """Give the first configuration that is not used yet; None at the end of the grid."""
    return next((params for params in space.grid() if params_key(params) not in used), None)
