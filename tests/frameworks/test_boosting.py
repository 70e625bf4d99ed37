"""XGBoost and LightGBM with the SDK's callbacks, as docs/frameworks.md shows them."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.frameworks, pytest.mark.timeout(240)]


def models(run):
    """The files and aliases of a run's models."""
    return [([*item["files"]], item["aliases"]) for item in run["artifacts"] if item["type"] == "model"]


def test_xgboost(bench):
    """The best value is in the summary, and the sweep goes by it; model and importances are with the run."""
    bench.type_in("XGBoost", "cells.py")
    sweep = bench.create("boost.yaml")
    assert "stopped 1 run early" in bench.launch()
    good, bad = bench.runs(sweep)
    assert (good["state"], bad["state"]) == ("finished", "killed")
    assert good["config"]["eta"] == 0.3
    losses = good.logged("val-logloss")
    assert [len(losses), len(good.logged("val-missed"))] == [30, 30]
    assert good["summary"]["val-logloss"] == {"min": min(losses)}
    assert 2 <= len(bad.logged("val-logloss")) < 30
    assert models(good) == [([f"{good['id']}_model.json"], ["latest"])]
    assert bench.user.status()["best"]["best"] == pytest.approx(min(losses))
    chart = bench.chart(good, "Feature Importance")
    assert (chart["kind"], chart["x"], max(chart["values"]) > 1) == ("bars", "Feature", True)


def test_xgboost_under_the_stock_agent(bench):
    """The same file, without `sweeper launch`."""
    bench.type_in("XGBoost", "cells.py")
    sweep = bench.create("boost.yaml")
    bench.agent(sweep)
    good, bad = bench.runs(sweep)
    assert (good["state"], bad["state"]) == ("finished", "killed")
    assert (len(good.logged("val-logloss")), len(bad.logged("val-logloss")) < 30) == (30, True)
    assert [name for name, _ in models(good)] == [[f"{good['id']}_model.json"]]


def test_lightgbm(bench):
    """The same of LightGBM, whose callback sends the swept parameter again."""
    bench.type_in("LightGBM", "cells.py")
    sweep = bench.create("light.yaml")
    assert "stopped 1 run early" in bench.launch()
    good, bad = bench.runs(sweep)
    assert (good["state"], bad["state"]) == ("finished", "killed")
    assert (good["config"]["learning_rate"], good["config"]["objective"]) == (0.3, "binary")
    losses = good.logged("val_binary_logloss")
    assert [len(losses), len(good.logged("val_missed"))] == [30, 30]
    assert good["summary"]["val_binary_logloss"] == {"min": min(losses)}
    assert good["summary"]["best_score"]["val"]["binary_logloss"] == losses[-1]
    assert 2 <= len(bad.logged("val_binary_logloss")) < 30
    assert models(good) == [(["model_ckpt_0.txt"], ["best", "latest"])]
    assert bench.chart(good, "Feature Importance")["kind"] == "bars"


def test_a_newcomers_metric_is_told_from_the_one_that_is_logged(bench):
    """Who writes `logloss` is told what the callback calls it, before a night has gone by."""
    bench.type_in("XGBoost", "cells.py")
    file = bench.user.folder / "boost.yaml"
    file.write_text(file.read_text().replace("val-logloss", "logloss").replace("0.3, 0.000001", "0.3"))
    bench.create("boost.yaml")
    said = bench.launch()
    assert "val-logloss" in said
