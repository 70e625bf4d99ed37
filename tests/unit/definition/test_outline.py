"""A sweep file in short."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from sweeper.definition.outline import Outline
from sweeper.definition.sweep_definition import SweepDefinition

PLAIN = """
name: mine
method: bayes
run_cap: 4
metric: {name: acc, goal: maximize, target: 0.9}
parameters: {lr: {min: 0.0, max: 1.0}, data: {value: digits}}
"""
SEVERAL = """
method: bayes
metrics: [{name: loss, goal: minimize}, {name: acc, goal: maximize}]
parameters: {lr: {min: 0.0, max: 1.0}}
"""
BARE = "method: grid\nparameters: {lr: {values: [1, 2]}}"


@pytest.mark.parametrize("text", [PLAIN, SEVERAL, BARE])
def test_an_outline_says_what_the_file_says(text):
    """In the same words, also after it has been on the wire."""
    definition = SweepDefinition.from_yaml(text)
    outline = Outline.from_json(json.loads(json.dumps(Outline.of(definition).to_json())))
    assert outline == Outline.of(definition)
    same = ("method", "goal", "several", "run_cap", "steered")
    assert [getattr(outline, name) for name in same] == [getattr(definition, name) for name in same]
    assert outline.searched == tuple(definition.space.searched)
    assert (outline.metric is None) == (definition.metric is None)
    assert [one.name for one in outline.objectives] == [metric.name for metric in definition.objectives]


def test_a_metric_has_its_target_and_several_their_goals():
    """What a status shows of them."""
    assert Outline.of(SweepDefinition.from_yaml(PLAIN)).metric.target == 0.9
    assert Outline.of(SweepDefinition.from_yaml(SEVERAL)).metrics == {"loss": "minimize", "acc": "maximize"}


def test_a_status_needs_no_models_of_the_file():
    """They take a quarter of a second to import, and the SDK, NumPy and the like even longer."""
    code = (
        "import sys, sweeper.cli.tables, sweeper.results.status_reader\n"
        "heavy = {'pydantic', 'wandb', 'numpy', 'scipy', 'optuna', 'sklearn'} & sys.modules.keys()\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
