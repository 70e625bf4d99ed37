"""Hugging Face's Trainer and its hyperparameter_search, and Accelerate, as docs/frameworks.md shows them."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.frameworks, pytest.mark.timeout(400)]


def test_a_sweep_of_trainers(bench):
    """Its arguments are the config, its metrics the history; gradients, weights and the model at the end are there."""
    bench.type_in("Hugging Face Trainer", "tiny.py")
    sweep = bench.create("bert.yaml")
    assert "stopped 1 run early" in bench.launch()
    good, bad = bench.runs(sweep)
    assert (good["state"], bad["state"]) == ("finished", "killed")
    expected = {"learning_rate": 0.01, "num_train_epochs": 20, "hidden_size": 8, "model_type": "bert"}
    assert {key: good["config"][key] for key in expected} == expected
    assert [len(good.logged(key)) for key in ("train/loss", "eval/loss")] == [20, 20]
    assert good["summary"]["eval/loss"] == good.logged("eval/loss")[-1]
    assert good["summary"]["train_loss"] > 0
    assert 2 <= len(bad.logged("eval/loss")) < 20
    watched = "/bert.embeddings.word_embeddings.weight"
    assert {good.logged(kind + watched)[0]["_type"] for kind in ("gradients", "parameters")} == {"histogram"}
    base, final = sorted(good["artifacts"], key=lambda item: len(item["files"]))
    assert (base["aliases"], final["aliases"]) == (["base_model"], ["final_model", "latest"])
    assert final["type"] == "model"
    assert final["files"]["model.safetensors"] > 0


def test_a_search_of_its_own(bench):
    """It creates the sweep and works on it: a run for each trial, none beside them, the bad one stopped."""
    bench.type_in("Hugging Face hyperparameter_search", "tiny.py")
    bench.user.serve()
    assert "'learning_rate': 0.01" in bench.script("search.py")
    (sweep,) = bench.sweeps("search")
    assert bench.says("import wandb\nprint(len(wandb.Api().runs('search')))") == 2
    good, bad = bench.runs(sweep)
    assert (good["state"], bad["state"]) == ("finished", "killed")
    assert (good["config"]["learning_rate"], bad["config"]["learning_rate"]) == (0.01, 0.000001)
    assert len(good.logged("eval/loss")) == 20 > len(bad.logged("eval/loss"))


def test_a_sweep_with_accelerate(bench):
    """Its tracker is the sweep's run, and logs under the steps that it is told."""
    bench.type_in("Accelerate", "line.py")
    sweep = bench.create("acc.yaml")
    assert "stopped 1 run early" in bench.launch()
    good, bad = bench.runs(sweep)
    assert (good["state"], bad["state"]) == ("finished", "killed")
    assert [row["_step"] for row in good["rows"]] == list(range(30))
    assert 2 <= len(bad.logged("val_loss")) < 30
