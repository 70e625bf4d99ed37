"""What W&B accepts we accept, and what W&B reports we report: its own verdicts against ours.

`tests/data/wandb_configs.json` holds configs of ours, a line each, with the verdict of W&B's own schema: the PyPI
package `sweeps` 0.3.0, which wants numpy below 2 and so cannot stand in this environment. To renew the verdicts, run in
one of its own, for each config:

    sweeps.config.schema_violations_from_proposed_config(config)

An empty list is "accepts", violations are "reports", and an exception is "raises".
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
import yaml

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import DefinitionError

CASES = json.loads((Path(__file__).parents[2] / "data" / "wandb_configs.json").read_text())
VERDICTS = {case["name"]: case["wandb"] for case in CASES}

ONLY_WE_REPORT = {
    "parameter: mixed": "W&B's SDK refuses it as ambiguous before its schema sees it",
    "parameter: mixed with whole floats": "the SDK refuses it as well",
    "parameter: group with mixed limits": "the SDK does not look into groups, and 1 to 2.5 is as ambiguous there",
    "parameter: group with min above max": "W&B checks limits at the top alone, and then draws outside of them",
    "parameter: group with wrong probabilities": "W&B checks them at the top alone",
    "parameter: q without a multiple": "W&B draws 0 or 5 for 1 to 3; we stay inside, where there is nothing",
    "parameter: beta of 0": "SciPy has no beta distribution of 0: every draw is nan",
    "top: bayes with constants": "W&B's server refuses it (wandb#8290), its schema does not",
    "top: method bayes without metric": "W&B's engine fails when it looks for the metric",
    "top: method custom alone": "nobody would suggest anything",
    "top: grid over a continuum": "W&B's engine raises",
    "top: grid with probabilities": "W&B's engine raises",
    "top: metric name empty": "nothing can be logged under it",
    "top: hyperband without metric": "W&B's engine raises",
    "top: hyperband without rungs": "W&B's engine raises",
    "top: hyperband max_iter 0": "W&B's engine raises: there is no rung",
    "top: hyperband s 0": "W&B's engine raises: there is no rung",
    "top: hyperband s 2.5": "W&B's engine raises",
    "top: hyperband both, no s": "W&B's engine takes max_iter and misses s",
    "top: command unknown macro": "W&B's agent drops it silently",
    "top: command null": "W&B's agent passes the text None",
    "top: controller extra": "a typo in a key is a fault at any depth",
    "top: job and image_uri": "W&B Launch takes exactly one of them",
}
ONLY_WANDB_REPORTS = {
    "parameter: log_uniform": "deprecated, and right; `sweeper check` warns",
    "parameter: q_log_uniform": "deprecated, and right; `sweeper check` warns",
    "parameter: inv_log_uniform": "deprecated, and right; `sweeper check` warns",
    "top: settings": "`wandb sweep --settings` writes it itself",
    "top: launch": "W&B's Launch reads it",
    "top: sweeper": "our own key",
}


def accepted(config: object) -> bool:
    try:
        SweepDefinition.from_yaml(yaml.safe_dump(config))
    except DefinitionError:
        return False
    return True


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_our_verdict_is_that_of_wandb(case):
    """But where a reason is given above."""
    name, theirs = case["name"], case["wandb"] == "accepts"
    if name in ONLY_WE_REPORT:
        assert (accepted(case["config"]), theirs) == (False, True)
    elif name in ONLY_WANDB_REPORTS:
        assert (accepted(case["config"]), theirs) == (True, False)
    else:
        assert accepted(case["config"]) == theirs


def test_every_exception_is_one_of_the_configs():
    """A reason without a config would be a claim without a test."""
    assert (ONLY_WE_REPORT.keys() | ONLY_WANDB_REPORTS.keys()) <= VERDICTS.keys()


def test_verdicts_of_every_kind_are_known():
    """Enough of each to mean something."""
    assert len(VERDICTS) == len(CASES)
    assert Counter(VERDICTS.values()) == {"accepts": 79, "reports": 97, "raises": 5}
