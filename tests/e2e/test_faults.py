"""What goes wrong in a sweep: failing runs, dying processes, Ctrl-C, a server that is killed."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

TOY = """
import os, signal, time, wandb

def train():
    with wandb.init() as run:
        run.log({"loss": float(run.config.x)})
        if run.config.x == 2:
            raise ValueError("x must not be 2")
        if run.config.x == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(float(os.environ.get("TAKES_S", 0)))
        run.log({"loss": 0.5})

def slow():
    with wandb.init() as run:
        for step in range(600):
            run.log({"loss": float(step)})
            time.sleep(0.1)

def stubborn():
    with wandb.init() as run:
        run.log({"loss": 5.0})
        while True:
            try:
                time.sleep(1)
            except BaseException:
                pass

def until_go():
    with wandb.init() as run:
        while not os.path.exists("go"):
            run.log({"loss": 1.0})
            time.sleep(0.1)
        run.log({"loss": 99.0})

def ladder():
    with wandb.init() as run:
        for step in range(600 if run.config.x else 20):
            run.log({"loss": float(run.config.x) if run.config.x < 2 else float("nan")})
            time.sleep(0.1)
"""
SWEEP = """
method: grid
metric: {name: loss, goal: minimize}
parameters:
  x: {values: [1, 2, 3, 4]}
