"""What to run next, beyond W&B: order, repeats, initial points, conditions, prior runs, a target."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import Run, RunState
from sweeper.search import suggest
from sweeper.space.parameter_space import params_key

PARAMETERS = "parameters: {a: {values: [1, 2, 3]}, b: {values: [x, y]}, c: {min: 1, max: 4}}\n"
METHODS = ["grid", "random", "bayes"]


def define(method: str, beyond: str = "{}", parameters: str = PARAMETERS, metric: str = "{name: m}") -> SweepDefinition:
    return SweepDefinition.from_yaml(f"method: {method}\nmetric: {metric}\n{parameters}sweeper: {beyond}\n")


def run(number: object, value: float | None = 0.5, *, prior: bool = False, **params: Any) -> Run:
    state = RunState.RUNNING if value is None else RunState.FINISHED
    return Run(id=str(number), state=state, params=params, history=() if value is None else (value,), prior=prior)


def exhaust(
    definition: SweepDefinition, runs: list[Run] | None = None, *, seed: int = 1, limit: int = 100
) -> list[Run]:
    """Take suggestions until there are no more; every run finishes at once."""
    found = list(runs or [])
    start = len(found)
    while len(found) - start < limit and (suggestion := suggest(definition, found, seed=seed)):
        found.append(run(len(found), **suggestion.params))
    return found[start:]


def keys(runs: list[Run]) -> list[str]:
    return [params_key(run.params) for run in runs]


def test_a_restart_keeps_the_random_order():
    """What comes next depends on the runs and the seed alone, not on who asked before; it is not W&B's order."""
    definition = define("grid", "{order: random}")
    runs = exhaust(definition)
    assert all(suggest(definition, runs[:n], seed=1).params == runs[n].params for n in range(0, 24, 5))
    assert sorted(keys(runs)) == sorted(keys(exhaust(define("grid"))))
    assert keys(exhaust(define("grid"))) != keys(runs)


@pytest.mark.parametrize("method", METHODS)
def test_each_configuration_is_repeated(method):
    """As often as asked, one after the other, and then the sweep ends."""
    runs = exhaust(define(method, "{repeats: 3}"))
    assert len(runs) == 72
    assert set(Counter(keys(runs)).values()) == {3}
    assert keys(runs)[0::3] == keys(runs)[1::3] == keys(runs)[2::3]


@pytest.mark.parametrize("method", METHODS)
def test_repeats_are_counted_in_the_config(method):
    """The trainer can seed itself with the count."""
    runs = exhaust(define(method, "{repeats: 3, repeat_parameter: fold}"))
    assert len(set(keys(runs))) == len(runs) == 72
    assert [run.params["fold"] for run in runs] == [1, 2, 3] * 24


def test_repeats_that_run_at_the_same_time_have_counts_of_their_own():
    """A second worker gets the next count, not the same one, and a third configuration comes after both."""
    definition, runs = define("random", "{repeats: 2, repeat_parameter: fold}"), []
    for number in range(4):
        params = suggest(definition, runs, seed=1).params
        runs.append(run(number, None, **params))
    assert [run.params["fold"] for run in runs] == [1, 2, 1, 2]
    assert len({(run.params["a"], run.params["b"], run.params["c"]) for run in runs}) == 2


def test_run_cap_counts_every_repeat():
    """It is the number of runs, not of configurations."""
    definition = SweepDefinition.from_yaml(f"method: grid\nrun_cap: 7\n{PARAMETERS}sweeper: {{repeats: 3}}")
    assert len(exhaust(definition)) == 7


def test_a_bayesian_search_with_repeats_is_not_fooled_by_luck():
    """It goes where the mean is lowest, though single runs elsewhere were better, and looks elsewhere in between."""
    definition = define("bayes", "{repeats: 2}", "parameters: {x: {min: 0.0, max: 1.0}}\n")
    runs: list[Run] = []
    for number in range(50):
        x = suggest(definition, runs, seed=3).params["x"]
        noise = 3.0 * (-1) ** number if x > 0.5 else 0.0  # lucky and unlucky in turn; the mean is x
        runs.append(run(number, x + noise, x=x))
    assert all(one.params == two.params for one, two in list(pairwise(runs))[::2])
    assert sum(run.params["x"] < 0.1 for run in runs[30:]) > 10


