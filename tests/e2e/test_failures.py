"""Failures injected one by one: each is classified and answered as the table in docs/launching.md says."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

from sweeper.journal.directories import SweepDir
from sweeper.ref import SweepRef
from sweeper.worker.spec import Rules, Slot, WorkerSpec
from tests.conftest import work

pytestmark = [pytest.mark.e2e, pytest.mark.failures, pytest.mark.timeout(300)]

TOY = """
import ctypes, os, pathlib, signal, time, wandb

def first_time():
    mark = pathlib.Path("done-" + os.environ["WANDB_RUN_ID"])
    fresh = not mark.exists()
    mark.touch()
    return fresh

def well(run): pass
def wrong(run): raise ValueError("this one is wrong")
def oom_killed(run): first_time() and os.kill(os.getpid(), signal.SIGKILL)
def segfault(run): first_time() and ctypes.string_at(0)
def numberless(run): run.log({"loss": float("nan")})
def too_long(run): time.sleep(600)
def patient(run): first_time() and time.sleep(600)
def gpu_memory(run): raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.")
def core_killed(run):
    if first_time():
        import psutil
        run.log({"loss": 2.0})
        for process in psutil.Process().children(recursive=True):
            if process.name().startswith("wandb-core"):
                process.kill()
        for step in range(100):
            run.log({"loss": 2.0})
            time.sleep(0.1)

def train():
    with wandb.init() as run:
        globals()[run.config.case](run)
        if run.config.case != "numberless":
            run.log({"loss": 1.0})

def broken_gpu():
    with wandb.init():
        raise RuntimeError("CUDA error: uncorrectable ECC error encountered")

def missing():
    with wandb.init():
        import no_such_module
"""
CASES = ["well", "wrong", "oom_killed", "segfault", "numberless", "too_long", "gpu_memory", "core_killed"]


def sweep_of(user, cases) -> None:
    """Register a grid of cases."""
    user.write("toy.py", TOY)
    definition = {
        "method": "grid",
        "metric": {"name": "loss", "goal": "minimize"},
        "parameters": {"case": {"values": list(cases)}},
    }
    user.run("create", user.write("sweep.json", json.dumps(definition)))


def run_worker(user, trainer) -> str:
    """Run a worker by itself, on a slot that has a GPU by its orders; give its state and what was printed."""
    ref = SweepRef.parse(user.status()["sweep"])
    launch = SweepDir.of(user.home, ref).new_launch()
    spec = WorkerSpec(
        sweep=ref.path,
        trainer=trainer,
        slot=Slot(name="gpu0", device="0", threads=1),
        count=None,
        directory=str(launch.path),
        rules=Rules(grace_s=5),
    )
    spec.save(launch.spec("gpu0"))
    env = {**user.environ, **user.sdk(), "PYTHONPATH": f"{user.folder}{os.pathsep}{user.environ['PYTHONPATH']}"}
    state = work(launch.spec("gpu0"), cwd=user.folder, env=env)
    return "\n".join([state, launch.forkserver_log.read_text(), launch.worker_log("gpu0").read_text()])


def test_each_failure_is_told_and_answered(user):
    """Runs that failed for no fault of their own finish with their own id; the others fail once, with cause and log."""
    sweep_of(user, CASES)
    user.run("launch", "--trainer", "toy:train", "--workers", "2", "--timeout", "15s", "--grace", "3", code=1)
    status = user.status()
    runs = {run["params"]["case"]: run for run in status["runs"]}
    assert len(status["runs"]) == len(CASES)
    seen = {case: (run["state"], run["kind"]) for case, run in runs.items()}
    assert seen == {
        "well": ("finished", ""),
        "wrong": ("failed", "exception"),
        "oom_killed": ("finished", ""),
        "segfault": ("finished", ""),
        "numberless": ("finished", "no finite metric"),
        "too_long": ("failed", "timeout"),
        "gpu_memory": ("failed", "out of GPU memory"),
        "core_killed": ("finished", ""),
    }
    assert runs["wrong"]["log_tail"][-1] == "ValueError: this one is wrong"
    assert runs["oom_killed"]["attempts"] == 2
    assert "--timeout" in runs["too_long"]["reason"]
    assert "ValueError: this one is wrong" in user.run("status").stdout
    tried = [record for record in SweepDir.of(user.home, SweepRef.parse(status["sweep"])).history() if record.kind]
    assert {record.kind.value: record.policy.value for record in tried} == {
        "exception": "failed",
        "out of memory": "retried on the same slot",
        "native crash": "retried, on another slot if one is free",
        "timeout": "failed",
        "out of GPU memory": "failed",
        "lost connection": "retried on the same slot",
    }


def test_a_missing_module_stops_the_launch(user):
    """An import inside the function that fails with two configurations fails for every run; one may need it alone."""
    sweep_of(user, CASES)
    failed = user.run("launch", "--trainer", "toy:missing", "--workers", "1", code=1)
    assert "every run would fail: ModuleNotFoundError: " in failed.stderr
    assert "no_such_module" in failed.stderr
    assert len(user.status()["runs"]) == 2


def test_max_failures_ends_a_launch(user):
    """Failed runs in a row, of whatever kind, end it."""
    sweep_of(user, ["wrong", "gpu_memory", "well"])
    failed = user.run("launch", "--trainer", "toy:train", "--workers", "1", "--max-failures", "2", code=1)
    assert "2 runs failed in a row" in failed.stderr
    assert len(user.status()["runs"]) == 2


def test_a_bad_gpu_is_taken_out_and_its_run_goes_on_elsewhere(user):
    """The slot's worker gives up after the first run that its GPU failed; the run waits for another slot."""
    sweep_of(user, CASES)
    worker = run_worker(user, "toy:broken_gpu")
    assert worker.startswith("failed")
    assert "gpu0 is taken out of the launch: RuntimeError: CUDA error: uncorrectable ECC" in worker
    run = user.status()["runs"][0]
    assert (run["state"], run["kind"]) == ("preempted", "bad GPU")
    launch = SweepDir.of(user.home, SweepRef.parse(user.status()["sweep"])).launches()[0]
    assert launch.take_ticket(None) == 1


