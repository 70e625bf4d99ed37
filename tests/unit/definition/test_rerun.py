"""How the best run is run again."""

from __future__ import annotations

import subprocess

import pytest

from sweeper.definition.rerun import direct_command, rerun_command, rerun_file
from sweeper.definition.sweep_definition import SweepDefinition
from tests.unit.results.report.conftest import HOSTILE, PLAIN

NESTED = SweepDefinition.from_yaml("""
method: bayes
program: train.py
metric: {name: acc, goal: maximize}
parameters:
  optimizer: {parameters: {lr: {min: 0.0, max: 1.0}, name: {values: [adam, sgd]}}}
  momentum: {min: 0.0, max: 1.0}
  kernels: {values: [[8, 16], [16, 32]]}
sweeper: {conditions: {momentum: {optimizer.name: sgd}}}
""")


@pytest.mark.parametrize(
    ("definition", "params"),
    [
        (PLAIN, {"lr": 0.00123456789, "kind": [1, 2], "epochs": 5}),
        (NESTED, {"optimizer.lr": 0.5, "optimizer.name": "adam", "kernels": [8, 16]}),
    ],
)
def test_the_file_is_a_sweep_of_that_configuration_alone(definition, params):
    """It has one run, with exactly these values: no digit is lost, and what was not active is not there."""
    again = SweepDefinition.from_yaml(rerun_file(definition, params, "again"))
    (found,) = again.space.grid()
    assert found == params
    assert again.space.nest(found) == definition.space.nest(params)
    assert again.metric.name == "acc"
    assert again.program == "train.py"


def test_the_command_makes_that_file_whatever_the_values_are(tmp_path):
    """Pasted into a shell it writes the file, byte for byte: no value is a command there."""
    text = rerun_file(PLAIN, {"lr": f"$(touch x) `touch y` {HOSTILE}\nEND\ntouch z", "kind": "END"}, "END\nEND_")
    command = rerun_command("rerun a.yaml", text + "END\n")
    assert command.endswith("sweeper create 'rerun a.yaml' && sweeper launch --count 1")
    subprocess.run(["sh", "-c", command.replace("sweeper ", "true ")], cwd=tmp_path, check=True)  # noqa: S607
    assert (tmp_path / "rerun a.yaml").read_text() == text + "END\n"
    assert [file.name for file in tmp_path.iterdir()] == ["rerun a.yaml"]


def test_a_script_can_be_started_without_a_sweep():
    """As W&B's agent starts it; where that is not plain to see, nothing is claimed."""
    assert direct_command(PLAIN, {"lr": 0.1, "kind": "a b"}) == "python train.py --lr=0.1 '--kind=a b'"
    assert direct_command(PLAIN, {"kind": [1, 2]}) == ""
    assert direct_command(PLAIN, {"kind": "a\u202eb"}) == ""
    assert direct_command(NESTED, {"optimizer.lr": 0.5}) == ""
    assert direct_command(SweepDefinition.from_yaml("method: grid\nparameters: {a: {values: [1]}}"), {"a": 1}) == ""
