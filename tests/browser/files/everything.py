"""A run outside sweeps that has all that a run page can show: media, tables, plots, histograms, files and artifacts."""

import math
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import torch
import wandb
from onnx import TensorProto, helper

PROJECT, RUN = "browser", "everything"
random = np.random.default_rng(1)


def model(folder):
    """A small net as ONNX."""
    shape = lambda name, *of: helper.make_tensor_value_info(name, TensorProto.FLOAT, of)  # noqa: E731
    weight = helper.make_tensor("weight", TensorProto.FLOAT, [4, 3], [0.1] * 12)
    nodes = [
        helper.make_node("MatMul", ["x", "weight"], ["y"], "dense"),
        helper.make_node("Relu", ["y"], ["z"], "relu"),
    ]
    graph = helper.make_graph(nodes, "net", [shape("x", 1, 4)], [shape("z", 1, 3)], [weight])
    onnx.save(helper.make_model(graph), folder / "model.onnx")
    return folder / "model.onnx"


def picture(step):
    """An image that changes from step to step."""
    return wandb.Image(np.full((24, 24, 3), 20 * step, dtype=np.uint8), caption=f"step {step}")


def area(x, y, title):
    """What `wandb.plot.pr_curve` and `roc_curve` log; they themselves want pandas."""
    rows = [
        [name, step / 10, (step / 10) ** power] for name, power in (("cat", 0.3), ("dog", 0.6)) for step in range(11)
    ]
    table = wandb.Table(data=rows, columns=["class", x, y])
    words = {"title": title, "x-axis-title": x, "y-axis-title": y}
    return wandb.plot_table("wandb/area-under-curve/v0", table, {"x": x, "y": y, "class": "class"}, words)


def charts():
    """One of every chart of `wandb.plot`, and what `wandb.sklearn` logs by `wandb.visualize`."""
    truth, guess = [0, 1, 2, 1, 0, 2, 1, 0], [0, 1, 2, 2, 0, 2, 1, 1]
    rows = wandb.Table(data=[[x, math.sin(x)] for x in range(20)], columns=["x", "y"])
    return {
        "plots/confusion": wandb.plot.confusion_matrix(y_true=truth, preds=guess, class_names=["cat", "dog", "bird"]),
        "plots/pr": area("recall", "precision", "Precision and recall"),
        "plots/roc": area("fpr", "tpr", "ROC"),
        "plots/line": wandb.plot.line(rows, "x", "y", title="a line"),
        "plots/scatter": wandb.plot.scatter(rows, "x", "y", title="points"),
        "plots/bar": wandb.plot.bar(
            wandb.Table(data=[["a", 1], ["b", 3]], columns=["label", "value"]), "label", "value"
        ),
        "plots/histogram": wandb.plot.histogram(
            wandb.Table(data=[[float(v)] for v in random.normal(size=50)], columns=["v"]), "v"
        ),
        "plots/series": wandb.plot.line_series([0, 1, 2], [[1, 2, 3], [3, 2, 1]], keys=["up", "down"], title="two"),
        "plots/elbow": wandb.visualize(
            "wandb/elbow/v1", wandb.Table(data=[[1, 9.0], [3, 2.0]], columns=["cluster_ranges", "errors"])
        ),
        "plots/heat": wandb.visualize(
            "wandb/heatmap/v1",
            wandb.Table(data=[["a", "u", -1], ["b", "u", 2], ["b", "v", 0]], columns=["x_axis", "y_axis", "values"]),
        ),
    }


def main():
    """Log it."""
    settings = wandb.Settings(x_stats_sampling_interval=0.3)
    config = {"learning_rate": 0.003, "layers": [16, 32], "optimizer": {"name": "adam", "betas": [0.9, 0.999]}}
    with wandb.init(
        project=PROJECT, id=RUN, name="everything", config=config, tags=["first"], settings=settings
    ) as run:
        data = wandb.Artifact("digits", "dataset", description="drawn by hand", metadata={"rows": 100})
        with data.new_file("rows.csv") as file:
            file.write("a,b\n1,2\n")
        run.log_artifact(data).wait()
        run.use_artifact("digits:latest")
        run.define_metric("val/*", step_metric="epoch")
        net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
        run.watch(net, log="all", log_freq=1)
        for step in range(6):
            loss = net(torch.randn(5, 4)).square().mean()
            loss.backward()
            run.log({"train/loss": loss.item(), "train/lr": 0.003 * 0.9**step, "spike": 100.0 if step == 3 else 1.0})
            run.log(
                {
                    "val/loss": 1 / (step + 1),
                    "val/accuracy": 1 - 1 / (step + 2),
                    "epoch": step,
                    "media/digit": picture(step),
                }
            )
            print(f"\x1b[36mstep {step}\x1b[0m \x1b[38;2;255;120;0mloss\x1b[0m {loss.item():.3f}")
        print("this went to stderr", file=sys.stderr)
        table = wandb.Table(columns=["name", "score"], data=[["first", 0.1], ["second", 0.9]])
        pictured = wandb.Table(columns=["name", "picture"], data=[["a", picture(3)]])
        run.log(
            {
                "tables/scores": table,
                "tables/pictured": pictured,
                "noise": wandb.Histogram(random.normal(size=200)),
                **charts(),
            }
        )
        run.alert("it is slow", "slower than the others", level=wandb.AlertLevel.WARN)
        folder = Path(run.dir)
        (folder / "notes").mkdir()
        (folder / "notes" / "read me.txt").write_text("what this run is about\n")
        (folder / "numbers.json").write_text('{"one": 1, "two": [2, 2]}')
        (folder / "table.csv").write_text("a,b\n1,2\n3,4\n")
        for path in (
            model(folder),
            folder / "notes" / "read me.txt",
            folder / "numbers.json",
            folder / "table.csv",
        ):
            run.save(path, base_path=folder, policy="now")
        trained = wandb.Artifact("net", "model", metadata={"accuracy": 0.9})
        trained.add_file(folder / "model.onnx")
        run.log_artifact(trained, aliases=["best", "candidate"]).wait()
        time.sleep(1)  # events of the system come in


main()
