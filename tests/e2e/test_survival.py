"""Processes killed one by one: nothing is orphaned, nothing is lost, nothing is done twice."""

from __future__ import annotations

import json
import signal
import time

import psutil
import pytest

from sweeper.journal.directories import SweepDir
from tests.conftest import has_ended

pytestmark = [pytest.mark.e2e, pytest.mark.chaos, pytest.mark.timeout(300)]

TOY = """
import os, pathlib, time, wandb

def train():
    file = pathlib.Path(os.environ["SWEEPER_CHECKPOINT_DIR"], "step")
    first = int(file.read_text()) if file.exists() else 0
    with wandb.init() as run:
        for step in range(first, 20 if run.config.x == 1 else 3):
            while step == 10 and not os.path.exists("go"):
                time.sleep(0.1)
            run.log({"loss": step})
            file.write_text(str(step + 1))
"""
HISTORY = """
import json, wandb
runs = wandb.Api().runs("local/sweeper", order="+created_at")
print(json.dumps([[row["loss"] for row in run.scan_history(keys=["loss"])] for run in runs]))
"""


@pytest.fixture
def launched(user, scratch):
    """A launch on one slot, whose first run of two has logged ten steps of twenty and waits."""
    user.environ["TMPDIR"] = str(scratch)
    user.write("toy.py", TOY)
    text = "method: grid\nmetric: {name: loss}\nparameters: {x: {values: [1, 2]}}\n"
    user.run("create", user.write("sweep.yaml", text))
    launch = user.start("launch", "--trainer", "toy:train", "--workers", "1", "--count", "2")
    user.wait(lambda: [run for run in user.status()["runs"] if run["last"] == 9], "a run that logs")
    return launch


def finish(user, launch=None) -> None:
    """See both runs finish under their own ids, by the same launch or by another one, and nothing left over."""
    user.write("go", "")
    if launch is None:
        user.run("launch", "--trainer", "toy:train", "--workers", "1")
    else:
        stdout, stderr = launch.communicate(timeout=150)
        assert launch.returncode == 0, stdout + stderr + user.logs()
    status = user.status()
    assert [(run["state"], run["params"]["x"]) for run in status["runs"]] == [("finished", 1), ("finished", 2)]
    assert [run["last"] for run in status["runs"]] == [19, 2]
    user.wait(user.only_the_server_is_left, "all but the server to end", 10)


def test_a_preempted_run_goes_on_where_it_was(user, launched):
    """SIGTERM, as Slurm and Kubernetes send it: the next launch continues the run, without gap or repeat."""
    before = user.status()["runs"][0]["id"]
    launched.send_signal(signal.SIGTERM)
    launched.communicate(timeout=60)
    assert launched.returncode == 130
    assert [(run["id"], run["state"]) for run in user.status()["runs"]] == [(before, "preempted")]
    user.wait(user.only_the_server_is_left, "all but the server to end", 10)
    finish(user)
    curves = json.loads(user.python(HISTORY, **user.sdk()).stdout.splitlines()[-1])
    assert curves == [list(range(20)), list(range(3))]


def test_a_killed_launcher_takes_everything_along_and_the_next_launch_goes_on(user, launched):
    """Kill -9 of the launcher: no process is left, and the same command finishes the same two runs."""
    launched.kill()
    user.wait(user.only_the_server_is_left, "all but the server to end", 10)
    finish(user)


def test_a_killed_worker_is_replaced(user, launched):
    """Kill -9 of the worker: its run's process dies with it, and the launch goes on with the same run."""
    process = user.run_process()
    user.processes("sweeper.worker")[0].kill()
    user.wait(lambda: has_ended(process), "the run's end", 10)
    finish(user, launched)


def test_a_killed_run_is_handed_out_again(user, launched):
    """Kill -9 of the run's process, as the kernel does when memory is short: the same launch finishes the same run."""
    user.run_process().kill()
    finish(user, launched)


def test_a_killed_wandb_core_costs_an_attempt(user, launched):
    """Kill -9 of the run's wandb-core: the attempt fails, and the same launch finishes the same run."""
    for process in user.run_process().children(recursive=True):
        if process.name().startswith("wandb-core"):
            process.kill()
    finish(user, launched)
    assert [run["attempts"] for run in user.status()["runs"]] == [2, 1]
    assert [kind for kind, _ in ends_of(user)] == ["lost connection"]