@pytest.mark.parametrize("method", METHODS)
def test_initial_points_come_first_and_once(method):
    """In the order of the file; what they leave open is drawn; a point already tried is not tried again."""
    definition = define(method, "{initial: [{a: 3, b: y, c: 4}, {a: 2}, {}, {a: 3, b: y, c: 4}]}")
    runs = exhaust(definition)
    assert runs[0].params == {"a": 3, "b": "y", "c": 4}
    assert runs[1].params["a"] == 2
    assert len(runs) == len(set(keys(runs))) == 24


@pytest.mark.parametrize("method", ["random", "bayes"])
def test_a_point_that_leaves_something_open_is_tried_once(method):
    """What was drawn for it makes it one run, not the start of many."""
    parameters = "parameters: {x: {min: 0.0, max: 1.0}, y: {min: 0.0, max: 1.0}}\n"
    runs = exhaust(define(method, "{initial: [{x: 0.25}, {y: 0.75}]}", parameters), limit=6)
    assert [run.params["x"] == 0.25 for run in runs] == [True, *[False] * 5]
    assert [run.params["y"] == 0.75 for run in runs] == [False, True, *[False] * 4]


@pytest.mark.parametrize("point", ["{g: {x: 2}}", "{g.x: 2}"])
def test_an_initial_point_may_be_nested_or_dotted(point):
    """As in a run's config, or as in the table of runs."""
    parameters = "parameters: {g: {parameters: {x: {min: 1, max: 9}, y: {min: 0.0, max: 1.0}}}}\n"
    [first] = exhaust(define("random", f"{{initial: [{point}]}}", parameters), limit=1)
    assert first.params["g.x"] == 2
    assert 0 <= first.params["g.y"] <= 1


def test_initial_points_are_repeated_too():
    """Each of them as often as every configuration."""
    runs = exhaust(define("random", "{repeats: 2, repeat_parameter: fold, initial: [{a: 3, b: y, c: 4}]}"), limit=3)
    assert [run.params["fold"] for run in runs] == [1, 2, 1]
    assert [run.params["c"] for run in runs[:2]] == [4, 4]


TREE = "parameters: {opt: {values: [adam, sgd]}, mom: {values: [0.5, 0.9]}, g: {parameters: {x: {values: [1, 2]}}}}\n"


@pytest.mark.parametrize("method", METHODS)
def test_a_parameter_is_there_only_under_its_condition(method):
    """Adam has no momentum, and the configurations of the sweep are those that differ."""
    definition = define(method, "{conditions: {mom: {opt: sgd}, g: {mom: [0.9]}}}", TREE)
    runs = exhaust(definition)
    assert len(runs) == definition.expected_runs == 4
    assert {tuple(sorted(run.params.items(), key=str)) for run in runs} == {
        (("opt", "adam"),),
        (("mom", 0.5), ("opt", "sgd")),
        (("g.x", 1), ("mom", 0.9), ("opt", "sgd")),
        (("g.x", 2), ("mom", 0.9), ("opt", "sgd")),
    }


def test_a_bayesian_search_learns_under_conditions():
    """Runs with and without the parameter teach it, and it finds the branch that is better."""
    parameters = "parameters: {opt: {values: [adam, sgd]}, mom: {min: 0.0, max: 1.0}, lr: {min: 0.0, max: 1.0}}\n"
    definition = define("bayes", "{conditions: {mom: {opt: sgd}}}", parameters)
    runs: list[Run] = []
    for number in range(40):
        params = suggest(definition, runs, seed=2).params
        assert definition.space.contains(params)
        value = params["lr"] + (1.0 - params["mom"] if "mom" in params else 0.9)
        runs.append(run(number, value, **params))
    late = runs[20:]
    assert sum("mom" in run.params for run in late) >= 12
    assert min(run.history[0] for run in runs) < 0.3


