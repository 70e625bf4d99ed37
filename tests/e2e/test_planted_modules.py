"""A folder of strangers, in which modules lie in wait under the names of those that sweeper and the SDK import."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.failures, pytest.mark.timeout(300)]

PLANTED = """
import os, sys
if sys.argv != ["mine"]:  # as it is where a trainer is imported, which is the folder's own
    with open(os.environ["SWEEPER_HOME"] + "/planted.txt", "a") as file:
        print(__name__, sys.argv, file=file)
"""
NAMES = (
    "abc anyio asyncio click filelock graphql httptools jinja2 json multiprocessing numpy optuna onnx pathlib pkgutil"
    " psutil pydantic pynvml pyarrow re2 requests rich scipy sitecustomize sklearn socket sqlite3 starlette sweeper"
    " sweeps torch trainer typer typing usercustomize uvicorn uvloop wandb yaml"
)
SWEEP = """
program: mine:train
method: grid
metric: {name: loss}
parameters: {lr: {values: [1, 2, 3]}}
"""
TRAINER = """
import helper
import wandb

def train():
    with wandb.init() as run:
        run.log({"loss": run.config.lr * helper.FACTOR})
"""


def test_what_lies_in_the_folder_runs_in_runs_alone(user):
    """No command, server, search, worker or command of the SDK imports it; the trainer and its kin are found."""
    for name in NAMES.split():
        user.write(f"{name}.py", PLANTED)
    user.write("mine.py", TRAINER)
    user.write("helper.py", "FACTOR = 10")
    user.write("sweep.yaml", SWEEP)
    user.sweeper = (user.sweeper[0], "-P", *user.sweeper[1:])  # as the console script, which has no folder on its path
    user.run("check", "sweep.yaml")
    user.run("create", "--elsewhere", "sweep.yaml")  # or the trainer is imported, which finds a wandb that is none
    user.run("launch", "--detach", "--count", "2")
    user.wait(lambda: [run["state"] for run in user.status()["runs"]] == ["finished"] * 2, "two runs", timeout_s=120)
    user.sweeper = (user.sweeper[0], *user.sweeper[2:])
    for name in ("pkgutil", "typing", "sweeper", "socket", "multiprocessing", "abc"):
        (user.folder / f"{name}.py").unlink()  # `python -m` imports some by itself, and finds `sweeper` here
    user.run("status", "--importance")
    user.run("pause")
    user.run("resume")
    planted = user.home / "planted.txt"
    assert sorted(run["last"] for run in user.status()["runs"]) == [10, 20]
    assert not planted.exists(), planted.read_text()
