"""The shipped sweep files ask for what the trainer knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from trainer.config import TrainConfig

SWEEPS = sorted((Path(__file__).parents[3] / "sweeps").glob("*.yaml"))


def test_all_five_are_shipped() -> None:
    """There is one file for each way to search, and one to start with."""
    assert [path.stem for path in SWEEPS] == ["bayes", "grid", "hyperband", "quickstart", "random"]


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_every_value_is_one_the_trainer_takes(path: Path) -> None:
    """Each end of each range, and each listed value, is valid, and a number is a number to YAML (1e-4 is text)."""
    for name, parameter in yaml.safe_load(path.read_text())["parameters"].items():
        for value in _values(parameter):
            config = TrainConfig.from_wandb({name: value}).model_dump(mode="json")
            assert config[name] == value


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_head_says_what_cost_and_how(path: Path) -> None:
    """Three comment lines open the file; the last holds the two commands with the file's own name."""
    lines = path.read_text().splitlines()
    assert all(line.startswith("#") for line in lines[:3])
    assert lines[0].startswith("# Searches ")
    assert lines[1].startswith("# Costs ")
    assert f"sweeper create sweeps/{path.name} && sweeper launch --count " in lines[2]


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_runs_on_a_sealed_machine(path: Path) -> None:
    """Every file uses the shipped digits and maximizes what the trainer logs of images it did not learn from."""
    sweep = yaml.safe_load(path.read_text())
    assert sweep["parameters"]["dataset"] == {"value": "digits"}
    assert sweep["metric"] == {"name": "val_accuracy", "goal": "maximize"}
    assert sweep["program"] == "trainer/train.py"


def test_random_searches_every_knob() -> None:
    """A new knob joins the file that shows them all; left out is what does not change the net."""
    sweep = yaml.safe_load(next(path for path in SWEEPS if path.stem == "random").read_text())
    assert set(TrainConfig.model_fields) - set(sweep["parameters"]) == {"architecture", "classes", "keep", "watch"}


def _values(parameter: dict[str, Any]) -> list[Any]:
    return parameter.get("values") or [parameter[key] for key in ("value", "min", "max") if key in parameter]
