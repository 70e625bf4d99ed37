"""What to run next: exact, reproducible, never the same twice."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import Run, RunState, best_run
from sweeper.search import expected_runs, suggest
from sweeper.search.suggest import goes_on
from sweeper.space.parameter_space import params_key

GRID = "method: grid\nparameters: {a: {values: [1, 2, 3]}, b: {values: [x, y]}}"
RANDOM = GRID.replace("grid", "random")
BAYES = """
method: bayes
metric: {name: score, goal: maximize}
parameters:
  lr: {distribution: log_uniform_values, min: 0.0001, max: 1.0}
  flag: {values: [true, false]}
  kernels: {values: [[8, 16], [16, 32]]}
  depth: {min: 1, max: 5}
  dataset: {value: digits}
"""


def exhaust(definition: SweepDefinition, *, seed: int = 1, limit: int = 100) -> list[Run]:
    runs: list[Run] = []
    while len(runs) < limit and (suggestion := suggest(definition, runs, seed=seed)):
        runs.append(Run(id=str(len(runs)), state=RunState.RUNNING, params=suggestion.params))
    return runs


@pytest.mark.parametrize("text", [GRID, RANDOM], ids=["grid", "random"])
def test_a_finite_space_is_given_out_once_and_ends(text):
    """Six configurations make six runs, all different, and then no more."""
    runs = exhaust(SweepDefinition.from_yaml(text))
    assert len(runs) == len({params_key(run.params) for run in runs}) == 6


@pytest.mark.parametrize("method", ["grid", "random", "bayes"])
def test_values_written_twice_are_given_out_once(method):
    """The sweep ends with its distinct configurations instead of looking for one more for ever."""
    text = f"method: {method}\nmetric: {{name: m}}\nparameters: {{a: {{values: [32, 32, 64]}}}}"
    definition = SweepDefinition.from_yaml(text)
    assert len(exhaust(definition)) == definition.expected_runs == 2


def test_bayes_knows_a_number_by_its_value():
    """A run that reports 1.0 for 1, or a multiple of q with its rounding error, is a run like the others."""
    text = """
    method: bayes
    metric: {name: m}
    parameters:
      a: {values: [1, 2, x]}
      q: {distribution: q_uniform, min: 0.1, max: 0.5, q: 0.1}
    """
    definition = SweepDefinition.from_yaml(text)
    runs = [Run(id="r", state=RunState.FINISHED, params={"a": 1.0, "q": 3 * 0.1}, history=(1.0,))]
    assert definition.space.contains(suggest(definition, runs, seed=1).params)


def test_bayes_ends_with_its_finite_space():
    """W&B's engine repeats itself on four points; ours gives four runs."""
    text = "method: bayes\nmetric: {name: m}\nparameters: {a: {values: [true, false]}, b: {values: [0.1, 0.0]}}"
    assert len(exhaust(SweepDefinition.from_yaml(text))) == 4


def test_run_cap_is_exact():
    """A continuous random sweep with run_cap 5 has five runs."""
    text = "method: random\nrun_cap: 5\nparameters: {a: {min: 0.0, max: 1.0}}"
    assert len(exhaust(SweepDefinition.from_yaml(text))) == 5


@pytest.mark.parametrize("text", [GRID, RANDOM, BAYES], ids=["grid", "random", "bayes"])
def test_the_same_runs_and_seed_give_the_same_suggestion(text):
    """A restarted server goes on as if nothing had happened."""
    definition = SweepDefinition.from_yaml(text)
    runs = exhaust(definition, limit=4)
    assert suggest(definition, runs, seed=7) == suggest(definition, runs, seed=7)


def test_another_seed_gives_another_sweep():
    """Random search follows the sweep's seed."""
    definition = SweepDefinition.from_yaml("method: random\nparameters: {a: {min: 0.0, max: 1.0}}")
    assert suggest(definition, [], seed=1) != suggest(definition, [], seed=2)


def score(params) -> float:
    return -abs(math.log10(params["lr"]) + 2) - abs(params["depth"] - 3) + (0.5 if params["flag"] else 0.0)


def search(definition: SweepDefinition, *, seed: int, runs_wanted: int) -> list[Run]:
    runs: list[Run] = []
    for number in range(runs_wanted):
        suggestion = suggest(definition, runs, seed=seed)
        assert suggestion is not None
        params = suggestion.params
        runs.append(Run(id=str(number), state=RunState.FINISHED, params=params, history=(score(params),)))
    return runs


