"""`sweeper sample` of real files, without a server."""

from __future__ import annotations

import json
import shlex

import pytest
import yaml

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import DefinitionError
from sweeper.run import Run, RunState
from sweeper.search import suggest
from tests.documented_json import assert_documented

RANDOM = """
method: random
parameters:
  lr: {distribution: log_uniform_values, min: 0.001, max: 0.1}
  note: {values: ["a b", "[red]c[/]"]}
  opt: {parameters: {beta: {values: [0.9, 0.99]}}}
"""
GRID = "method: grid\nparameters: {b: {values: [1, 2]}, a: {values: [x, y]}}\n"


@pytest.fixture
def file(tmp_path):
    def write(text):
        place = tmp_path / "sweep.yaml"
        place.write_text(text)
        return place

    return write


def told(sweeper, *args):
    done = sweeper("sample", *args, "--json")
    assert done.exit_code == 0, done.exception
    found = json.loads(done.stdout)
    assert_documented("sample", found)
    return found


def test_a_seed_gives_what_a_server_of_that_seed_hands_out(sweeper, file):
    """The same seed gives the same configurations, which are the sweep's first ones; another gives others."""
    place, definition = file(RANDOM), SweepDefinition.from_yaml(RANDOM)
    found = told(sweeper, place, "-n", 7, "--seed", 7)
    assert (found["seed"], found["method"], found["expected_runs"]) == (7, "random", None)
    runs = []
    for _ in range(7):
        runs.append(Run(id=str(len(runs)), state=RunState.PENDING, params=suggest(definition, runs, seed=7).params))
    assert found["samples"] == [run.params for run in runs]
    assert found == told(sweeper, place, "-n", 7, "--seed", 7)
    assert found["samples"] != told(sweeper, place, "-n", 7, "--seed", 8)["samples"]


def test_the_files_own_seed_counts_where_none_is_given(sweeper, file):
    """And what it gives are then no mere examples."""
    seeded = file(RANDOM + "sweeper: {seed: 7}\n")
    assert told(sweeper, seeded)["samples"] == told(sweeper, seeded, "--seed", 7)["samples"]
    assert "no seed" not in sweeper("sample", seeded).stderr
    assert "these are from seed 0" in sweeper("sample", file(RANDOM)).stderr


def test_a_grid_gives_its_first_runs_in_their_order_and_says_when_there_are_no_more(sweeper, file):
    """Names sorted, the last one fastest."""
    done = sweeper("sample", file(GRID), "-n", 10)
    assert done.stdout.splitlines() == ["1  a=x b=1", "2  a=x b=2", "3  a=y b=1", "4  a=y b=2"]
    assert "that is all: the sweep has 4 runs" in done.stderr
    assert "seed" not in done.stderr


def test_arguments_are_those_that_the_agent_would_give(sweeper, file):
    """A line each, which a shell reads as the SDK passes them on; a group is one value."""
    from wandb.sdk.launch.sweeps.utils import create_sweep_command_args

    place = file(RANDOM)
    lines = sweeper("sample", place, "--args", "-n", 20, "--seed", 3).stdout.splitlines()
    space = SweepDefinition.from_yaml(RANDOM).space
    for line, sample in zip(lines, told(sweeper, place, "-n", 20, "--seed", 3)["samples"], strict=True):
        args = {name: {"value": value} for name, value in space.nest(sample).items()}
        assert shlex.split(line) == create_sweep_command_args({"args": args})["args"]
    assert any("[red]c[/]" in line for line in lines)


def test_what_bayes_draws_first_is_said_to_be_no_more_than_that(sweeper, file):
    """Later ones depend on results that nobody has."""
    text = RANDOM.replace("random", "bayes") + "metric: {name: loss}\n"
    done = sweeper("sample", file(text), "--seed", 1)
    assert len(done.stdout.splitlines()) == 5
    assert "while no result is known" in done.stderr


def test_a_wrong_file_is_refused_as_check_refuses_it(sweeper, file):
    """Every fault with its place; nothing is drawn."""
    data = yaml.safe_load(RANDOM) | {"methd": "grid", "run_cap": 0}
    wrong = sweeper("sample", file(yaml.safe_dump(data)))
    assert isinstance(wrong.exception, DefinitionError)
    assert len(wrong.exception.faults) == 2
    assert wrong.stdout == ""
    missing = sweeper("sample", "nowhere.yaml").exception
    assert isinstance(missing, DefinitionError)


def test_a_scheduler_is_not_asked(sweeper, file):
    """Only it knows what it would draw."""
    text = "method: custom\nscheduler: {engine: optuna}\nmetric: {name: loss}\nparameters: {a: {values: [1, 2]}}"
    refused = sweeper("sample", file(text)).exception
    assert isinstance(refused, DefinitionError)
    assert "a scheduler of the file's own (optuna) draws" in refused.message


@pytest.mark.parametrize("args", [("-n", 0), ("-n", 1001), ("--seed", -1), ("--args", "--json")])
def test_a_command_line_that_is_none_is_a_usage_error(sweeper, file, args):
    """Exit code 2, before the file is read."""
    assert sweeper("sample", file("{"), *args).exit_code == 2
