"""Keras with the SDK's callbacks, as docs/frameworks.md shows it."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.frameworks, pytest.mark.timeout(240)]


def test_a_sweep_of_nets(bench):
    """Metrics over their epoch, a model of each epoch, and tables of pictures with what the net took them for."""
    bench.type_in("Keras", "digits.py")
    sweep = bench.create("keras.yaml")
    assert "stopped 1 run early" in bench.launch()
    good, bad = bench.runs(sweep)
    assert (good["state"], bad["state"]) == ("finished", "killed")
    assert good["config"] == {"learning_rate": 0.1, "epochs": 20}
    assert good.logged("epoch/epoch") == [*range(20)]
    assert [len(good.logged(f"epoch/{key}")) for key in ("loss", "val_loss", "accuracy", "learning_rate")] == [20] * 4
    assert good["summary"]["epoch/val_loss"] == good.logged("epoch/val_loss")[-1] < 1
    assert 1 <= len(bad.logged("epoch/val_loss")) < 20
    axes = {key["name"]: key["axis"] for key in bench.page(good, "charts")["keys"]}
    assert axes["epoch/val_loss"] == "epoch/epoch"
    models = [item for item in good["artifacts"] if item["type"] == "model"]
    assert [[*item["files"]] for item in models] == [["model.keras"]] * 20
    assert sorted(models[-1]["aliases"]) == ["epoch_19", "latest"]
    tables = [item for item in good["artifacts"] if item["type"] == "evaluation"]
    assert len(tables) == 20
    assert "eval_data.table.json" in tables[0]["files"]
