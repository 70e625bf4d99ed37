"""One id used again: resumed, rewound, forked, overwritten, synced, deleted, shared. Runs with 0.29.0 and 0.31.0."""

import json
import os
import pathlib
import subprocess
import sys
import time

import wandb

PROJECT = "again"
found = {}


def read(run_id):
    """A run's state, config and rows."""
    run = wandb.Api().run(f"{PROJECT}/{run_id}")
    return [run.state, run.config.get("c"), [[row["_step"], row["a"]] for row in run.scan_history(keys=["a"])]]


def log(value, **how):
    """A run that logs one value and ends."""
    with wandb.init(project=PROJECT, **how) as run:
        run.log({"a": value})
        return run.id


with wandb.init(project=PROJECT, id="r", config={"c": 1}) as run:
    for step in range(5):
        run.log({"a": step})
log(5, id="r", resume="must")
log(6, id="r", resume="allow")
found["resumed"] = read("r")
log(9, resume_from="r?_step=2")
found["rewound"] = read("r")
log(8, id="f", fork_from="r?_step=1")
found["forked"] = read("f")
log(7, id="r", config={"c": 2})
found["overwritten"] = read("r")
log(1, id="auto", resume="auto")
found["new though resumable"] = read("auto")

try:
    with wandb.init(project=PROJECT, id="p") as run:
        run.mark_preempting()
        raise ValueError("the machine goes away")
except ValueError:
    found["preempted"] = read("p")

with wandb.init(project=PROJECT, id="o", mode="offline", config={"c": 3}) as run:
    run.log({"a": 1})
    folder = pathlib.Path(run.dir).parent
for _ in range(2):  # the same folder twice leaves the same run
    command = [sys.executable, "-m", "wandb", "sync", "--include-synced", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
found["synced"] = read("o")

parts = []
for value in range(3):
    with wandb.init(project=PROJECT, id="parts", resume="allow") as run:
        run.log({"a": value})
        parts.append(str(pathlib.Path(run.dir).parent))
parts = [parts[2], parts[0], parts[1]]
command = [sys.executable, "-m", "wandb", "beta", "sync", "--no-skip-online", "--id", "whole", *parts]
done = subprocess.run(command, capture_output=True, text=True)
assert done.returncode == 0, done.stderr
found["parts"] = read("whole")

run = wandb.init(project=PROJECT, id="d")
run.log({"a": 1})
deadline = time.monotonic() + 20
while wandb.Api().run(f"{PROJECT}/d").lastHistoryStep < 0 and time.monotonic() < deadline:
    time.sleep(0.2)
twice = wandb.Api().run(f"{PROJECT}/d")
twice.delete()
twice.delete()  # it is gone all the same
run.log({"a": 2})
run.finish()
found["deleted"] = [run.id for run in wandb.Api().runs(PROJECT, filters={"name": "d"})]

SHARED = """
import sys, wandb
settings = wandb.Settings(mode="shared", x_primary=False, x_label="second", x_update_finish_state=False)
with wandb.init(project="again", id="s", settings=settings) as run:
    for value in range(3):
        run.log({"b": value})
"""
with wandb.init(
    project=PROJECT, id="s", settings=wandb.Settings(mode="shared", x_primary=True, x_label="first")
) as run:
    for value in range(3):
        run.log({"a": value})
    alone = {name: value for name, value in os.environ.items() if name != "WANDB_SERVICE"}
    assert subprocess.run([sys.executable, "-c", SHARED], env=alone).returncode == 0
shared = wandb.Api().run(f"{PROJECT}/s")
rows = list(shared.scan_history())
found["shared"] = [
    shared.state,
    sorted(row["_step"] for row in rows),
    [row["a"] for row in rows if row.get("a") is not None],
    [row["b"] for row in rows if row.get("b") is not None],
    [shared.summary["a"], shared.summary["b"]],
]


def refused(**how):
    """What the SDK says of a run that cannot be."""
    try:
        wandb.init(project=PROJECT, **how).finish()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "no refusal"


found["refused"] = {  # last, for the SDK (0.31.0) keeps such an id as "in use"
    "never": refused(id="r", resume="never"),
    "must": refused(id="missing", resume="must"),
    "deleted": refused(id="d"),
}
print(json.dumps(found))
