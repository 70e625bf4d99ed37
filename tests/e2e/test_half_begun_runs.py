"""Trainers that end within `wandb.init`, when the server knows their run already: none of these runs has finished."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.failures, pytest.mark.timeout(300)]

TOY = """
import os, pathlib, signal, sys, time, wandb
from wandb.sdk.wandb_run import Run

own = Run._set_run_obj

def strike(run, answer):
    # the server has begun the run, and `wandb.run` is not set yet
    mark = pathlib.Path("mark-" + os.environ["WANDB_RUN_ID"])
    if mark.exists():
        return own(run, answer)
    mark.touch()
    case = pathlib.Path(os.environ["WANDB_SWEEP_PARAM_PATH"]).read_text().split("value: ")[1].split()[0]
    if case == "error":
        raise ValueError("no such model")
    if case == "exit":
        sys.exit(3)
    if case == "left":
        raise SystemExit(4)
    if case == "ctrl-c":
        raise KeyboardInterrupt
    if case == "signal":
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)
    if case == "stop":
        pathlib.Path("waits").write_text(os.environ["WANDB_RUN_ID"])
        while True:
            time.sleep(0.1)
    own(run, answer)

Run._set_run_obj = strike

def train():
    with wandb.init() as run:
        run.log({"loss": 1.0})

if __name__ == "__main__":
    train()
"""


def ends_of(user, program, cases, *options, code=1):
    """Launch a run for each case; give how each has ended: its state, its attempts, its rows."""
    user.write("toy.py", TOY)
    parameters = {"case": {"values": list(cases)}}
    definition = {"program": program, "method": "grid", "metric": {"name": "loss"}, "parameters": parameters}
    user.run("create", user.write("sweep.json", json.dumps(definition)))
    launch = user.start("launch", *options)
    if "stop" in cases:
        waits = user.folder / "waits"
        user.run("stop", "--run", user.wait(lambda: waits.is_file() and waits.read_text(), "a run within wandb.init"))
    stdout, stderr = launch.communicate(timeout=200)
    assert launch.returncode == code, stdout + stderr + user.logs()
    runs = user.status()["runs"]
    return {run["params"]["case"]: (run["state"], run["attempts"], run["iterations"]) for run in runs}


ENDS = {
    "well": ("finished", 1, 1),
    "error": ("failed", 1, 0),
    "exit": ("failed", 1, 0),
    "left": ("failed", 1, 0),
    "ctrl-c": ("failed", 1, 0),
}


@pytest.mark.parametrize("options", [[], ["--no-isolation"]], ids=["process per run", "one process"])
def test_a_function_that_ends_within_wandb_init_has_failed(user, options):
    """Whatever ends it: nothing of that is told as an end with exit code 0; a run that was told to stop has stopped."""
    found = ends_of(user, "toy:train", [*ENDS, "stop"], "--workers", "2", *options)
    assert found == {**ENDS, "stop": ("killed", 1, 0)}, user.logs()


def test_a_run_that_is_preempted_within_wandb_init_goes_on(user):
    """It is handed out again, as it would have been a moment later."""
    found = ends_of(user, "toy:train", ["well", "signal"], "--workers", "1", code=0)
    assert found == {"well": ("finished", 1, 1), "signal": ("finished", 1, 1)}, user.logs()


def test_a_script_that_ends_within_wandb_init_has_failed(user):
    """Its own SDK says so. One that dies of a signal is handed out again."""
    found = ends_of(user, "toy.py", ["well", "error", "exit", "ctrl-c", "signal"], "--workers", "2")
    died = dict.fromkeys(["ctrl-c", "signal"], ("finished", 1, 1))
    assert found == {**{case: ENDS[case] for case in ("well", "error", "exit")}, **died}, user.logs()
