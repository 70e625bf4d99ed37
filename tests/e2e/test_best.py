"""`sweeper best`: the run with the best value ever logged, its files, and what is said when there is none."""

from __future__ import annotations

import json

import onnx
import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

TOY = """
import pathlib, wandb
from onnx import TensorProto, helper, save

def train():
    with wandb.init(config={"seed": 7}) as run:
        for value in {"early": [0.2, 0.9, 0.1], "steady": [0.5, 0.5, 0.5]}.get(run.config.kind, [0.3]):
            run.log({"score": value, "drawn": wandb.Histogram([value])})
        path = pathlib.Path(run.dir, "model.onnx")
        if run.config.kind == "none":
            return
        node = helper.make_node("Identity", ["x"], ["y"])
        values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 2]) for name in "xy"]
        save(helper.make_model(helper.make_graph([node], run.config.kind, values[:1], values[1:]), ir_version=10), path)
        if run.config.kind == "broken":
            path.write_bytes(path.read_bytes()[:20])
        run.save(path, base_path=path.parent, policy="now")
"""


def sweep(user, *kinds: str) -> str:
    """Create a grid of toy runs."""
    user.write("toy.py", TOY)
    text = f"""
    method: grid
    project: toys
    metric: {{name: score, goal: maximize}}
    parameters:
      kind: {{values: [{", ".join(kinds)}]}}
    """
    created: str = user.told("create", user.write("sweep.yaml", text))["sweep"]
    return created


@pytest.mark.long
def test_the_best_is_the_best_ever_logged_with_its_files(user):
    """A run that was better once beats one that ended better; its config, metrics and checked model are fetched."""
    name = sweep(user, "steady", "early")
    assert "no run of sweep" in user.error("best")["message"]
    user.run("launch", "--workers", "1", "--trainer", "toy:train")

    shown = user.run("best").stdout
    assert "score 0.9" in shown
    assert "kind=early" in shown
    assert "score 0.1" in shown  # its last

    (user.folder / "file").touch()
    failed = user.run("best", name, "--download", "file", code=1)
    assert "cannot write into file" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert "no sweep local/toys/nowhere0" in user.run("best", "local/toys/nowhere0", code=1).stderr

    said = user.told("best", name, "--download", "new/folder")
    assert (said["value"], said["metric"], said["config"]) == (0.9, "score", {"kind": "early", "seed": 7})
    folder = user.folder / "new" / "folder"
    assert sorted(file.name for file in folder.iterdir()) == ["config.json", "metrics.json", "model.onnx"]
    assert json.loads((folder / "config.json").read_text()) == {"kind": "early", "seed": 7}
    metrics = json.loads((folder / "metrics.json").read_text())
    assert (metrics["best"], metrics["summary"], metrics["run"]) == (0.9, {"score": 0.1}, said["run"])
    assert onnx.load(folder / "model.onnx").graph.name == "early"
    assert said["download"]["models"][0]["inputs"] == {"x": ["batch", 2]}
    assert "input x (batch, 2)" in user.run("best", name, "--download", folder).stdout


@pytest.mark.long
@pytest.mark.parametrize(("kind", "says"), [("none", "has no .onnx file"), ("broken", "is no model that works")])
def test_a_best_run_without_a_model_that_works_is_said(user, kind, says):
    """What is missing or broken, and where the rest lies; exit code 1."""
    sweep(user, kind)
    user.run("launch", "--workers", "1", "--trainer", "toy:train")
    failed = user.run("best", "--download", "out", code=1)
    assert says in failed.stderr
    assert "Traceback" not in failed.stderr
    assert (user.folder / "out" / "config.json").exists()
