"""What to run next: the method's proposal, never a configuration that was given out before."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweeper.run import Params, Run, RunState
from sweeper.search import grid_search, random_search, repeats
from sweeper.space.conditions import point_params
from sweeper.space.parameter_space import params_key
from sweeper.space.values import json_key

if TYPE_CHECKING:
    from sweeper.definition.sweep_definition import SweepDefinition

INITIAL, REPEAT = "initial/1", "repeat/1"
"""What stands for an engine where none is asked: a configuration of the file, and another run of one."""
Proposal = tuple[Params, str]
"""Parameters, and name and version of the engine they are from."""
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
        runs: All of its runs so far, in any state, in the order they were made; prior ones (`Run.prior`) teach the
            search and are not repeated, but do not count.
        seed: The sweep's seed.

    Returns:
        The parameters, or None when the sweep is exhausted: `run_cap`, `metric.target` or the whole space is reached.
    """
    runs = [run for run in runs if not _is_useless(run)]
    own = [run for run in runs if not run.prior]
    if _is_over(definition, own):
        return None
    if definition.sweeper.repeats == 1:
        found = _configuration(definition, runs, seed)
        return found and Suggestion(*found, seed)
    if unfinished := repeats.next_repeat(definition, own):
        return Suggestion(unfinished, REPEAT, seed)
    found = _configuration(definition.once, repeats.averaged(definition, runs), seed)
    return found and Suggestion(repeats.counted(definition, found[0], 1), found[1], seed)


def expected_runs(definition: SweepDefinition, runs: Sequence[Run], *, beyond: int = 0) -> int | None:
    """Count the runs a sweep will have, with what prior runs spare it; None if it goes on until stopped.

    Args:
        definition: The sweep.
        runs: Its runs, and those attached to it.
        beyond: As in `SweepDefinition.expected_beside`.
    """
    prior = repeats.groups(definition, (run for run in runs if run.prior and not _is_useless(run)))
    if definition.configurations is None or not prior:
        return definition.expected_beside(beyond=beyond)
    spared = sum(definition.once.space.contains(group[0].params) for group in prior)
    return definition.expected_beside(spared=spared, beyond=beyond)


def goes_on(definition: SweepDefinition, runs: Sequence[Run]) -> bool:
    """Whether `suggest` has another run for a sweep; without the search for it."""
    runs = [run for run in runs if not _is_useless(run)]
    own = [run for run in runs if not run.prior]
    if definition.scheduler or _is_over(definition, own):
        return False
    if definition.sweeper.repeats > 1 and repeats.next_repeat(definition, own):
        return True
    once = definition.once if definition.sweeper.repeats > 1 else definition
    return not _is_used_up(once, {params_key(group[0].params) for group in repeats.groups(definition, runs)})


def _is_useless(run: Run) -> bool:
    """Whether a prior run failed before it taught anything: its configuration deserves another try."""
    failed = run.state in {RunState.FAILED, RunState.CRASHED, RunState.KILLED}
    return run.prior and failed and not run.iterations and not run.values


def _is_over(definition: SweepDefinition, own: Sequence[Run]) -> bool:
    if definition.run_cap is not None and len(own) >= definition.run_cap:
        return True
    if any(definition.met(run.values) for run in own):
        return True
    metric = definition.metric
    if metric is None or metric.target is None:
        return False
    bests = [value for run in own if run.may_lead and (value := run.best(metric.goal)) is not None]
    return any(map(metric.reached_by, bests))


def _configuration(definition: SweepDefinition, runs: Sequence[Run], seed: int) -> Proposal | None:
    """Propose a configuration that no run has; None if there is none left."""
    size = definition.space.size
    endless = size is None and definition.learns and not definition.sweeper.initial
    # writing the keys of 10,000 runs takes as long as the search, which on an endless space needs none
    used = set() if endless else {params_key(run.params) for run in runs}
    if _is_used_up(definition, used):
        return None
    # a text, so that both count in full: by a sum of them, seed 2 would repeat the draws of seed 1 one run later
    rng = random.Random(f"{seed}/{len(runs)}")  # noqa: S311 no secret
    first = _initial(definition, runs, used, rng)
    return (first, INITIAL) if first else _propose(definition, runs, used, rng, seed)


def _is_used_up(definition: SweepDefinition, used: set[str]) -> bool:
    """Whether nothing is left of a space that can be listed."""
    size = definition.space.size
    # runs of another space are among the used ones, so their number alone does not tell
    return size is not None and len(used) >= size and all(params_key(p) in used for p in definition.space.grid())


def _initial(definition: SweepDefinition, runs: Sequence[Run], used: set[str], rng: random.Random) -> Params | None:
    """Give the first of the file's initial configurations that no run has tried; what it leaves open is drawn."""
    space = definition.space
    # a prior run of another space has tried nothing of this one
    tried = [run.params for run in runs if not run.prior or space.contains(run.params)]
    for point in definition.sweeper.initial:
        given = point_params(point, space)
        if any(_agrees(params, given) for params in tried):
            continue
        for _ in range(REDRAWS):
            drawn = {name: distribution.ppf(rng.random()) for name, distribution in space.distributions.items()}
            params = space.active({**drawn, **given})
            if params_key(params) not in used:
                return params
    return None


def _agrees(params: Params, given: Mapping[str, Any]) -> bool:
    """Whether a run has the values of a point; one that is inactive in the run does not count."""
    return all(json_key(params.get(name, value)) == json_key(value) for name, value in given.items())


def _propose(
    definition: SweepDefinition, runs: Sequence[Run], used: set[str], rng: random.Random, seed: int
) -> Proposal | None:
    """Give parameters and the engine they are from; None at the end of the grid."""
    if definition.method == "grid":
        shuffled = seed if definition.sweeper.order == "random" else None
        params = grid_search.propose(definition.space, used, seed=shuffled)
        return None if params is None else (params, grid_search.ENGINE)
    if definition.learns and definition.space.searched:
        from sweeper.search import bayes, multi_objective  # scipy takes 0.3 s to import

        engine = multi_objective if definition.metrics else bayes
        for params in engine.propose(definition, runs, seed=rng.getrandbits(32)):
            if all(params != run.params for run in runs):
                return params, engine.ENGINE
        # the model had nothing new: what is left of a listed space is still to be given out
        used = {params_key(run.params) for run in runs}
    return random_search.propose(definition.space, used, rng, redraws=REDRAWS), random_search.ENGINE