"""


@pytest.fixture
def sweep(user):
    """A registered grid of four."""
    user.write("toy.py", TOY)
    user.run("create", user.write("sweep.yaml", SWEEP))
    return user


@pytest.mark.chaos
def test_a_failed_and_a_killed_run_cost_one_run_each(sweep):
    """The other runs finish, each failure has its cause and its log, and the exit code says it."""
    launched = sweep.run("launch", "--trainer", "toy:train", "--count", "4", code=1)
    runs = {run["params"]["x"]: run for run in sweep.status()["runs"]}
    assert [runs[x]["state"] for x in (1, 2, 4)] == ["finished", "failed", "finished"]
    assert runs[2]["reason"] == "ValueError: x must not be 2"
    assert "SIGKILL" in runs[3]["reason"]
    assert "x must not be 2" in "".join(launched.stdout.split("\n"))
    assert "ValueError" in Path(runs[2]["log"]).read_text()


def launch_and_wait(user, trainer: str, *args: str) -> subprocess.Popen[str]:
    """Start a launch and wait until its first run has logged what the server knows."""
    launch = user.start("launch", "--trainer", f"toy:{trainer}", "--workers", "1", *args)
    user.wait(lambda: [run for run in user.status()["runs"] if run["last"]], "a run that logs")
    return launch


def test_ctrl_c_ends_runs_gently(sweep):
    """SIGINT: exit 130, runs wait for the next launch with all they logged, and no process but the server is left."""
    launch = launch_and_wait(sweep, "slow")
    launch.send_signal(signal.SIGINT)
    stdout, stderr = launch.communicate(timeout=60)
    assert launch.returncode == 130, stderr
    assert "Ctrl-C again kills" in stderr
    assert "next: sweeper launch" in stdout
    run = sweep.status()["runs"][0]
    assert run["state"] == "preempted"
    assert "interrupted" in run["reason"]
    sweep.wait(sweep.only_the_server_is_left, "all but the server to end", 10)


@pytest.mark.chaos
def test_a_second_ctrl_c_kills(sweep):
    """A run that ignores the first SIGINT dies of the second one, and nothing is left."""
    launch = launch_and_wait(sweep, "stubborn", "--grace", "300")
    launch.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        launch.wait(timeout=8)
    launch.send_signal(signal.SIGINT)
    launch.communicate(timeout=60)
    assert launch.returncode == 130
    sweep.wait(sweep.only_the_server_is_left, "all but the server to end", 10)


@pytest.mark.chaos
def test_a_run_that_outlasts_its_grace_is_killed(sweep):
    """One SIGINT is enough even for a run that ignores it."""
    launch = launch_and_wait(sweep, "stubborn", "--grace", "2")
    launch.send_signal(signal.SIGINT)
    launch.communicate(timeout=60)
    assert launch.returncode == 130
    sweep.wait(sweep.only_the_server_is_left, "all but the server to end", 10)


@pytest.mark.chaos
def test_nothing_outlives_a_killed_launcher(sweep):
    """SIGKILL of the launcher takes workers and runs with it."""
    launch = launch_and_wait(sweep, "slow")
    launch.kill()
    sweep.wait(sweep.only_the_server_is_left, "all but the server to end", 10)


@pytest.mark.long
def test_hyperband_stops_a_bad_run_with_its_reason(user):
    """A run that is worse at the first rung, and one that logs only NaN, are stopped; `status` says why."""
    user.write("toy.py", TOY)
    text = SWEEP.replace("[1, 2, 3, 4]", "[0, 1, 2]") + "early_terminate: {type: hyperband, min_iter: 5}\n"
    user.run("create", user.write("sweep.yaml", text))
    user.run("launch", "--trainer", "toy:ladder", "--workers", "1")
    good, bad, numberless = user.status()["runs"]
    assert good["state"] == "finished"
    assert numberless["state"] == "killed"
    assert "never a finite number" in numberless["reason"]
    assert bad["state"] == "killed"
    assert bad["reason"].startswith("hyperband rung 5: loss 1 > 0")
    assert (bad["stop"]["rung"], bad["stop"]["value"], bad["stop"]["threshold"], bad["stop"]["n"]) == (5, 1, 0, 2)
    status = user.status()
    assert status["stopped_early"] == 2
    assert status["saved_s"] >= 0
    assert "importance: 2 runs with a value are too few" in user.run("status", "--importance").stdout
    assert bad["duration_s"] < 40


@pytest.mark.long
@pytest.mark.parametrize("rule", ["{type: asha, min_iter: 5, eta: 2}", "{type: median, warm_up: 4, min_runs: 1}"])
def test_rules_beyond_wandbs_stop_a_bad_run(user, rule):
    """`asha` and `median` end a run that the stock agent is training, with rule, rung and threshold on record."""
    user.write("toy.py", TOY)
    text = SWEEP.replace("[1, 2, 3, 4]", "[0, 1]") + f"sweeper: {{early_terminate: {rule}}}\n"
    user.run("create", user.write("sweep.yaml", text))
    user.run("launch", "--trainer", "toy:ladder", "--workers", "1")
    good, bad = user.status()["runs"]
    assert (good["state"], bad["state"]) == ("finished", "killed")
    stop = bad["stop"]
    assert (stop["rule"], stop["value"], stop["threshold"], stop["n"]) == (rule[7:].split(",")[0], 1, 0, 2)
    assert stop["rung"] >= 5


@pytest.mark.long
def test_a_sweep_is_paused_resumed_and_canceled(sweep):
    """Paused, no run is given out; resumed, it goes on; canceled, the running run is killed and the launch ends."""
    sweep.run("launch", "--trainer", "toy:train", "--count", "1")
    sweep.run("pause")
    assert sweep.status()["state"] == "paused"
    launch = sweep.start("launch", "--trainer", "toy:slow", "--workers", "1")
    with pytest.raises(AssertionError, match="waited"):
        sweep.wait(lambda: len(sweep.status()["runs"]) > 1, "a run while paused", 12)
    sweep.run("resume")
    sweep.wait(lambda: len(sweep.status()["runs"]) == 2, "a run after resume")
    sweep.wait(lambda: sweep.status()["runs"][1]["state"] == "running", "it to run")
    sweep.run("cancel")
    launch.communicate(timeout=60)
    status = sweep.status()
    assert status["state"] == "canceled"
    assert status["runs"][1]["state"] == "killed"
    assert "canceled" in sweep.run("launch", "--trainer", "toy:train", code=1).stderr


def test_a_stopped_sweep_finishes_its_runs_and_starts_none(sweep):
    """`sweeper stop` lets the running run end; the launch ends with it."""
    launch = launch_and_wait(sweep, "until_go")
    sweep.run("stop")
    sweep.write("go", "")
    _, stderr = launch.communicate(timeout=60)
    assert launch.returncode == 0, stderr
    status = sweep.status()
    assert status["state"] == "finished"
    assert [(run["state"], run["last"]) for run in status["runs"]] == [("finished", 99.0)]


@pytest.mark.chaos
def test_a_sweep_survives_the_death_of_its_server(sweep):
    """A kill -9 of the server in the middle of a run, and a new one: nothing is lost, the run finishes."""
    launch = sweep.start("launch", "--trainer", "toy:train", "--count", "1", "--workers", "1", TAKES_S="5")
    server = psutil.Process(json.loads((sweep.home / "server" / "server.json").read_text())["pid"])
    sweep.wait(lambda: sweep.status()["runs"], "the server to hear of a run")
    server.kill()
    assert sweep.status()["runs"][0]["params"] == {"x": 1}
    stdout, stderr = launch.communicate(timeout=120)
    assert launch.returncode == 0, stdout + stderr
    run = sweep.status()["runs"][0]
    assert (run["state"], run["last"]) == ("finished", 0.5)


def test_a_broken_trainer_does_not_burn_the_sweep(user):
    """Three failures of one kind at the start end the launch."""
    user.write("broken.py", "def train():\n    raise RuntimeError('nothing works')\n")
    user.run("create", user.write("sweep.yaml", SWEEP.replace("[1, 2, 3, 4]", str(list(range(20))))))
    failed = user.run("launch", "--trainer", "broken:train", "--workers", "1", code=1)
    assert "the first 3 runs failed in the same way: RuntimeError: nothing works" in failed.stderr
    assert len(user.status()["runs"]) == 3
