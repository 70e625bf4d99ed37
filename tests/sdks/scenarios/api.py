"""What `wandb.Api()` reads and changes of runs: filters, orders, histories, files, and every field that is set."""

import json
import math
import pathlib

import wandb

for n in range(3):
    with wandb.init(project="p", id=f"r{n}", config={"n": n}, tags=["even"] if n % 2 == 0 else ["odd"]) as run:
        for step in range(10):
            run.log({"loss": n + step, "nan": math.nan})
try:
    with wandb.init(project="p", id="failed"):
        raise ValueError("no")
except ValueError:
    pass

api = wandb.Api()


def ids(**how):
    """The runs that fit."""
    return [run.id for run in wandb.Api().runs("p", **how)]


read = api.run("p/r2")
found = {
    "states": {run.id: run.state for run in api.runs("p")},
    "filters": {
        "config": ids(filters={"config.n": {"$gt": 0}}, order="+created_at"),
        "state": ids(filters={"state": "failed"}),
        "tags": ids(filters={"tags": "even"}, order="+created_at"),
        "metric": ids(filters={"summary_metrics.loss": {"$lt": 10.5}}, order="-summary_metrics.loss"),
        "or": ids(filters={"$or": [{"config.n": 0}, {"state": "failed"}]}, order="+created_at"),
    },
    "order": ids(order="-created_at"),
    "history": [row["loss"] for row in read.history(pandas=False)],
    "samples": len(read.history(samples=4, keys=["loss"], pandas=False)),
    "scan": [row["loss"] for row in read.scan_history(keys=["loss"], min_step=2, max_step=5)],
    "pages": [row["loss"] for row in read.scan_history(keys=["loss"], page_size=3)],
    "whole": [row["loss"] for row in read.scan_history(page_size=3)],
    "beta": [row["loss"] for row in read.beta_scan_history(keys=["loss"])]
    if hasattr(read, "beta_scan_history")
    else None,
    "system": all(isinstance(row, dict) for row in read.history(stream="system", pandas=False)),
    "last": read.lastHistoryStep,
    "viewer": api.viewer.username if hasattr(api.viewer, "username") else None,
    "projects": [project.name for project in api.projects("local")],
    "path": read.path,
}
runs = api.runs("p", filters={"config.n": {"$gt": 0}}, order="+created_at")
if hasattr(runs, "histories"):
    found["histories"] = [[row["run_id"], row["loss"]] for row in runs.histories(samples=2, keys=["loss"])]
if hasattr(read, "download_history_exports"):
    exports = read.download_history_exports("exports", require_complete_history=False)
    found["exports"] = [len(exports.paths), exports.contains_live_data]
pathlib.Path("up.txt").write_text("up")
read.upload_file("up.txt")
found["uploaded"] = read.file("up.txt").download(root="down", replace=True).read()
read.file("up.txt").delete()
found["files"] = [file.name for file in read.files() if file.name == "up.txt"]
read.config["new"] = 7
read.tags = [*read.tags, "b"]
read.notes = "said"
read.name = "renamed"
read.update()
read.summary["added"] = 3
read.summary.update()
again = wandb.Api().run("p/r2")
found["changed"] = [again.config, sorted(again.tags), again.notes, again.name, again.summary["added"]]
api.run("p/r1").delete()
found["left"] = ids(order="+created_at")
try:
    found["gone"] = wandb.Api().run("p/r1").state
except Exception as error:
    found["gone"] = str(error)
print(json.dumps(found))
