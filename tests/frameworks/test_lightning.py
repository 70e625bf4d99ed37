"""PyTorch Lightning's WandbLogger, as docs/frameworks.md shows it."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.frameworks, pytest.mark.timeout(240)]


def test_a_sweep_of_nets(bench):
    """Metrics, gradients and a checkpoint of each epoch are with the run; the bad one ended early."""
    bench.type_in("PyTorch Lightning", "net.py")
    sweep = bench.create("lit.yaml")
    assert "stopped 1 run early" in bench.launch()
    good, bad = bench.runs(sweep)
    assert (good["state"], bad["state"]) == ("finished", "killed")
    assert good["config"] == {"learning_rate": 0.1, "epochs": 30}
    assert [len(good.logged(key)) for key in ("train/loss", "val/loss")] == [30, 30]
    assert good["summary"]["val/loss"] == good.logged("val/loss")[-1] < 1e-3
    assert 2 <= len(bad.logged("val/loss")) < 30
    assert good.logged("gradients/layer.weight")[0]["_type"] == "histogram"
    assert good["summary"]["graph_0"]["_type"] == "graph-file"
    models = [item for item in good["artifacts"] if item["type"] == "model"]
    assert [sorted(item["files"]) for item in models] == [["model.ckpt"]] * 30
    assert [item["aliases"] for item in models if item["aliases"]] == [["best", "latest"]]
