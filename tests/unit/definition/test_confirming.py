"""Sweeps of exactly the runs that confirm another one."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from sweeper.definition.confirming import Link, link, planned, searched_alone, searched_together
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import DefinitionError
from sweeper.run import Run, RunState
from sweeper.search import suggest
from sweeper.space.parameter_space import params_key

ABOUT = Link("5tq3zk1p", "seed")
FILE = """
name: first try
project: mnist
program: train.py
method: bayes
metric: {name: loss, goal: minimize, target: 0.1}
early_terminate: {type: hyperband, min_iter: 2}
run_cap: 40
parameters:
  lr: {distribution: log_uniform_values, min: 1.0e-5, max: 0.1}
  epochs: {value: 3}
  optimizer:
    parameters:
      name: {values: [sgd, adam]}
      momentum: {min: 0.0, max: 1.0}
sweeper:
  seed: 3
  initial: [{lr: 0.01}]
  conditions: {optimizer.momentum: {optimizer.name: sgd}}
  run_name: "lr{lr:.0e}"
"""
SGD = {"lr": 1e-05, "epochs": 3, "optimizer.name": "sgd", "optimizer.momentum": 0.25}
ADAM = {"lr": 0.0123, "epochs": 3, "optimizer.name": "adam"}


def given_out(definition: SweepDefinition) -> list[dict[str, Any]]:
    """All that a server gives out, one run after the other."""
    runs: list[Run] = []
    while len(runs) < 100 and (found := suggest(definition, runs, seed=1)):
        runs.append(Run(id=str(len(runs)), state=RunState.FINISHED, params=found.params, history=(0.0,)))
    return [dict(run.params) for run in runs]


def test_one_sweep_has_exactly_these_runs_in_this_order():
    """Each configuration with each seed once and nothing else, whatever distributions and conditions the file has."""
    points = [{**params, "seed": seed} for seed in (1001, 1002) for params in (SGD, ADAM)]
    made = SweepDefinition.from_yaml(FILE)
    again = searched_together(made, ABOUT, points)
    assert list(map(params_key, given_out(again))) == list(map(params_key, points))
    assert list(map(params_key, planned(again))) == list(map(params_key, points))
    assert (again.expected_runs, again.name, again.project) == (4, "confirm first try", None)


def test_every_run_of_it_goes_to_its_end():
    """No early termination, and no target that would end it before the last seed; the metric stays."""
    again = searched_together(SweepDefinition.from_yaml(FILE), ABOUT, [{**SGD, "seed": 1}])
    assert (again.stopping, again.metric.target, again.metric.name, again.metric.goal) == (
        None,
        None,
        "loss",
        "minimize",
    )
    assert again.sweeper.used == ["initial", "conditions", "run_name"]


def test_what_is_made_is_a_file_that_a_server_reads():
    """The text that the SDK sends says the same again."""
    again = searched_together(SweepDefinition.from_yaml(FILE), ABOUT, [{**SGD, "seed": 1}])
    read = SweepDefinition.from_yaml(yaml.safe_dump(again.to_dict()), by_hand=False)
    assert (planned(read), link(read)) == (planned(again), ABOUT)


@pytest.mark.parametrize(
    ("beyond", "seed", "path"),
    [
        ("seed: {values: [1, 2]}", "seed", ("seed",)),
        ("seed: {value: 7}", "seed", ("seed",)),
        ("train: {parameters: {seed: {value: 7}}}", "train.seed", ("train", "seed")),
        ("train: {parameters: {x: {value: 7}}}", "train.seed", ("train", "seed")),
        ("x: {value: 7}", "train.seed", ("train", "seed")),
    ],
)
def test_a_seed_stands_where_the_trainer_reads_it(beyond, seed, path):
    """At the top or in a group, in the file already or not."""
    definition = SweepDefinition.from_yaml(
        f"method: grid\nmetric: {{name: m}}\nparameters: {{a: {{values: [1]}}, {beyond}}}"
    )
    rest = {name: 7 for name in definition.forms if name not in {"a", seed}}
    made = searched_together(definition, Link("s", seed), [{"a": 1, **rest, seed: 1001}])
    assert made.space.paths[seed] == path
    assert given_out(made) == [{"a": 1, **rest, seed: 1001}]
    alone = searched_alone(definition, Link("s", seed), {"a": 1, **rest}, [1001, 1002])
    assert given_out(alone) == [{"a": 1, **rest, seed: 1001}, {"a": 1, **rest, seed: 1002}]


def test_a_seed_that_counted_repeats_is_one_like_any_other():
    """The repeats go: the seeds take their place."""
    text = "method: random\nmetric: {name: m}\nparameters: {a: {values: [1, 2]}}\n"
    definition = SweepDefinition.from_yaml(text + "sweeper: {repeats: 3, repeat_parameter: seed}")
    made = searched_together(definition, ABOUT, [{"a": 2, "seed": 1001}, {"a": 2, "seed": 1002}])
    assert given_out(made) == [{"a": 2, "seed": 1001}, {"a": 2, "seed": 1002}]


def test_a_grid_alone_needs_no_server_of_ours():
    """One configuration, all constant but the seed: W&B's own grid runs it just so."""
    made = searched_alone(SweepDefinition.from_yaml(FILE), ABOUT, SGD, [1001, 1002])
    assert (made.method, made.sweeper.used, made.expected_runs) == ("grid", [], 2)
    assert given_out(made) == [{**SGD, "seed": 1001}, {**SGD, "seed": 1002}]
    assert planned(made) == given_out(made)


@pytest.mark.parametrize("text", ["", "confirms nothing", "it confirms 5tq3zk1p with other values of seed"])
def test_other_sweeps_confirm_none(text):
    """Only a description of ours is a link; that is read whatever the parameter is called."""
    form = f"method: grid\ndescription: '{text}'\nparameters: {{a: {{values: [1]}}}}"
    assert link(SweepDefinition.from_yaml(form)) is None
    odd = Link("5tq3zk1p", "a.b-c")
    made = searched_alone(SweepDefinition.from_yaml(FILE), odd, SGD, [1])
    assert link(made) == odd


@pytest.mark.parametrize("seed", ["my seed", "lr.seed", "optimizer", "", "optimizer.name.x"])
def test_what_can_be_no_parameter_beside_the_others_is_refused(seed):
    """A name that the format does not take, or that stands where another parameter does."""
    with pytest.raises(DefinitionError, match="cannot be the seed of sweep 5tq3zk1p"):
        searched_together(SweepDefinition.from_yaml(FILE), Link("5tq3zk1p", seed), [{**SGD, seed: 1}])
