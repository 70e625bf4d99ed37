"""Other ways to launch: without a terminal, and without a process for every run."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from tests.conftest import has_ended

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

TOY = """
import os, time, wandb

def train():
    with wandb.init() as run:
        print("hello from the trainer", flush=True)
        run.log({"loss": 1.0})
        while not os.path.exists("go"):
            time.sleep(0.1)
        print("goodbye", flush=True)
"""


@pytest.mark.long
def test_a_detached_launch_goes_on_and_is_found_again(user):
    """It has a session of its own; status names it, logs follow its run, and stop ends it after that run."""
    user.write("toy.py", TOY)
    text = "method: random\nmetric: {name: loss}\nparameters: {x: {min: 0.0, max: 1.0}}\n"
    user.run("create", user.write("sweep.yaml", text))
    launched = user.told("launch", "--trainer", "toy:train", "--workers", "1", "--detach")
    pid = launched["pid"]
    launch = psutil.Process(pid)
    assert os.getsid(pid) == pid
    user.wait(lambda: [run for run in user.status()["runs"] if run["last"]], "a run that logs")
    status = user.status()
    assert status["launchers"] == {str(pid): ["cpu0"]}
    assert f"process {pid} on cpu0" in user.run("status").stdout
    assert "hello from the trainer" in user.run("logs", "cpu0").stdout
    following = user.start("logs", "-f", status["runs"][0]["id"])
    user.run("stop")
    user.write("go", "")
    assert "goodbye" in following.communicate(timeout=60)[0]
    user.wait(lambda: has_ended(launch), "the launch's end")
    assert "next: sweeper status" in Path(launched["log"]).read_text()  # for people, whoever asked for JSON
    ended = user.status()
    assert ended["launchers"] == {}
    assert [run["state"] for run in ended["runs"]] == ["finished"]


@pytest.mark.long
def test_a_detached_launch_that_cannot_start_says_so(user):
    """The terminal is told, not only the log."""
    user.run("create", user.write("sweep.yaml", "method: grid\nparameters: {x: {values: [1]}}\n"))
    broken = ("launch", "--trainer", "nowhere:train", "--workers", "1", "--detach")
    failed = user.run(*broken, code=1)
    assert "no module 'nowhere'" in " ".join(failed.stderr.split())
    assert "no module 'nowhere'" in user.error(*broken)["message"]
    assert "no run or slot" in user.run("logs", "nothing", code=1).stderr


@pytest.mark.long
def test_without_isolation_a_slots_runs_share_a_process(user):
    """The stock agent calls the trainer in its thread; a run that raises costs no other."""
    user.write(
        "toy.py",
        """
        import os, threading, wandb

        def train():
            with wandb.init() as run:
                run.log({"loss": 1.0, "pid": os.getpid()})
                assert threading.current_thread() is not threading.main_thread()
                if run.config.x == 2:
                    raise ValueError("no")
        """,
    )
    text = "method: grid\nmetric: {name: loss}\nparameters: {x: {values: [1, 2, 3]}}\n"
    user.run("create", user.write("sweep.yaml", text))
    told = user.told("launch", "--trainer", "toy:train", "--workers", "1", "--no-isolation", code=1)
    assert (told["ok"], told["interrupted"], told["slots"]) == (False, False, ["cpu0"])
    assert [(run["outcome"], run["reason"]) for run in told["runs"]][1] == ("failed", "ValueError: no")
    runs = told["status"]["runs"]
    assert told["status"] == user.status() | {"elapsed_s": told["status"]["elapsed_s"]}
    assert [run["state"] for run in runs] == ["finished", "failed", "finished"]
    assert runs[1]["reason"] == "ValueError: no"
    assert len({run["log"] for run in runs}) == 1


@pytest.mark.long
def test_without_isolation_the_runs_share_a_core_as_long_as_it_lives(user):
    """The SDK's agent would start one for each; one that was killed between two runs costs neither."""
    user.write(
        "toy.py",
        """
        import os, psutil, wandb

        def train():
            with wandb.init() as run:
                (core,) = (one for one in psutil.Process().children() if one.status() != psutil.STATUS_ZOMBIE)
                run.log({"loss": 1.0})
                with open("cores", "a") as file:
                    print(core.pid, file=file)
                kill = run.config.x == 2
            if kill:
                core.kill()
        """,
    )
    text = "method: grid\nmetric: {name: loss}\nparameters: {x: {values: [1, 2, 3, 4]}}\n"
    user.run("create", user.write("sweep.yaml", text))
    user.run("launch", "--trainer", "toy:train", "--workers", "1", "--no-isolation")
    runs = user.status()["runs"]
    assert [run["state"] for run in runs] == ["finished"] * 4
    cores = (user.folder / "cores").read_text().split()
    assert cores[0] == cores[1] != cores[2]
