"""Metrics that nobody logs, or that are logged in another way than under their name as a number."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.failures, pytest.mark.timeout(300)]

TOY = """
import wandb

def typo():
    with wandb.init() as run:
        run.log({"los": run.config.x, "epoch": 1})

def train():
    with wandb.init() as run:
        case = run.config.case
        if case == "summed up":
            run.define_metric("val/auc", summary="max")
        rows = {
            "summed up": [0.5, 0.9, 0.7], "plain": [0.5, 0.8, 0.7], "failed": [0.99],
            "text": ["0.99"], "bool": [True], "none": [None], "media": [wandb.Histogram([1, 2])],
        }.get(case, [])
        if case == "numpy":
            import numpy as np
            rows = [np.float32(0.25), np.array(0.75)]
        for row in rows:
            run.log({"val/auc": row})
        if case == "itself":
            run.log({"val/auc": 0.99, "val/auc.max": 0.1})
        if case == "nested":
            run.log({"val/auc": {"max": 0.2}})
        if case == "summary":
            run.summary["val/auc.max"] = 0.3
        if case == "failed":
            raise ValueError("too late")
"""
CASES = {
    "summed up": 0.9,
    "plain": 0.8,
    "numpy": 0.75,
    "itself": 0.1,
    "nested": 0.2,
    "summary": 0.3,
    "failed": 0.99,
    **dict.fromkeys(["text", "bool", "none", "media", "nothing"]),
}


def create(user, **definition) -> None:
    user.write("toy.py", TOY)
    user.run("create", user.write("sweep.json", json.dumps(definition)))


def test_a_launch_that_learns_from_a_metric_that_nobody_logs_ends(user):
    """After the third run, with what was logged and what was meant; with the option, or once mended, it goes on."""
    metric, space = {"name": "loss"}, {"x": {"min": 0.0, "max": 1.0}}
    create(user, method="bayes", metric=metric, parameters=space, run_cap=30)
    launched = user.run("launch", "--trainer", "toy:typo", "--workers", "1", code=1)
    status = user.status()
    (missing,) = status["missing_metrics"]
    told = f"run {status['runs'][0]['id']} never logged `loss`; it logged `los`, `epoch`: did you mean `los`?"
    assert (missing["message"], missing["meant"], missing["logged"]) == (told, "los", ["los", "epoch"])
    assert f"warning: {told}" in launched.stderr
    assert "the launch ended early: the first 3 runs finished without a value of `loss`" in launched.stderr
    assert told in user.run("status").stdout
    assert told in user.run("best", code=1).stderr
    assert 3 <= len(status["runs"]) < 10
    assert {run["reason"] for run in status["runs"]} == {"finished without a value of `loss`"}
    user.run("launch", "--trainer", "toy:typo", "--workers", "1", "--count", "4", "--without-metric")


def test_a_metric_is_read_in_one_way_everywhere(user):
    """However it was logged: `status`, `best`, `export` and the SDK agree, and no run that failed is the best."""
    metric, cases = {"name": "val/auc.max", "goal": "maximize"}, {"case": {"values": list(CASES)}}
    create(user, method="grid", metric=metric, parameters=cases)
    user.run("launch", "--trainer", "toy:train", "--workers", "2", code=1)
    status = user.status()
    runs = {run["params"]["case"]: run for run in status["runs"]}
    assert {case: run["best"] for case, run in runs.items()} == CASES
    assert status["best"]["params"] == {"case": "summed up"}
    assert status["missing_metrics"] == []
    assert runs["failed"]["state"] == "failed"
    lacking = {case for case, run in runs.items() if run["lacks"] == ["val/auc.max"]}
    assert lacking == {"text", "bool", "none", "media", "nothing"}
    assert all("finished without a value of" in runs[case]["reason"] for case in lacking)
    assert "val/auc.max 0.9" in user.run("best").stdout
    failed = json.loads(user.run("best", "--run", runs["failed"]["id"], "--json").stdout)
    assert failed["value"] == 0.99