def test_a_trainer_whose_import_starts_cuda_gets_new_processes(user):
    """A forked process could not use the GPU: the worker says so, and starts Python anew for each run."""
    (user.folder / "torch").mkdir()
    user.write(
        "torch/__init__.py",
        """
        import os, types

        def init(started=os.getpid()):
            if os.getpid() != started:
                raise RuntimeError("Cannot re-initialize CUDA in forked subprocess.")

        cuda = types.SimpleNamespace(init=init, is_available=lambda: False)
        """,
    )
    user.write("on_gpu.py", "import torch\nfrom toy import train\n")
    sweep_of(user, ["well"])
    worker = run_worker(user, "on_gpu:train")
    assert worker.startswith("done")
    assert "importing it starts CUDA" in worker
    assert user.status()["runs"][0]["state"] == "finished"


def test_a_failed_run_is_tried_again_on_demand(user):
    """`sweeper retry` hands failed runs of a finished sweep out again, with their ids."""
    sweep_of(user, ["wrong", "well"])
    user.run("launch", "--trainer", "toy:train", "--workers", "1", code=1)
    before = user.status()
    assert before["state"] == "finished"
    assert "1 run waits" in user.run("retry").stdout
    user.write("toy.py", TOY.replace('raise ValueError("this one is wrong")', "pass"))
    user.run("launch", "--trainer", "toy:train", "--workers", "1")
    after = user.status()
    assert [run["id"] for run in after["runs"]] == [run["id"] for run in before["runs"]]
    assert [run["state"] for run in after["runs"]] == ["finished", "finished"]
    assert "nothing to retry" in user.run("retry", code=1).stderr


def test_a_run_that_takes_no_stop_is_killed(user):
    """A cancel ends a run that swallows everything, and one that hangs in C with the interpreter's lock, in seconds."""
    user.write(
        "toy.py",
        """
        import ctypes, time, wandb

        def train():
            with wandb.init() as run:
                run.log({"loss": 1.0})
                time.sleep(3)
                if run.config.case == "locked":
                    ctypes.PyDLL(None).sleep(600)
                while True:
                    try:
                        time.sleep(600)
                    except BaseException:
                        pass
        """,
    )
    text = "method: grid\nmetric: {name: loss}\nparameters: {case: {values: [locked, stubborn]}}\n"
    user.run("create", user.write("sweep.yaml", text))
    launch = user.start("launch", "--trainer", "toy:train", "--workers", "2", "--grace", "3")
    user.wait(lambda: len([run for run in user.status()["runs"] if run["last"]]) == 2, "two runs that log")
    time.sleep(2)
    user.run("cancel")
    began = time.monotonic()
    launch.communicate(timeout=60)
    assert time.monotonic() - began < 30
    # wandb-core may still be telling the server when the launch has ended
    user.wait(lambda: [run["state"] for run in user.status()["runs"]] == ["killed", "killed"], "two killed runs")


def test_a_time_budget_ends_a_launch_and_its_runs_go_on_with_the_next(user):
    """The exit code is 0: this was asked for; the interrupted run waits."""
    sweep_of(user, ["patient", "well"])
    ended = user.run("launch", "--trainer", "toy:train", "--workers", "1", "--time-budget", "20s")
    assert "the time budget is used up" in ended.stderr
    (interrupted,) = user.status()["runs"]
    assert interrupted["state"] == "preempted"
    user.run("launch", "--trainer", "toy:train", "--workers", "1")
    runs = user.status()["runs"]
    assert [run["state"] for run in runs] == ["finished", "finished"]
    assert [run["params"]["case"] for run in runs] == ["patient", "well"]
    assert runs[0]["id"] == interrupted["id"]


def test_a_signal_from_outside_preempts_a_run(user):
    """What a cluster sends to one process ends that run gently; it is handed out again at once."""
    sweep_of(user, ["too_long"])
    launch = user.start("launch", "--trainer", "toy:train", "--workers", "1")
    user.wait(lambda: any(run["state"] == "running" for run in user.status()["runs"]), "a run")
    user.run_process().send_signal(signal.SIGTERM)
    directory = SweepDir.of(user.home, SweepRef.parse(user.status()["sweep"]))
    user.wait(lambda: len([r for r in directory.history() if r.outcome is None]) == 2, "a second attempt")
    assert [r.kind.value for r in directory.history() if r.kind] == ["preempted"]
    launch.kill()
