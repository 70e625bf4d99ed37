"""Which parameters mattered: known answers, odd parameters, and too few runs."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import Any

import pytest

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import Run, RunState
from sweeper.search.importance import MAX_RUNS, Importance, best_quarter, caveat, importance, weigh

FORMS: dict[str, Any] = {
    "lr": {"distribution": "log_uniform_values", "min": 1e-5, "max": 1e-1},
    "noise": {"min": 0.0, "max": 1.0},
    "layers": {"values": [1, 2, 4]},
    "optimizer": {"values": ["adam", "sgd", "rmsprop"]},
    "flag": {"values": [True, False]},
    "shape": {"values": [[1, 2], [3, 4]]},
    "data": {"value": "digits"},
}
LOSS = {"adam": 0.0, "sgd": 1.0, "rmsprop": 2.0}


def definition(goal: str = "minimize", **forms: Any) -> SweepDefinition:
    metric = {"name": "loss", "goal": goal}
    return SweepDefinition.model_validate({"method": "random", "metric": metric, "parameters": forms or FORMS})


def drawn(sweep: SweepDefinition, number: int, loss) -> list[Run]:
    """Draw runs, each with the loss that a function of its parameters gives."""
    rng = random.Random(3)
    configs = [sweep.space.sample(rng) for _ in range(number)]
    return [
        Run(id=str(n), state=RunState.FINISHED, params=params, history=(loss(params),))
        for n, params in enumerate(configs)
    ]


def rows(sweep: SweepDefinition, runs: list[Run]) -> dict[str, Importance]:
    return {row.name: row for row in importance(sweep, runs)}


@pytest.mark.parametrize("goal", ["minimize", "maximize"])
def test_the_parameter_that_decides_comes_first(goal):
    """Forest and PED-ANOVA name the one parameter that the metric depends on; constants are not asked about."""
    sweep = definition(goal)
    runs = drawn(sweep, 200, lambda params: math.log10(params["lr"]))
    found = importance(sweep, runs)
    assert found[0].name == "lr"
    assert found[0].forest > 0.9
    assert found[0].ped_anova > 0.5
    assert found[0].n == 200
    assert "data" not in {row.name for row in found}


def test_a_category_counts_with_all_its_values():
    """The share of an unordered parameter is that of its values together; it has no linear correlation."""
    sweep = definition()
    rng = random.Random(5)
    row = rows(sweep, drawn(sweep, 200, lambda params: LOSS[params["optimizer"]] + rng.random()))["optimizer"]
    assert row.forest > 0.7
    assert row.ped_anova > 0.5
    assert row.correlation is None


def test_the_correlation_is_pearsons_of_the_values():
    """As in W&B's panel it is that of the raw values, with its sign; booleans are 0 and 1."""
    sweep = definition()
    found = rows(sweep, drawn(sweep, 100, lambda params: -3.0 * params["noise"]))
    assert found["noise"].correlation == pytest.approx(-1.0)
    found = rows(sweep, drawn(sweep, 100, lambda params: float(params["flag"])))
    assert found["flag"].correlation == pytest.approx(1.0)


def test_shares_add_up_to_one():
    """PED-ANOVA and the forest each share out the whole, whatever the kinds of the parameters."""
    sweep = definition()
    found = importance(sweep, drawn(sweep, 100, lambda params: params["noise"] + LOSS[params["optimizer"]]))
    assert sum(row.ped_anova for row in found) == pytest.approx(1.0)
    assert sum(row.forest for row in found) == pytest.approx(1.0)


def test_nothing_is_told_of_fewer_than_ten_runs():
    """Nine finite values are too few, however many runs there are; every parameter still has its row and its number."""
    sweep = definition()
    runs = drawn(sweep, 40, lambda params: params["noise"])
    few = [*runs[:9], *(replace(run, history=()) for run in runs[9:20])]
    few += [replace(run, state=RunState.RUNNING) for run in runs[20:]]
    for row in importance(sweep, few):
        assert (row.ped_anova, row.forest, row.correlation, row.n) == (None, None, None, 9)
    assert importance(sweep, [])[0].n == 0
    assert importance(sweep, runs[:10])[0].forest is not None


