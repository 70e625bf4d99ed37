"""What is given instead of a sweep file, and told in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweeper.definition import yaml_document
from sweeper.definition.mistaken_files import no_sweep, refuse
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import DefinitionError

SWEEP = "method: random\nparameters: {a: {value: 1}}\n"


@pytest.mark.parametrize(
    ("given", "found", "fix"),
    [
        ("train.py", "a Python file", "`program: train.py`"),
        ("walk.ipynb", "a notebook", "YAML file"),
        ("https://example.org/sweep.yaml", "an address", "download it"),
        ("configs", "a folder", "configs/bayes.yaml, configs/grid.yaml"),
        ("empty", "a folder", "path of a YAML file"),
        ("configs/bays.yaml", "No such file", "did you mean configs/bayes.yaml?"),
        ("nowhere/at_all.yaml", "No such file", "path of a YAML file"),
    ],
)
def test_what_is_no_sweep_file_is_refused_before_it_is_read(tmp_path, monkeypatch, given, found, fix):
    """With the file that was probably meant."""
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("configs").mkdir()
    for name in ("configs/bayes.yaml", "configs/grid.yaml", "train.py", "walk.ipynb"):
        Path(name).touch()
    refuse(Path("configs/grid.yaml"))
    with pytest.raises(DefinitionError, match=found) as caught:
        refuse(Path(given))
    assert fix in caught.value.hint


@pytest.mark.parametrize(
    ("text", "key", "found"),
    [
        ("sweep_config:\n  method: random\n  parameters: {a: {value: 1}}\n", "sweep_config", "below this key"),
        (
            "name: x\nwandb: {sweep: {method: grid, parameters: {a: {value: 1}}}}",
            "wandb.sweep",
            "below this key",
        ),
        ("wandb_version: 1\nlr: {desc: null, value: 0.1}\n", "", "config of a run"),
        ("_wandb: {value: {}}\nlr: {value: 0.1}\n", "", "config of a run"),
    ],
)
def test_a_file_that_is_no_sweep_as_a_whole_has_one_fault(text, key, found):
    """Not one for each of its keys."""
    fault = no_sweep(yaml_document.read(text, "my.yaml"))
    assert fault is not None
    assert (".".join(map(str, fault.path)), found in fault.message) == (key, True)
    with pytest.raises(DefinitionError) as caught:
        SweepDefinition.from_yaml(text)
    assert len(caught.value.faults) == 1


@pytest.mark.parametrize("text", [SWEEP, "parameters: {a: {value: 1}}", "run_cap: 3", "name: x", "job: {method: x}"])
def test_a_file_with_keys_of_a_sweep_is_judged_by_them(text):
    """A key that is missing is named as such."""
    assert no_sweep(yaml_document.read(text, "my.yaml")) is None


def test_a_program_s_sweep_is_told_of_its_keys_alone():
    """Which mistakes people make, only a person's file is asked."""
    with pytest.raises(DefinitionError, match="unknown key"):
        SweepDefinition.from_yaml("sweep: {method: grid, parameters: {a: {value: 1}}}", by_hand=False)