@pytest.mark.parametrize("method", METHODS)
def test_prior_runs_are_not_run_again_and_do_not_count(method):
    """They take their configurations out of the search, and nothing from `run_cap`."""
    prior = [run(f"p{n}", prior=True, a=1, b="x", c=n) for n in (1, 2, 3)]
    runs = exhaust(define(method), prior)
    assert len(runs) == 21
    assert not set(keys(runs)) & set(keys(prior))
    capped = SweepDefinition.from_yaml(f"method: {method}\nmetric: {{name: m}}\nrun_cap: 2\n{PARAMETERS}")
    assert len(exhaust(capped, prior)) == 2


def test_prior_runs_that_do_not_fit_are_ignored():
    """Another sweep may have had other parameters."""
    prior = [run("p", prior=True, z=1), run("q", prior=True, a=99, b="x", c=1), run("r", prior=True)]
    for method in METHODS:
        definition = define(method, "{initial: [{a: 3, b: y, c: 4}]}")
        runs = exhaust(definition, prior)
        assert len(runs) == 24
        assert runs[0].params == {"a": 3, "b": "y", "c": 4}


def test_an_initial_point_that_a_prior_run_tried_is_skipped():
    """Its result is known."""
    prior = [run("p", prior=True, a=3, b="y", c=4)]
    runs = exhaust(define("grid", "{initial: [{a: 3, b: y, c: 4}, {a: 2, b: y, c: 1}]}"), prior)
    assert runs[0].params == {"a": 2, "b": "y", "c": 1}
    assert len(runs) == 23


@pytest.mark.parametrize("count", ["", ", repeat_parameter: fold"])
def test_a_prior_run_is_not_repeated(count):
    """It stands for its configuration, whatever its count was."""
    prior = [run("p", prior=True, a=1, b="x", c=1, **({"fold": 2} if count else {}))]
    runs = exhaust(define("grid", "{repeats: 2" + count + "}"), prior)
    assert len(runs) == 46
    assert not any((r.params["a"], r.params["b"], r.params["c"]) == (1, "x", 1) for r in runs)


def test_prior_runs_teach_a_bayesian_search():
    """It starts where they were good."""
    parameters = "parameters: {x: {min: 0.0, max: 1.0}}\n"
    prior = [run(f"p{n}", abs(n / 30 - 0.8), prior=True, x=n / 30) for n in range(31)]
    runs = exhaust(define("bayes", "{}", parameters), prior, limit=10)
    assert sum(abs(run.params["x"] - 0.8) < 0.25 for run in runs) >= 7


@pytest.mark.parametrize(
    ("goal", "values", "over"),
    [
        ("minimize", [0.5, 0.3], False),
        ("minimize", [0.5, 0.1], True),
        ("minimize", [0.2], True),
        ("maximize", [0.1], False),
        ("maximize", [0.1, 0.3], True),
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_a_sweep_ends_at_its_target(method, goal, values, over):
    """Once a run has logged a value as good as the target, there are no new ones."""
    definition = define(method, metric=f"{{name: m, goal: {goal}, target: 0.2}}")
    runs = [run(n, value, a=1, b="x", c=n + 1) for n, value in enumerate(values)]
    assert (suggest(definition, runs, seed=1) is None) == over


def test_the_target_counts_in_a_running_run_and_not_in_a_prior_one():
    """W&B stops as soon as the value is logged; an earlier sweep's success is not this one's."""
    definition = define("random", metric="{name: m, target: 0.2}")
    reached = Run(id="r", state=RunState.RUNNING, params={"a": 1, "b": "x", "c": 1}, history=(0.9, 0.1, 0.8))
    assert suggest(definition, [reached], seed=1) is None
    assert suggest(definition, [run("p", 0.1, prior=True, a=1, b="x", c=1)], seed=1) is not None


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.CRASHED, RunState.KILLED])
def test_a_run_that_may_not_lead_has_not_reached_the_target(state):
    """Whatever it had logged on the way: it did not do what it was started for."""
    definition = define("random", metric="{name: m, target: 0.2}")
    ended = Run(id="r", state=state, params={"a": 1, "b": "x", "c": 1}, history=(0.1,))
    assert suggest(definition, [ended], seed=1) is not None
