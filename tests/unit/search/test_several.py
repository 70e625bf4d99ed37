"""Several metrics: the front of runs, and suggestions that extend it."""

from __future__ import annotations

import itertools
import math
import random

from hypothesis import given
from hypothesis import strategies as st

from sweeper.definition import SweepDefinition
from sweeper.run import Run, RunState
from sweeper.search import several

GOALS = ("minimize", "maximize")
PLANE = SweepDefinition.from_yaml(
    "method: bayes\nmetric: {name: m}\nparameters: {x: {min: 0.0, max: 1.0}, y: {min: 0.0, max: 1.0}}"
)
VALUES = st.lists(st.none() | st.tuples(*[st.integers(0, 5).map(float)] * 2), max_size=30)


def beats(one, other) -> bool:
    return one[0] <= other[0] and one[1] >= other[1] and one != other


@given(VALUES)
def test_the_front_is_what_nobody_beats(values):
    """A run is on the front if and only if it has values and no other run's values beat them."""
    front = several.front(values, GOALS)
    for index, row in enumerate(values):
        unbeaten = row is not None and not any(beats(other, row) for other in values if other is not None)
        assert (index in front) == unbeaten


def costs(params) -> tuple[float, float]:
    """The front is y = 0: there x trades the first metric for the second."""
    return params["x"] + params["y"], params["x"] - params["y"] ** 2


def gap(runs: list[Run]) -> float:
    """How far the front of these runs is from covering the real one: its largest hole, and its distance."""
    values = [costs(run.params) for run in runs]
    front = sorted(values[index] for index in several.front(values, GOALS))
    ends = [0.0, *[first for first, _ in front], 1.0]
    return max(b - a for a, b in itertools.pairwise(ends)) + sum(a - b for a, b in front) / len(front)


def test_suggestions_spread_along_the_front():
    """Thirty runs cover a front better than thirty random ones."""
    runs: list[Run] = []
    for number in range(30):
        params = several.propose(PLANE, runs, [costs(run.params) for run in runs], GOALS, seed=number)[0]
        runs.append(Run(id=str(number), state=RunState.FINISHED, params=params))
    drawn = [
        [Run(id=str(n), state=RunState.FINISHED, params=PLANE.space.sample(rng)) for n in range(30)]
        for rng in map(random.Random, range(5))
    ]
    assert gap(runs) < min(gap(some) for some in drawn)


def test_runs_without_values_and_huge_values_are_no_trouble():
    """Failed runs, runs under way and a metric of 1e300 still give a suggestion of the space."""
    values = [None, (1e300, 0.0), (1.0, -1.7e308), (0.5, 0.5), (math.pi, 2.0), (0.1, 0.2), (0.3, 0.1)]
    states = [RunState.CRASHED, *[RunState.FINISHED] * 5, RunState.RUNNING]
    rng = random.Random(0)
    runs = [Run(id=str(n), state=state, params=PLANE.space.sample(rng)) for n, state in enumerate(states)]
    assert PLANE.space.contains(several.propose(PLANE, runs, values, GOALS, seed=1)[0])
