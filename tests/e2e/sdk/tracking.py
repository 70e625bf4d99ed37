"""A run with everything odd in it, and everything wandb.Api() reads and changes of it. Runs with 0.29.0 and 0.31.0."""

import json
import math
import pathlib
import sys
import time

import numpy as np
import wandb

PROJECT, RUN = "prö jekt 🦊", "rün-1"
found = {}


def words(action):
    """What a refusal says."""
    try:
        return f"no refusal: {action()}"
    except Exception as error:
        return str(error)


with wandb.init(
    project=PROJECT,
    id=RUN,
    name="nàme",
    config={"λ": 1.5, "far": math.inf, "nan": math.nan},
    tags=["ä"],
    settings=wandb.Settings(
        x_stats_sampling_interval=0.2,
        **({"x_file_stream_no_gzip": False} if "x_file_stream_no_gzip" in wandb.Settings.model_fields else {}),
    ),
) as run:
    for step in range(5):
        run.log({"löss": 1 / (step + 1), "nan": math.nan, "inf": -math.inf, "deep": {"a": step}})
    run.log(
        {
            "image": wandb.Image(np.zeros((4, 4, 3), dtype=np.uint8)),
            "histogram": wandb.Histogram(np.arange(10)),
            "html": wandb.Html("<b>x</b>"),
            "table": wandb.Table(columns=["a"], data=[[1]]),
        }
    )
    print("hällo")
    print("to stderr", file=sys.stderr)
    run.summary["far"] = math.inf
    run.alert("it is slow", "very slow", level=wandb.AlertLevel.WARN)
    time.sleep(1.5)  # a system event comes in

api = wandb.Api()
read = api.run(f"{PROJECT}/{RUN}")
found["names"] = [read.id, read.name, read.project, read.entity, read.state, read.tags, read.user.username]
found["config"] = [read.config["λ"], read.config["far"] == math.inf, read.config["nan"]]
found["summary"] = [read.summary["löss"], read.summary["far"] == math.inf, math.isnan(read.summary["nan"])]
found["media"] = sorted(read.summary[key]["_type"] for key in ("image", "histogram", "html", "table"))
found["last step"] = read.lastHistoryStep
found["metadata"] = read.metadata["program"].endswith(".py")
found["files"] = sorted(file.name.split("/")[0] for file in read.files())
found["history"] = [row["löss"] for row in read.history(pandas=False) if "löss" in row]
found["samples"] = [row["löss"] for row in read.history(keys=["löss"], samples=3, pandas=False)]
found["odd numbers"] = read.history(keys=["nan", "inf"], pandas=False)[0]
found["scan"] = [row["löss"] for row in read.scan_history(keys=["löss"])]
found["scan part"] = [row["_step"] for row in read.scan_history(min_step=1, max_step=3)]
found["beta scan"] = [row["deep"]["a"] for row in read.beta_scan_history(page_size=2) if "deep" in row]
found["events"] = len(read.history(stream="events", pandas=False)) > 0
found["system metrics"] = any(name.startswith("system.") for name in read.system_metrics)
if hasattr(read, "console_logs"):  # 0.31
    logged = list(read.console_logs(per_page=1))
    found["console"] = [[line.number, line.level, line.content, line.timestamp is not None] for line in logged]
    found["tail"] = [line.content for line in read.console_logs(last=1)]

pathlib.Path("ü p.txt").write_text("up", encoding="utf-8")
read.upload_file("ü p.txt")
found["upload"] = read.file("ü p.txt").download(root="down", exist_ok=True).read()
read.file("ü p.txt").delete()
found["after deletion"] = [file.name for file in read.files() if "p.txt" in file.name]

read.config["new"] = 7
read.tags, read.notes, read.name = ["a", "b"], "nötes", "neu"
read.update()
read.summary["added"] = 3
read.summary.update()
again = wandb.Api().run(f"{PROJECT}/{RUN}")
found["update"] = [again.config["new"], again.config["λ"], again.tags, again.notes, again.name, again.summary["added"]]
again.wait_until_finished()

made = api.create_run(project=PROJECT, run_id="made")
made.update_state("failed")
found["made"] = wandb.Api().run(f"{PROJECT}/made").state
ids = lambda **how: [run.id for run in wandb.Api().runs(PROJECT, **how)]  # noqa: E731
found["runs"] = {
    "newest first": ids(order="-created_at"),
    "by tag": ids(filters={"tags": "a"}),
    "by config": ids(filters={"config.λ": {"$gt": 1}}),
    "by state": ids(filters={"$or": [{"state": "failed"}, {"state": "crashed"}]}),
    "with metric first": ids(order="+summary_metrics.löss"),
    "histories": wandb.Api().runs(PROJECT).histories(keys=["löss"], format="default")[0]["löss"],
}
wandb.Api().run(f"{PROJECT}/made").delete(delete_artifacts=True)
found["left"] = ids()
found["gone"] = words(lambda: wandb.Api().run(f"{PROJECT}/made"))

api.create_project("fresh", "")
found["projects"] = sorted(project.name for project in api.projects())
found["viewer"] = [api.viewer.username, api.viewer.entity, api.default_entity]
found["users"] = [api.user("local").username, api.user("nobody"), [user.username for user in api.users("loc")]]
found["lacking"] = {
    "members": [member.username for member in api.team("local").members],
    "empty": [list(found) for found in (api.automations(), api.automations("local"), api.integrations())],
    "team": words(lambda: api.team("nobody")),
    "organization": words(lambda: api.organization("nobody")),
    "queue": words(lambda: api.run_queue("local", "q").id),
}
if hasattr(api, "create_custom_chart"):
    chart = {"display_name": "C", "spec_type": "vega2", "access": "private", "spec": "{}"}
    found["chart"] = words(lambda: api.create_custom_chart(entity="local", name="c", **chart))
api.flush()
print(json.dumps(found))