def test_a_server_that_is_away_for_a_minute_costs_no_run(user, launched):
    """Kill -9 of the server and of a run's process: the slot waits, says so, and goes on with the run by itself."""
    record = json.loads((user.home / "server" / "server.json").read_text())
    psutil.Process(record["pid"]).kill()
    user.run_process().kill()
    time.sleep(70)
    assert launched.poll() is None
    assert "nobody answers at" in user.logs()
    assert ends_of(user) == []
    user.status()  # starts it again
    finish(user, launched)
    assert [policy for _, policy in ends_of(user)] == ["retried on the same slot"]
    assert "the server answers again, after" in user.logs()


SCRIPT = """
import os, pathlib, signal, subprocess, sys, time, wandb

mark = pathlib.Path("mark-" + os.environ["WANDB_RUN_ID"])
fresh = not mark.exists()
mark.touch()
run = wandb.init()
run.log({"loss": 1.0})
how = run.config.how
core = subprocess.check_output(["pgrep", "-P", str(os.getpid()), "wandb-core"], text=True).strip()
if fresh and how != "own":
    os.kill(int(core), signal.SIGKILL)
    time.sleep(0.5)
if how == "unsent" and fresh:
    sys.stderr = open(os.devnull, "w")  # and not a word of it
elif how == "silent" and fresh:
    os._exit(255)
elif how == "own":
    sys.exit(255)
"""


def test_a_script_is_told_from_its_wandb_core(user):
    """One that ends well without it, or with 255 and no word, is tried again; 255 of its own is its failure."""
    user.write("train.py", SCRIPT)
    text = """
    program: train.py
    method: grid
    metric: {name: loss}
    parameters: {how: {values: [unsent, silent, own]}}
    command: ["${env}", "${interpreter}", "${program}"]
    """
    user.run("create", user.write("sweep.yaml", text))
    user.run("launch", "--workers", "1", code=1)
    runs = {run["params"]["how"]: (run["state"], run["attempts"], run["kind"]) for run in user.status()["runs"]}
    # to the server 255 is a person's Ctrl-C
    assert runs == {"unsent": ("finished", 2, ""), "silent": ("finished", 2, ""), "own": ("killed", 1, "exit code")}


def ends_of(user) -> list[tuple[str, str]]:
    """What went wrong in the attempts of all runs, and what was done about it."""
    (directory,) = SweepDir.known(user.home)
    return [(end.kind.value, end.policy.value) for end in directory.history() if end.kind]


def test_the_shipped_trainer_goes_on_where_it_was(user):
    """A preempted run of the shipped trainer logs every epoch once, over both launches."""
    text = """
    method: grid
    metric: {name: val_accuracy, goal: maximize}
    parameters: {dataset: {value: digits}, kernels: {value: [8, 16]}, epochs: {value: 8}, seed: {values: [1]}}
    """
    user.run("create", user.write("sweep.yaml", text))
    launch = user.start("launch", "--workers", "1")
    user.wait(lambda: list(user.home.glob("sweeps/**/checkpoints/*/checkpoint.pt")), "a checkpoint")
    launch.send_signal(signal.SIGTERM)
    launch.communicate(timeout=60)
    assert [run["state"] for run in user.status()["runs"]] == ["preempted"]
    user.run("launch", "--workers", "1")
    code = """
    import json, wandb
    (run,) = wandb.Api().runs("local/sweeper")
    rows = run.scan_history(keys=["epoch", "_step", "val_accuracy"])
    print(json.dumps([[row["epoch"], row["_step"]] for row in rows]))
    """
    rows = json.loads(user.python(code, **user.sdk()).stdout.splitlines()[-1])
    assert [epoch for epoch, _ in rows] == list(range(1, 9))
    assert [step for _, step in rows] == sorted({step for _, step in rows})


def test_a_killed_launch_leaves_one_temporary_folder_which_the_next_one_removes(user, launched, scratch):
    """Kill -9 of everything: what the SDK and its service left lies in one folder, and goes."""
    before = {path.name for path in scratch.iterdir()}
    assert len(before) == 2  # the launch's and the server's
    for process in user.processes("sweeper.worker"):
        process.kill()
    launched.kill()
    user.wait(user.only_the_server_is_left, "all but the server to end", 10)
    assert {path.name for path in scratch.iterdir()} == before
    finish(user)
    left = {path.name for path in scratch.iterdir()}
    assert len(left) == 1
    assert left < before