def test_bayes_learns():
    """After 40 runs bayes has a better configuration than random search, and its later runs are far better.

    The best alone says little: a search that goes the wrong way also finds one now and then.
    """
    bayes = SweepDefinition.from_yaml(BAYES)
    random = SweepDefinition.from_yaml(BAYES.replace("bayes", "random"))
    wins = 0
    for seed in range(5):
        made = [search(d, seed=seed, runs_wanted=40) for d in (bayes, random)]
        best = [best_run(runs, "maximize") for runs in made]
        wins += best[0].history[0] >= best[1].history[0]
        late = [sum(run.history[0] for run in runs[20:]) / 20 for runs in made]
        assert late[0] > late[1] + 0.5
    assert wins >= 4


def test_bayes_takes_runs_in_every_state():
    """Running, failed and stopped runs, with and without values, and runs that do not fit are no trouble."""
    definition = SweepDefinition.from_yaml(BAYES)
    runs = [
        Run(id=f"{state}{n}", state=state, params=suggest(definition, [], seed=n).params, history=history)
        for state in RunState
        for n, history in enumerate([(), (0.5, 0.25)])
    ]
    stranger = Run(id="x", state=RunState.FINISHED, params={"lr": 99.0}, history=(1.0,))
    suggestion = suggest(definition, [*runs, stranger], seed=3)
    assert definition.space.contains(suggestion.params)
    assert list(suggestion.params) == list(definition.space.distributions)


COUNTED = "method: grid\nmetric: {name: loss}\nparameters: {a: {values: [1, 2, 3]}, b: {values: [x, y]}}\n"


def prior(state: RunState = RunState.FINISHED, history: tuple[float, ...] = (0.5,), **params: object) -> Run:
    return Run(id=str(params), state=state, params=params, history=history, prior=True)


@pytest.mark.parametrize(
    ("more", "runs", "expected"),
    [
        ("", [], 6),
        ("", [prior(a=1, b="x")], 5),
        ("", [prior(a=1, b="x"), prior(a=1, b="x"), prior(a=9, b="x")], 5),
        ("run_cap: 4", [prior(a=1, b="x")], 4),
        ("sweeper: {repeats: 3}", [prior(a=1, b="x")], 15),
        ("", [prior(RunState.CRASHED, (), a=1, b="x")], 6),
        ("", [prior(RunState.CRASHED, (0.3,), a=1, b="x")], 5),
    ],
)
def test_prior_runs_spare_their_configurations(more, runs, expected):
    """What an earlier sweep tried is not run again, unless it failed without a value; then it gets another try."""
    definition = SweepDefinition.from_yaml(COUNTED + more)
    assert expected_runs(definition, runs) == expected
    made = list(runs)
    while suggestion := suggest(definition, made, seed=1):
        made.append(Run(id=str(len(made)), state=RunState.FINISHED, params=suggestion.params, history=(1.0,)))
    assert len(made) - len(runs) == expected


def ended(number: int, **params: object) -> Run:
    return Run(id=str(number), state=RunState.FINISHED, params=params, history=(0.5,))


@pytest.mark.parametrize("method", ["random", "bayes"])
@pytest.mark.parametrize("more", ["", "sweeper: {repeats: 2, repeat_parameter: fold}", "sweeper: {initial: [{b: y}]}"])
def test_parameters_come_in_the_order_of_the_file(method, more):
    """Whatever proposed them: as flags of a command, and as a person wrote them."""
    parameters = "parameters: {b: {values: [x, y]}, a: {min: 1, max: 9}, c: {value: 1}}\n"
    definition = SweepDefinition.from_yaml(f"method: {method}\nmetric: {{name: m}}\n{parameters}{more}")
    runs: list[Run] = []
    for number in range(6):
        params = suggest(definition, runs, seed=1).params
        assert [name for name in params if name != "fold"] == ["b", "a", "c"]
        runs.append(ended(number, **params))


@pytest.mark.parametrize("method", ["grid", "random", "bayes"])
def test_runs_of_another_space_use_nothing_up(method):
    """Attached from elsewhere, as many as the space has configurations: each of these is still run, and no other."""
    parameters = "parameters: {a: {values: [1, 2, 3]}}"
    definition = SweepDefinition.from_yaml(f"method: {method}\nmetric: {{name: m}}\n{parameters}")
    runs = [prior(a=number) for number in (7, 8, 9)] + [prior(a=1, b=number) for number in (1, 2)]
    made = list(runs)
    while suggestion := suggest(definition, made, seed=1):
        assert goes_on(definition, made)
        made.append(ended(len(made), **suggestion.params))
    assert sorted(run.params["a"] for run in made[len(runs) :]) == [1, 2, 3]
    assert not goes_on(definition, made)


