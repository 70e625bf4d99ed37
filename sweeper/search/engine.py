"""What to run next: the method's proposal, never a configuration that was given out before."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from sweeper.definition import SweepDefinition
from sweeper.run import Params, Run
from sweeper.search import grid, sampling
from sweeper.space import params_key

REDRAWS = 20
"""Draws before a finite space is searched for what is left of it (an infinite one then accepts a repeat)."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Parameters proposed, not yet a run.

    Attributes:
        params: The parameters.
        engine: Name and version of what proposed them.
        seed: The sweep's seed: with it and the same runs, the engine proposes the same again.
    """

    params: Params
    engine: str
    seed: int


def suggest(definition: SweepDefinition, runs: Sequence[Run], *, seed: int) -> Suggestion | None:
    """Propose the next run.

    A function of its arguments alone: the same sweep with the same runs and seed gets the same answer, so a server may
    restart between two calls.

    Args:
        definition: The sweep.
        runs: All of its runs so far, in any state, in the order they were made.
        seed: The sweep's seed.

    Returns:
        The parameters, or None when the sweep is exhausted: `run_cap` or the whole space has been given out.
    """
    size = definition.space.size
    if definition.run_cap is not None and len(runs) >= definition.run_cap:
        return None
    used = {params_key(run.params) for run in runs} if size is not None or definition.method != "bayes" else set()
    if size is not None and len(used) >= size and all(params_key(p) in used for p in definition.space.grid()):
        return None
    found = _propose(definition, runs, used, random.Random(f"{seed}/{len(runs)}"))  # noqa: S311 no secret
    return None if found is None else Suggestion(*found, seed)


def _propose(
    definition: SweepDefinition, runs: Sequence[Run], used: set[str], rng: random.Random
) -> tuple[Params, str] | None:
    """Give parameters and the engine they are from; None at the end of the grid."""
    if definition.method == "grid":
        params = grid.propose(definition.space, used)
        return None if params is None else (params, grid.ENGINE)
    if definition.method == "bayes" and definition.space.searched:
        from sweeper.search import bayes  # scipy takes 0.3 s to import

        for params in bayes.propose(definition, runs, seed=rng.getrandbits(32)):
            if all(
                params != run.params for run in runs
            ):  # writing the keys of 10,000 runs takes longer than the search
                return params, bayes.ENGINE
        used = {params_key(run.params) for run in runs}
    return sampling.propose(definition.space, used, rng, redraws=REDRAWS), sampling.ENGINE
