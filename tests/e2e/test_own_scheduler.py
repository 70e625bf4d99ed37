"""A sweep with `scheduler: {engine: optuna}`: the SDK's own `wandb sweep-scheduler`, started by us and by hand."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(240)]

STUDY = """
import optuna

def study(sweep):
    return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))

def space(trial):
    return {"x": trial.suggest_float("x", -1, 2), "fixed": 7}
"""
TRAINER = """
import wandb

def train():
    with wandb.init() as run:
        run.log({"loss": run.config["x"] ** 2})
"""
SWEEP = """
method: custom
program: toy:train
metric: {name: loss, goal: minimize}
run_cap: 2
scheduler: {engine: optuna, source: study.py, optimizer: study, search_space: space}
"""


@pytest.fixture
def files(user):
    """A sweep, its study and its trainer in the user's folder."""
    user.write("study.py", STUDY)
    user.write("toy.py", TRAINER)
    return user.write("sweep.yaml", SWEEP)


def test_launch_starts_the_scheduler(user, files):
    """One command: the study proposes, workers run, and `run_cap` ends both, exactly."""
    user.run("create", files)
    assert "wandb sweep-scheduler" in user.run("status").stdout
    user.run("launch", "--workers", 2)
    status = user.status()
    assert (status["state"], status["counts"], status["method"]) == ("finished", {"finished": 2}, "custom")
    drawn = [run["params"]["x"] for run in status["runs"]]
    assert all(-1 <= x <= 2 for x in drawn)
    assert status["best"]["best"] == pytest.approx(min(x**2 for x in drawn))
    user.wait(user.only_the_server_is_left, "the scheduler's end")


def test_launch_says_why_the_scheduler_gave_up(user, files):
    """A study that cannot be made ends the launch, which names the fault; nobody waits for runs that never come."""
    user.write("study.py", STUDY.replace("return {", "return optuna.nonsense, {"))
    user.run("create", files)
    ended = user.run("launch", "--workers", 1, code=1)
    assert "the scheduler gave up" in ended.stderr
    assert "nonsense" in ended.stderr
    user.wait(user.only_the_server_is_left, "the scheduler's end")


def test_engine_without_its_package_is_named(user, files):
    """`engine: wandb` needs W&B's own package, and the launch says so before it starts anything."""
    files.write_text("method: random\nscheduler: {engine: wandb}\nparameters: {x: {min: 0.0, max: 1.0}}\n")
    user.run("create", files)
    refusal = user.run("launch", "--workers", 1, code=1).stderr
    assert "needs the package sweeps" in refusal


@pytest.mark.usefixtures("files")
def test_stock_scheduler_and_stock_agent(user):
    """`wandb.sweep`, `wandb sweep-scheduler` and `wandb.agent` of the unmodified SDK, with no command of ours."""
    sdk = user.serve()
    out = user.python(
        """
        import json, os, subprocess, sys, wandb, yaml
        sweep = wandb.sweep(yaml.safe_load(open("sweep.yaml")), project="p")
        env = {name: value for name, value in os.environ.items() if name != "WANDB_SERVICE"}
        command = [sys.executable, "-m", "wandb", "sweep-scheduler", "--poll-interval", "5", f"local/p/{sweep}"]
        scheduler = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        from toy import train
        wandb.agent(sweep, function=train, project="p")
        code = scheduler.wait(60)
        api = wandb.Api()
        found = api.sweep(f"p/{sweep}")
        print(json.dumps([code, found.state, [run.state for run in found.runs], len(api.runs("p"))]))
        """,
        **sdk,
    )
    assert json.loads(out.stdout.splitlines()[-1]) == [0, "FINISHED", ["finished"] * 2, 3]