@pytest.mark.parametrize(
    ("more", "runs", "on"),
    [
        ("", 5, True),
        ("", 6, False),
        ("run_cap: 2", 1, True),
        ("run_cap: 2", 2, False),
        ("run_cap: 2", 3, False),
        ("sweeper: {repeats: 2}", 11, True),
        ("sweeper: {repeats: 2}", 12, False),
    ],
)
def test_it_is_known_without_a_search_whether_a_sweep_goes_on(more, runs, on):
    """The same as the search itself would say, at each limit; prior runs do not count towards `run_cap`."""
    definition = SweepDefinition.from_yaml(COUNTED + more)
    made: list[Run] = []
    while len(made) < runs and (suggestion := suggest(definition, made, seed=1)):
        made.append(ended(len(made), **suggestion.params))
    if "run_cap" in more:
        made += [ended(9, a=3, b="y")] * (runs - len(made)) + [prior(a=2, b="x")]
    assert goes_on(definition, made) is on
    assert (suggest(definition, made, seed=1) is not None) is on


def test_a_sweep_with_a_scheduler_of_its_own_goes_on_by_that_alone():
    """What there is to run, only its scheduler knows."""
    text = "method: custom\nscheduler: {engine: ax}\nparameters: {a: {values: [1, 2]}}"
    assert not goes_on(SweepDefinition.from_yaml(text), [])


@pytest.mark.parametrize(
    ("values", "over"),
    [((0.2, 5.0), True), ((0.1, 9.0), True), ((0.3, 9.0), False), ((0.1, 4.0), False), ((), False)],
)
def test_a_sweep_of_several_metrics_ends_when_one_run_reaches_all_targets(values, over):
    """Each in its direction, its own value among them; half of them is not enough, and a prior run ends nothing."""
    metrics = "metrics: [{name: m, target: 0.2}, {name: n, goal: maximize, target: 5}]\n"
    definition = SweepDefinition.from_yaml(f"method: bayes\n{metrics}parameters: {{a: {{min: 0.0, max: 1.0}}}}")
    run = Run(id="r", state=RunState.FINISHED, params={"a": 0.5}, values=values)
    assert (suggest(definition, [run], seed=1) is None) is over
    assert goes_on(definition, [run]) is not over
    assert suggest(definition, [replace(run, prior=True)], seed=1) is not None


def test_a_suggestion_says_what_made_it():
    """The engine with its version, and the sweep's seed; a configuration of the file and a repeat are nobody's."""
    definition = SweepDefinition.from_yaml(COUNTED + "sweeper: {repeats: 2, initial: [{a: 3, b: y}]}")
    runs: list[Run] = []
    found = []
    for number in range(3):
        found.append(suggest(definition, runs, seed=7))
        runs.append(ended(number, **found[-1].params))
    assert [(one.engine, one.seed) for one in found] == [("initial/1", 7), ("repeat/1", 7), ("grid/1", 7)]
    for method, engine in (("random", "random/1"), ("bayes", "gp/1")):
        text = f"method: {method}\nmetric: {{name: m}}\nparameters: {{a: {{min: 0.0, max: 1.0}}}}"
        assert suggest(SweepDefinition.from_yaml(text), [], seed=1).engine == engine


def test_an_initial_point_that_only_another_space_has_tried_is_tried():
    """A prior run that lacks a parameter has tried nothing of this space; one that has all has."""
    definition = SweepDefinition.from_yaml(COUNTED.replace("grid", "random") + "sweeper: {initial: [{a: 3}]}")
    assert suggest(definition, [prior(a=3)], seed=1).engine == "initial/1"
    assert suggest(definition, [prior(a=3, b="x")], seed=1).engine == "random/1"
    assert suggest(definition, [ended(0, a=3, b="x")], seed=1).engine == "random/1"


def test_draws_of_two_seeds_do_not_follow_one_another():
    """The run number and the seed count each in full."""
    definition = SweepDefinition.from_yaml("method: random\nparameters: {a: {min: 0.0, max: 1.0}}")
    draws = {
        suggest(definition, [ended(n, a=n + 2.0) for n in range(count)], seed=seed).params["a"]
        for seed in range(5)
        for count in range(5)
    }
    assert len(draws) == 25


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.CRASHED, RunState.KILLED])
def test_a_run_of_its_own_that_failed_is_not_suggested_again(state):
    """Only one of another sweep gets another try: what failed here, `sweeper retry` hands out again."""
    definition = SweepDefinition.from_yaml(COUNTED)
    failed = Run(id="f", state=state, params={"a": 1, "b": "x"})
    assert suggest(definition, [failed], seed=1).params == {"a": 1, "b": "y"}
    assert suggest(definition, [replace(failed, prior=True)], seed=1).params == {"a": 1, "b": "x"}
    capped = SweepDefinition.from_yaml(COUNTED + "run_cap: 1")
    assert suggest(capped, [failed], seed=1) is None
    assert not goes_on(capped, [failed])


def test_a_continuous_sweep_goes_on():
    """Nobody knows how many runs it will have."""
    definition = SweepDefinition.from_yaml("method: random\nparameters: {a: {min: 0.0, max: 1.0}}")
    assert expected_runs(definition, [prior(a=0.5)]) is None
