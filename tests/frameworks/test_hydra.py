"""Hydra with overrides from `${args_no_hyphens}`, as docs/frameworks.md shows it."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.frameworks, pytest.mark.timeout(240)]


@pytest.mark.parametrize("who", ["launch", "agent"])
def test_a_sweep_of_overrides(bench, who):
    """Each run trained with its own override, by `sweeper launch` and by the SDK's agent; the bad one ended early."""
    bench.type_in("Hydra", "fit.py")
    sweep = bench.create("hydra.yaml")
    if who == "launch":
        assert "stopped 1 run early" in bench.launch()
    else:
        bench.agent(sweep)
    good, bad = bench.runs(sweep)
    assert (good["state"], bad["state"]) == ("finished", "killed")
    assert good["config"]["optimizer"] == {"name": "sgd", "lr": 0.3}
    assert (good["config"]["optimizer.lr"], good["config"]["epochs"]) == (0.3, 30)
    assert bad["config"]["optimizer"]["lr"] == 0.000001
    losses = good.logged("loss")
    assert (len(losses), losses[0]) == (30, pytest.approx(0.16))
    assert 1 <= len(bad.logged("loss")) < 30
