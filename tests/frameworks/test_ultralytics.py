"""Ultralytics with its own logging and the SDK's callback, as docs/frameworks.md shows it; nothing is downloaded."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.frameworks, pytest.mark.timeout(240)]

OFFLINE = {"YOLO_OFFLINE": "true"}
CURVES = ("Precision-Recall", "F1-Confidence", "Precision-Confidence", "Recall-Confidence")


def test_a_sweep_of_detectors(bench):
    """Losses, pictures, curves, tables of pictures and the best weights are with the run, and drawn on its page."""
    bench.type_in("Ultralytics", "shapes.py")
    bench.user.environ.pop("PYTEST_CURRENT_TEST", None)  # where it finds that, it logs nothing
    bench.user.environ.update(OFFLINE)
    sweep = bench.create("yolo.yaml")
    assert "stopped 1 run early" in bench.launch()
    good, bad = bench.runs(sweep)
    assert (good["state"], bad["state"]) == ("finished", "killed")
    assert (good["config"]["lr0"], good["config"]["imgsz"]) == (0.01, 32)
    assert len(good.logged("val/cls_loss")) == 2
    found = bench.page(good, "charts")
    assert {chart["name"] for chart in found["custom"]} == {f"curves/{name}(B)" for name in CURVES}
    drawn = bench.chart(good, "curves/F1-Confidence(B)")
    assert (drawn["kind"], [line["name"] for line in drawn["lines"]]) == ("lines", ["mean", "red", "green"])
    assert {"Train-Table", "Validation-Table"} <= {*found["tables"]}
    table = bench.page(good, "tables", key="Validation-Table")
    assert (table["columns"][3], [one["column"] for one in table["pictures"]]) == ("Image", [3] * 8)
    assert {"labels", "results", "confusion_matrix"} <= {picture["name"] for picture in found["media"]}
    models = [item for item in good["artifacts"] if item["type"] == "model"]
    assert [([*item["files"]], item["aliases"]) for item in models] == [(["best.pt"], ["best", "latest"])]
