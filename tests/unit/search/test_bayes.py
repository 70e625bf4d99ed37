"""Bayesian search: what ended, running and failed runs tell it, and where it looks next."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import Run, RunState
from sweeper.search import suggest


def ran(number: int, params: dict[str, Any], *logged: float, state: RunState = RunState.FINISHED) -> Run:
    return Run(id=str(number), state=state, params=params, history=logged)


LINE = SweepDefinition.from_yaml("method: bayes\nmetric: {name: m}\nparameters: {x: {min: 0.0, max: 1.0}}")


def bowl(x: float) -> float:
    return (x - 0.3) ** 2


def ended_runs(count: int = 10) -> list[Run]:
    return [ran(n, {"x": x}, bowl(x)) for n in range(count) for x in [(n + 0.5) / count]]


def next_x(runs: list[Run], definition: SweepDefinition = LINE) -> float:
    suggestion = suggest(definition, runs, seed=1)
    assert suggestion is not None
    return suggestion.params["x"]


def test_bayes_looks_near_the_best():
    """Ten runs over a bowl send the next one to its bottom."""
    assert abs(next_x(ended_runs()) - 0.3) < 0.05


def test_bayes_looks_near_the_highest_where_high_values_are_good():
    """The same bowl, upside down, sends the next run to the same place; the right way up it does not."""
    upwards = counting('"false"', "maximize")
    hill = [ran(n, run.params, -run.history[0]) for n, run in enumerate(ended_runs())]
    assert next_x(hill, upwards) == next_x(ended_runs())
    assert abs(next_x(ended_runs(), upwards) - 0.3) > 0.3


@pytest.mark.parametrize("value", [-9.0, 9.0])
def test_what_a_run_under_way_has_logged_stands_in_for_no_other(value):
    """A failed run counts as the worst of those that ended; three that ended are too few for a model, with it too."""
    failed = ran(20, {"x": 0.9}, state=RunState.CRASHED)
    for ended in (ended_runs(), ended_runs(3)):
        told, silent = (ran(21, {"x": 0.6}, *logged, state=RunState.RUNNING) for logged in ((value,), ()))
        assert next_x([*ended, failed, told]) == next_x([*ended, failed, silent])


@pytest.mark.parametrize("impute", ["worst", "best", "latest"])
def test_a_failed_run_counts_as_the_file_says(impute):
    """As the worst, best or latest value of those that ended, the goal's way round."""
    values = [bowl(run.params["x"]) for run in ended_runs()]
    for goal, turn in (("minimize", 1.0), ("maximize", -1.0)):
        stand_in = turn * {"worst": max(values), "best": min(values), "latest": values[-1]}[impute]
        metric = f"{{name: m, goal: {goal}, impute: {impute}}}"
        text = f"method: bayes\nmetric: {metric}\nparameters: {{x: {{min: 0.0, max: 1.0}}}}"
        ended = [ran(number, {"x": (number + 0.5) / 10}, turn * value) for number, value in enumerate(values)]
        failed, told = ran(20, {"x": 0.6}, state=RunState.FAILED), ran(20, {"x": 0.6}, stand_in)
        definition = SweepDefinition.from_yaml(text)
        assert next_x([*ended, failed], definition) == next_x([*ended, told], definition)


@pytest.mark.parametrize("state", [RunState.PENDING, RunState.RUNNING, RunState.PREEMPTING, RunState.PREEMPTED])
def test_runs_under_way_repel(state):
    """What is being tried is not suggested to the next agent, though it looks best."""
    first = next_x(ended_runs())
    under_way = [ran(10 + n, {"x": first + d}, state=state) for n, d in enumerate((-0.02, 0.0, 0.02))]
    assert min(abs(next_x([*ended_runs(), *under_way]) - run.params["x"]) for run in under_way) > 1e-3


def test_one_outlier_does_not_flatten_the_rest():
    """A run that logged 1e300 leaves the bottom of the bowl where it is."""
    assert abs(next_x([*ended_runs(), ran(10, {"x": 0.99}, 1e300)]) - 0.3) < 0.1


def test_a_stopped_run_counts_with_its_best_value():
    """Early termination ends a run as killed; its values count like a finished one's."""
    killed = [ran(n, run.params, run.history[0], 9.0, state=RunState.KILLED) for n, run in enumerate(ended_runs())]
    assert next_x(killed) == next_x(ended_runs())


