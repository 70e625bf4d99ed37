"""Sweep files: what loads, and what it means."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from sweeper.definition.sweep_definition import SweepDefinition

SWEEPS = sorted((Path(__file__).parents[3] / "sweeps").glob("*.yaml"))
EVERYTHING = (Path(__file__).parents[2] / "data" / "everything.yaml").read_text()


@pytest.mark.parametrize("file", SWEEPS, ids=lambda file: file.name)
def test_every_shipped_sweep_loads(file):
    """The files in sweeps/ are valid, and say in three lines what they do, cost and how to run."""
    definition = SweepDefinition.from_file(file)
    head = [line for line in file.read_text().splitlines() if "yaml-language-server" not in line][:3]
    assert definition.metric is not None
    assert all(line.startswith("# ") for line in head)
    assert f"sweeper create sweeps/{file.name}" in "".join(head)


def test_the_shipped_sweeps_are_the_promised_five():
    """quickstart, random, grid, bayes and hyperband."""
    assert {file.stem for file in SWEEPS} == {"quickstart", "random", "grid", "bayes", "hyperband"}


def test_a_file_that_uses_everything_is_kept_word_for_word():
    """YAML to model to YAML to model is the identity: every key, every distribution, every extension."""
    definition = SweepDefinition.from_yaml(EVERYTHING)
    written = definition.to_dict()
    assert written == yaml.safe_load(EVERYTHING)
    assert SweepDefinition.from_yaml(yaml.safe_dump(written)) == definition
    assert SweepDefinition.model_validate(written) == definition


def test_the_file_that_uses_everything_does():
    """No key of the format is missing from it, but those that exclude another."""
    written = yaml.safe_load(EVERYTHING)
    exclude_others = {"scheduler", "metrics", "image_uri"}
    assert set(SweepDefinition.model_fields) - set(written) == exclude_others
    for key in ("metric", "early_terminate", "controller", "sweeper"):
        model = type(getattr(SweepDefinition.from_yaml(EVERYTHING), key))
        assert set(model.model_fields) - set(written[key]) <= {"max_iter", "s", "order", "early_terminate"}


def test_strict_is_written_out():
    """W&B's docs and engine disagree on its default, so a server is told which one was meant."""
    text = "method: random\nmetric: {name: a}\nparameters: {a: {value: 1}}\n"
    text += "early_terminate: {type: hyperband, min_iter: 2}"
    assert SweepDefinition.from_yaml(text).to_dict()["early_terminate"]["strict"] is True


def test_none_in_a_dict_is_a_key_left_out():
    """Python says None for nothing, a file says nothing: what goes to a server has no such key."""
    data = {"method": "random", "metric": {"name": "a"}, "parameters": {"a": {"value": None}}, "launch": {"b": None}}
    nothing = {"name": None, "run_cap": None, "early_terminate": None, "sweeper": {"seed": None, "run_name": None}}
    definition = SweepDefinition.model_validate({**data, **nothing, "metric": {"name": "a", "target": None}})
    assert definition.to_dict() == {**data, "sweeper": {}}
    assert definition.sweeper.used == []


OTHERS = {
    "a scheduler of Optuna's": {
        "method": "custom",
        "metrics": [{"name": "loss"}, {"name": "accuracy", "goal": "maximize", "target": 0.9}],
        "scheduler": {"engine": "optuna", "source": "a.py", "optimizer": "f", "search_space": "g"},
        "image_uri": "registry/image:1",
    },
    "a scheduler of W&B's": {
        "method": "bayes",
        "metric": {"name": "loss"},
        "parameters": {"a": {"values": [1, 2]}},
        "scheduler": {"engine": "wandb"},
    },
    "rungs from above": {
        "method": "random",
        "metric": {"name": "loss"},
        "parameters": {"a": {"values": [1, 2]}},
        "early_terminate": {"type": "hyperband", "max_iter": 27, "s": 2, "eta": 2.5, "strict": False},
    },
    "whole numbers with a point where W&B takes them": {
        "method": "random",
        "metric": {"name": "loss"},
        "parameters": {"a": {"values": [1, 2]}},
        "run_cap": 3.0,
        "early_terminate": {"type": "hyperband", "max_iter": 27, "s": 2.0, "strict": True},
    },
}


@pytest.mark.parametrize("data", OTHERS.values(), ids=OTHERS)
def test_what_excludes_the_rest_is_kept_too(data):
    """The keys that cannot stand in the file with everything."""
    definition = SweepDefinition.model_validate(data)
    assert definition.to_dict() == data
    assert SweepDefinition.from_yaml(yaml.safe_dump(data)) == definition


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("method: grid\nparameters: {a: {values: [1, 2, 3]}, b: {values: [x, y]}}", 6),
        ("method: grid\nrun_cap: 4\nparameters: {a: {values: [1, 2, 3]}, b: {values: [x, y]}}", 4),
        ("method: random\nparameters: {a: {min: 0.0, max: 1.0}}", None),
        ("method: random\nrun_cap: 7\nparameters: {a: {min: 0.0, max: 1.0}}", 7),
        ("method: grid\nparameters: {g: {parameters: {a: {values: [1, 2]}, b: {min: 1, max: 3}}}}", 6),
        ("method: custom\nscheduler: {engine: ax}\nparameters: {a: {values: [1, 2]}}", None),
    ],
)
def test_the_number_of_runs_is_known_before_the_first(text, expected):
    """It is the grid's size over nested parameters too, or run_cap, whichever is smaller."""
    assert SweepDefinition.from_yaml(text).expected_runs == expected


def test_ordinary_aliases_are_fine():
    """An anchor used twice is how people avoid writing things twice."""
    text = "method: grid\nparameters:\n  a: &two {values: [1, 2]}\n  b: *two\n"
    assert SweepDefinition.from_yaml(text).expected_runs == 4


def test_a_text_that_looks_like_a_number_is_a_name():
    """Only where a number can stand is `1e-5` a fault."""
    text = "method: random\nname: 1e-5\nproject: 3e6\nprogram: 1e-5\ncommand: [1e-5]\nparameters: {a: {value: 1}}"
    definition = SweepDefinition.from_yaml(text)
    assert (definition.name, definition.command) == ("1e-5", ["1e-5"])
