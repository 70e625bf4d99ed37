"""PyTorch Lightning's WandbLogger, as docs/frameworks.md shows it."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.frameworks, pytest.mark.timeout(400)]


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


def test_two_processes_are_one_run(bench):
    """The first process logs, once, what both came to; a stop by the SDK's own agent ends both."""
    bench.type_in("PyTorch Lightning, several processes", "net.py")
    sweep = bench.create("ddp.yaml")
    bench.agent(sweep)
    good, bad = bench.runs(sweep)
    assert (good["state"], bad["state"]) == ("finished", "killed")
    assert (good["config"]["learning_rate"], len(good.logged("val/loss"))) == (0.1, 30)
    assert 2 <= len(bad.logged("val/loss")) < 30
    assert bench.user.processes("ddp.py") == []


def test_a_function_forks_its_processes(bench):
    """They see the run that was begun before, and the first one logs into it."""
    bench.type_in("PyTorch Lightning", "net.py")
    fork = 'accelerator="cpu", devices=2, strategy="ddp_fork", logger=logger, '
    file = bench.user.folder / "lit.py"
    file.write_text(
        file.read_text()
        .replace("logger=logger, ", fork)
        .replace('        logger.watch(net, log="all", log_freq=10)\n', "")
    )
    sweep = bench.create("lit.yaml")
    bench.launch("--count", "1")
    (run,) = bench.runs(sweep)
    assert (run["state"], len(run.logged("val/loss")), len(run["artifacts"])) == ("finished", 30, 30)
