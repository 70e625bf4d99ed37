"""Runs and their wandb-cores killed (-9) at random moments: every history is whole, or its run says that it is not."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import time

import psutil
import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.chaos, pytest.mark.timeout(400)]

EPOCHS = 25
KEEPS = """
import json, os, time
from pathlib import Path
import wandb

def train():
    file = Path(os.environ["SWEEPER_CHECKPOINT_DIR"]) / "epoch.json"
    with wandb.init() as run:
        epoch = json.loads(file.read_text()) if file.exists() else 0
        while epoch < 25:
            time.sleep(0.3)
            epoch += 1
            run.log({"loss": 1 / epoch, "epoch": epoch})
            file.with_suffix(".draft").write_text(json.dumps(epoch))
            file.with_suffix(".draft").replace(file)

if __name__ == "__main__":
    train()
"""
"""It goes on from its checkpoint and knows no rule of rows: those that were not sent are its launch's to deliver."""
GRID = "method: grid\nmetric: {name: loss, goal: minimize}\nparameters: {x: {values: [1, 2, 3, 4, 5, 6]}}\n"
SEED = 20
READ = """
import json, wandb
runs = wandb.Api().sweep({sweep!r}).runs
print(json.dumps([[run.id, [row["epoch"] for row in run.scan_history(keys=["epoch"])]] for run in runs]))
"""


def _kill_now_and_then(launch: subprocess.Popen, dice: random.Random, seconds: float) -> int:
    """Kill a run's process or its wandb-core, again and again; tell how many."""
    killed, until = 0, time.monotonic() + seconds
    while time.monotonic() < until and launch.poll() is None:
        time.sleep(dice.uniform(0.5, 2.0))
        with contextlib.suppress(psutil.Error):
            found = psutil.Process(launch.pid).children(recursive=True)
            cores = [process for process in found if process.name().startswith("wandb-")]
            if cores:
                core = dice.choice(cores)
                # a run's process is its core's parent; the launch and what forks for it own none that matters here
                victim = core if dice.random() < 0.6 or core.ppid() == launch.pid else psutil.Process(core.ppid())
                victim.kill()
                killed += 1
    return killed


@pytest.mark.parametrize(
    ("program", "options", "with_launch"),
    [("keeps:train", [], False), ("keeps:train", ["--no-isolation"], False), ("keeps.py", [], True)],
)
def test_every_history_is_whole_or_says_that_it_is_not(user, program, options, with_launch):
    """Functions and a script end finished, in their launch or, killed with it, in the next: each row once, or a gap."""
    user.write("keeps.py", KEEPS)
    user.write("sweep.yaml", f"program: {program}\n{GRID}")
    sweep = user.told("create", "sweep.yaml")["sweep"]
    launch = user.start("launch", "--workers", "2", "--retries", "50", *options)
    user.wait(lambda: user.status()["runs"], "the first run")
    killed = _kill_now_and_then(launch, random.Random(SEED), 15.0)
    assert killed
    if with_launch:  # the next one delivers what its runs left
        launch.kill()
        launch.communicate(timeout=60)
        user.run("launch", "--workers", "2", "--retries", "50")
    else:
        said, _ = launch.communicate(timeout=300)
        assert launch.returncode == 0, said
    told = {run["id"]: run for run in user.status()["runs"]}
    assert [run["state"] for run in told.values()] == ["finished"] * 6
    histories = json.loads(user.python(READ.format(sweep=sweep), **user.sdk()).stdout)
    for run, epochs in histories:
        whole = epochs == [*range(1, EPOCHS + 1)]
        assert epochs == sorted(set(epochs))  # nothing twice, and in order
        assert bool(told[run]["gap"]) is not whole, (run, epochs, told[run]["gap"])
