"""Several metrics: the front of runs, and suggestions that extend it."""

from __future__ import annotations

import itertools
import math
import random

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import Run, RunState
from sweeper.search import multi_objective, suggest
from sweeper.search.pareto_front import front as front_of

GOALS = ("minimize", "maximize")
PLANE = SweepDefinition.from_yaml(
    "method: custom\nmetrics: [{name: a}, {name: b, goal: maximize}]\n"
    "parameters: {x: {min: 0.0, max: 1.0}, y: {min: 0.0, max: 1.0}}"
)


def costs(params) -> tuple[float, float]:
    """The front is y = 0: there x trades the first metric for the second."""
    return params["x"] + params["y"], params["x"] - params["y"] ** 2


def gap(runs: list[Run]) -> float:
    """How far the front of these runs is from covering the real one: its largest hole, and its distance."""
    values = [costs(run.params) for run in runs]
    front = sorted(values[index] for index in front_of(values, GOALS))
    ends = [0.0, *[first for first, _ in front], 1.0]
    return max(b - a for a, b in itertools.pairwise(ends)) + sum(a - b for a, b in front) / len(front)


def test_suggestions_spread_along_the_front():
    """Thirty runs cover a front better than thirty random ones."""
    runs: list[Run] = []
    for number in range(30):
        suggestion = suggest(PLANE, runs, seed=1)
        assert suggestion is not None
        params = suggestion.params
        runs.append(Run(id=str(number), state=RunState.FINISHED, params=params, values=costs(params)))
    drawn = [
        [Run(id=str(n), state=RunState.FINISHED, params=PLANE.space.sample(rng)) for n in range(30)]
        for rng in map(random.Random, range(5))
    ]
    assert gap(runs) < min(gap(some) for some in drawn)


def test_runs_without_values_and_huge_values_are_no_trouble():
    """Failed runs, runs under way and a metric of 1e300 still give a suggestion of the space."""
    values = [(), (1e300, 0.0), (1.0, -1.7e308), (0.5, 0.5), (math.pi, 2.0), (0.1, 0.2), (0.3, 0.1)]
    states = [RunState.CRASHED, *[RunState.FINISHED] * 5, RunState.RUNNING]
    rng = random.Random(0)
    runs = [
        Run(id=str(n), state=state, params=PLANE.space.sample(rng), values=row)
        for n, (state, row) in enumerate(zip(states, values, strict=True))
    ]
    assert PLANE.space.contains(multi_objective.propose(PLANE, runs, seed=1)[0])


def test_a_metric_may_be_of_any_size_in_any_order():
    """Goals are respected: the front of a minimised and a maximised metric is found from the file's own order."""
    assert front_of([(1.0, 1.0), (2.0, 2.0), (2.0, 1.0), ()], GOALS) == [0, 1]


def zdt1(params) -> tuple[float, float]:
    """ZDT1 on five axes (Zitzler, Deb and Thiele 2000); its front is y = 1 - sqrt(x), where all but `a` are 0."""
    first = params["a"]
    rest = 1 + 9 * sum(params[name] for name in "bcde") / 4
    return first, rest * (1 - math.sqrt(first / rest))


ZDT1 = SweepDefinition.from_yaml(
    "method: bayes\nmetrics: [{name: f}, {name: g}]\nparameters:\n"
    + "".join(f"  {name}: {{min: 0.0, max: 1.0}}\n" for name in "abcde")
)


def volume(values: list[tuple[float, float]], worst=(1.1, 6.0)) -> float:
    """The area below `worst` that at least one row of two losses dominates."""
    area, edge = 0.0, worst[1]
    for first, second in sorted(row for row in values if row[0] < worst[0] and row[1] < worst[1]):
        if second < edge:
            area += (worst[0] - first) * (edge - second)
            edge = second
    return area


def test_search_dominates_more_than_chance():
    """After 25 runs of ZDT1 it has left at most two thirds as much undominated as the best of five random searches."""
    whole = 1.1 * 6 - 1 / 3  # below the front lies the integral of 1 - sqrt(x): 1/3
    runs: list[Run] = []
    for number in range(25):
        suggestion = suggest(ZDT1, runs, seed=0)
        assert suggestion is not None
        assert suggestion.engine == multi_objective.ENGINE
        params = suggestion.params
        runs.append(Run(id=str(number), state=RunState.FINISHED, params=params, values=zdt1(params)))
    ours = whole - volume([run.values for run in runs])
    drawn = [[zdt1(ZDT1.space.sample(rng)) for _ in range(25)] for rng in map(random.Random, range(5))]
    assert 0 <= ours < 2 / 3 * min(whole - volume(values) for values in drawn)


def test_the_same_runs_and_seed_give_the_same_suggestion():
    """And another seed another one."""
    rng = random.Random(0)
    runs = [
        Run(id=str(n), state=RunState.FINISHED, params=params, values=costs(params))
        for n, params in enumerate(PLANE.space.sample(rng) for _ in range(8))
    ]
    assert suggest(PLANE, runs, seed=1) == suggest(PLANE, runs, seed=1) != suggest(PLANE, runs, seed=2)


def test_search_is_over_when_one_run_reaches_all_targets():
    """Two runs that reach one each do not end it."""
    metrics = [{"name": "a", "target": 0.2}, {"name": "b", "goal": "maximize", "target": 0.8}]
    aimed = SweepDefinition.model_validate({**PLANE.to_dict(), "metrics": metrics})
    point = {"x": 0.5, "y": 0.5}
    halves = [Run(id="1", state=RunState.FINISHED, params=point, values=row) for row in ((0.1, 0.5), (0.5, 0.9))]
    assert suggest(aimed, halves, seed=0) is not None
    assert (
        suggest(aimed, [*halves, Run(id="2", state=RunState.FINISHED, params=point, values=(0.2, 0.8))], seed=0) is None
    )