def test_failed_runs_are_avoided():
    """Where runs crash without a value nobody looks again soon, however promising it was."""
    cliff = [
        ran(n, {"x": x}, x) if x > 0.5 else ran(n, {"x": x}, state=RunState.CRASHED)
        for n in range(20)
        for x in [n / 20]
    ]
    assert next_x(cliff) > 0.4


def test_prior_runs_of_another_space_are_left_out():
    """A value outside the limits teaches nothing, and does no harm."""
    strangers = [ran(100 + n, {"x": 7.0}, -5.0) for n in range(20)] + [ran(200, {"y": 0.5}, math.pi)]
    assert LINE.space.contains({"x": next_x([*strangers, *ended_runs()])})


def test_ten_thousand_runs_are_no_more_work_than_a_few_hundred():
    """The model sees a part of the runs, the best among them."""
    rng = random.Random(0)
    many = [ran(n, {"x": x}, bowl(x)) for n in range(10_000) for x in [rng.random()]]
    assert abs(next_x(many) - 0.3) < 0.05


def counting(impute: str, goal: str = "minimize") -> SweepDefinition:
    return SweepDefinition.from_yaml(
        f"method: bayes\nmetric: {{name: m, goal: {goal}, impute_while_running: {impute}}}\n"
        "parameters: {x: {min: 0.0, max: 1.0}}"
    )


@pytest.mark.parametrize("logged", [(), (0.001,)])
def test_running_runs_are_no_results_unless_the_file_says_so(logged):
    """The default is W&B's: they keep suggestions apart, whatever they have logged."""
    running = [ran(10 + n, {"x": 0.3 + n / 100}, *logged, state=RunState.RUNNING) for n in range(3)]
    silent = [ran(10 + n, {"x": 0.3 + n / 100}, state=RunState.RUNNING) for n in range(3)]
    runs, others = [*ended_runs(), *running], [*ended_runs(), *silent]
    assert next_x(runs) == next_x(others) == next_x(runs, counting('"false"'))


@pytest.mark.parametrize("impute", ["worst", "best", "latest"])
@pytest.mark.parametrize("state", [RunState.RUNNING, RunState.PREEMPTING])
def test_a_running_run_may_count_with_its_best_value_so_far(impute, state):
    """Whatever stands in for runs without one: it is then a result like any other, and no longer only a place taken."""
    running = [ran(10 + n, {"x": 0.8 + n / 100}, -1.0 - n, 5.0, state=state) for n in range(3)]
    ended = [ran(10 + n, {"x": 0.8 + n / 100}, -1.0 - n, 5.0) for n in range(3)]
    assert next_x([*ended_runs(), *running], counting(impute)) == next_x([*ended_runs(), *ended])
    assert next_x([*ended_runs(), *running], counting(impute)) != next_x([*ended_runs(), *running])


@pytest.mark.parametrize(("impute", "value"), [("worst", bowl(0.95)), ("best", bowl(0.25)), ("latest", bowl(0.95))])
@pytest.mark.parametrize("goal", ["minimize", "maximize"])
def test_a_running_run_without_a_value_counts_as_the_file_says(impute, value, goal):
    """As the worst, best or latest of the ended runs, the goal's way round."""
    turn = 1.0 if goal == "minimize" else -1.0
    ended = [ran(n, run.params, turn * run.history[0]) for n, run in enumerate(ended_runs())]
    running = ran(10, {"x": 0.31}, state=RunState.RUNNING)
    told = ran(10, {"x": 0.31}, turn * value)
    definition = counting(impute, goal)
    assert next_x([*ended, running], definition) == next_x([*ended, told], definition)


def test_a_pending_run_never_counts():
    """It has not begun, so there is nothing to say of it."""
    pending = ran(10, {"x": 0.31}, state=RunState.PENDING)
    assert next_x([*ended_runs(), pending], counting("worst")) == next_x([*ended_runs(), pending])


def test_a_running_run_without_a_value_is_left_as_it_is_while_there_is_no_model():
    """Three ended runs say too little for a worst one."""
    runs = [*ended_runs(3), ran(10, {"x": 0.31}, state=RunState.RUNNING)]
    assert next_x(runs, counting("worst")) == next_x(runs)