def test_a_parameter_that_did_not_vary_is_not_judged():
    """Searched in principle, the same in every run: nothing can be told."""
    sweep = definition()
    runs = drawn(sweep, 60, lambda params: params["noise"])
    runs = [replace(run, params={**run.params, "layers": 2}) for run in runs]
    row = rows(sweep, runs)["layers"]
    assert (row.ped_anova, row.forest, row.correlation, row.n) == (None, None, None, 60)


def test_a_parameter_that_some_runs_lack_is_judged_by_those_that_have_it():
    """A conditional parameter has its own number of runs; values that its distribution cannot give count as lacking."""
    sweep = definition()
    runs = drawn(sweep, 200, lambda params: params["noise"])
    runs = [
        replace(run, params={name: value for name, value in run.params.items() if name != "lr"}) if n % 2 else run
        for n, run in enumerate(runs)
    ]
    runs[0] = replace(runs[0], params={**runs[0].params, "lr": "high"})
    found = rows(sweep, runs)
    assert found["lr"].n == 99
    assert found["lr"].forest < 0.1
    assert found["noise"].n == 200
    assert found["noise"].forest > 0.8


def test_a_metric_that_hardly_changes_is_not_explained():
    """Nothing is told where all values are equal, nor what the best have in common where they equal the worst."""
    sweep = definition()
    for row in importance(sweep, drawn(sweep, 50, lambda _: 1.0)):
        assert (row.ped_anova, row.forest, row.correlation, row.n) == (None, None, None, 50)
    failing = drawn(sweep, 100, lambda params: 0.0 if params["noise"] < 0.03 else 1.0)
    assert {row.ped_anova for row in importance(sweep, failing)} == {None}
    assert rows(sweep, failing)["noise"].forest > 0.5


def test_huge_values_do_not_overflow():
    """Losses and parameters near the largest float are told like any other."""
    sweep = definition(lr={"min": 0.0, "max": 1e308}, noise={"min": 0.0, "max": 1.0})
    found = rows(sweep, drawn(sweep, 50, lambda params: params["lr"]))
    assert found["lr"].correlation == pytest.approx(1.0)
    assert found["lr"].forest > 0.9


def test_the_same_runs_give_the_same_answer():
    """Nothing in it is left to chance, also where only a part of the runs is looked at."""
    sweep = definition(**{f"p{n}": {"min": 0.0, "max": 1.0} for n in range(50)})
    runs = drawn(sweep, 500, lambda params: params["p3"])
    found = importance(sweep, runs)
    assert found == importance(sweep, runs)
    assert found[0].name == "p3"
    assert found[0].n == 400


def test_of_many_runs_a_part_is_enough():
    """However few parameters there are: what adds up is the time that Optuna takes for each run."""
    sweep = definition()
    assert {row.n for row in importance(sweep, drawn(sweep, MAX_RUNS + 500, lambda params: params["lr"]))} == {MAX_RUNS}


def test_any_value_of_any_runs_can_be_weighed():
    """Of the best quarter another parameter may matter than of all."""
    sweep = definition(lr={"min": 0.0, "max": 1.0}, noise={"min": 0.0, "max": 1.0})
    runs = drawn(sweep, 120, len)
    scored = [(run, run.params["lr"] if run.params["lr"] > 0.3 else run.params["noise"] / 10) for run in runs]
    assert weigh(sweep.space, scored, "minimize")[0].name == "lr"
    best = best_quarter(scored, "minimize")
    assert len(best) == 30
    assert max(value for _, value in best) <= min(value for pair in scored if pair not in best for value in pair[1:])
    assert weigh(sweep.space, best, "minimize")[0].name == "noise"
    assert best_quarter(scored, "maximize")[0][1] == max(value for _, value in scored)


def test_few_runs_are_a_hint():
    """And very few tell nothing."""
    assert caveat(9, 2) == "It takes 10 runs with a value to tell: there are 9."
    assert "a hint" in caveat(19, 2)
    assert caveat(20, 2) == ""
