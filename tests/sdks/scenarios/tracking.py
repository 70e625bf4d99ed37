"""A run with something of everything in it, as `wandb.Api()` reads it. Its argument: where PyTorch lies."""

import json
import math
import pathlib
import sys

import numpy as np
import wandb

found = {}
with wandb.init(project="p", name="first", tags=["a"], config={"x": 1, "deep": {"y": [1, 2]}}, notes="said") as run:
    if sys.argv[1:]:
        sys.path.append(sys.argv[1])
        import torch

        model = torch.nn.Linear(4, 1)
        wandb.watch(model, log="all", log_freq=1)
    for step in range(5):
        if sys.argv[1:]:
            model(torch.ones(8, 4)).mean().backward()
        run.log({"loss": 1 / (step + 1), "nan": math.nan, "deep": {"a": step}})
    run.log(
        {
            "image": wandb.Image(np.zeros((4, 4, 3), dtype=np.uint8)),
            "histogram": wandb.Histogram(np.arange(10)),
            "html": wandb.Html("<b>x</b>"),
            "table": wandb.Table(columns=["a", "b"], data=[[1, "one"], [2, "two"]]),
            "chart": wandb.plot.line(wandb.Table(columns=["x", "y"], data=[[1, 2], [2, 3]]), "x", "y", title="t"),
        }
    )
    print("hello from", run.id)
    run.summary["kept"] = 3
    run.config.update({"later": True})
    pathlib.Path(run.dir, "model.txt").write_text("weights")
    run.save(str(pathlib.Path(run.dir, "model.txt")), base_path=run.dir, policy="now")

read = wandb.Api().run(f"p/{run.id}")
files = sorted(file.name for file in read.files())
rows = list(read.scan_history())
print(
    json.dumps(
        {
            "about": [read.state, read.name, read.tags, read.notes, read.config],
            "summary": [read.summary["loss"], read.summary["kept"]],
            "types": sorted(read.summary[key]["_type"] for key in ("image", "histogram", "html", "table")),
            "rows": [row["loss"] for row in rows if row.get("loss") is not None],
            "watched": sorted({key.split("/")[0] for row in rows for key in row if key.endswith("weight")}),
            "files": [name for name in files if "/" not in name],
            "media": sorted({name.split("/")[1] for name in files if name.startswith("media/")}),
            "saved": read.file("model.txt").download(root="down").read(),
            "console": "hello from" in read.file("output.log").download(root="down").read(),
        }
    )
)
