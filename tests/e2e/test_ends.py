"""Runs that end before they begin, and launches whose terminal is closed: told at once, in the user's words."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from sweeper.journal.directories import SweepDir
from sweeper.ref import SweepRef

pytestmark = [pytest.mark.e2e, pytest.mark.failures, pytest.mark.timeout(300)]

TOY = """
import argparse, os, pathlib, signal, sys, time, wandb

def case():
    text = pathlib.Path(os.environ["WANDB_SWEEP_PARAM_PATH"]).read_text()
    return text.split("value: ")[1].split()[0]

def train():
    which = case()
    if which == "option":
        argparse.ArgumentParser().parse_args(["--lr", "1"])
    elif which == "value":
        raise ValueError("no such model")
    elif which == "import":
        import no_such_module
    elif which == "exit":
        os._exit(5)
    elif which == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif which == "forgets":
        return
    with wandb.init() as run:
        run.log({"loss": 1.0})
        if which == "leaves":
            sys.exit(3)

def forgets():
    pass

def waits():
    with wandb.init() as run:
        run.log({"loss": 1.0})
        time.sleep(600)
"""
CASES = ["option", "well", "value", "import", "exit", "crash", "forgets", "fine", "leaves"]


def sweep_of(user, cases, **more) -> None:
    user.write("toy.py", TOY)
    definition = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"case": {"values": cases}}, **more}
    user.run("create", user.write("sweep.json", json.dumps(definition)))


def test_a_run_that_ends_before_it_begins_fails_at_once(user):
    """With its cause and its log; the others run, the launch ends, and the server says what its worker saw."""
    sweep_of(user, CASES)
    ended = user.run("launch", "--trainer", "toy:train", "--workers", "2", code=1)
    assert "the launch ended early" not in ended.stderr
    status = user.status()
    assert status["state"] == "finished"
    runs = {run["params"]["case"]: run for run in status["runs"]}
    assert {case: (run["state"], run["kind"], run["attempts"]) for case, run in runs.items()} == {
        "option": ("failed", "exit code", 1),
        "well": ("finished", "", 1),
        "value": ("failed", "exception", 1),
        "import": ("failed", "import error", 1),
        "exit": ("failed", "exit code", 1),
        "crash": ("failed", "native crash", 2),
        "forgets": ("failed", "no wandb.init", 1),
        "fine": ("finished", "", 1),
        "leaves": ("failed", "exit code", 1),
    }
    assert "toy.py: error: unrecognized arguments: --lr 1" in runs["option"]["reason"]
    assert runs["leaves"]["reason"] == "the trainer called sys.exit(3) (toy.py, line 25)"
    assert runs["forgets"]["reason"] == "the function returned without calling wandb.init"
    assert runs["value"]["log_tail"][-1] == "ValueError: no such model"
    shown = json.dumps([run["log_tail"] for run in status["runs"]])
    assert not [word for word in ("sweeper/", "pyagent", "Interrupted", "RuntimeError") if word in shown]
    page = user.python(
        "import sys, wandb\n"
        f"print(wandb.Api().run('{status['sweep'].rpartition('/')[0]}/{runs['value']['id']}').summary['_sweeper'])",
        **user.sdk(),
    )
    assert "ValueError: no such model" in page.stdout


def test_a_function_that_never_begins_a_run_ends_the_launch(user):
    """The second in a row is enough, with a `--count` or without."""
    sweep_of(user, list(range(9)))
    for option in ([], ["--count", "5"]):
        ended = user.run("launch", "--trainer", "toy:forgets", "--workers", "1", *option, code=1)
        assert "2 runs in a row never began: the function returned without calling wandb.init" in ended.stderr
    assert [run["state"] for run in user.status()["runs"]] == ["failed"] * 4
    assert "mend it, then: sweeper launch\n" in ended.stderr
    sweep_of(user, [1, 2])  # nothing is left to launch then
    ended = user.run("launch", "--trainer", "toy:forgets", "--workers", "1", code=1)
    assert "mend it, then: sweeper retry\n" in ended.stderr


def test_a_script_is_told_of_like_a_function(user):
    """One that exits well without a run, and one whose options are wrong; its time is that of its training."""
    user.write(
        "train.py",
        """
        import argparse, sys, time, wandb

        case = sys.argv[1].partition("=")[2]
        if case == "options":
            argparse.ArgumentParser().parse_args()
        if case != "forgets":
            with wandb.init() as run:
                run.log({"loss": 1.0})
                time.sleep(1)
        """,
    )
    sweep_of(user, ["forgets", "options", "well"], program="train.py")
    user.run("launch", "--workers", "2", code=1)
    runs = {run["params"]["case"]: run for run in user.status()["runs"]}
    assert {case: (run["state"], run["kind"]) for case, run in runs.items()} == {
        "forgets": ("failed", "no wandb.init"),
        "options": ("failed", "exit code"),
        "well": ("finished", ""),
    }
    assert runs["forgets"]["reason"] == "the script ended without calling wandb.init"
    assert runs["options"]["reason"] == "exit code 2: train.py: error: unrecognized arguments: --case=options"
    assert not [line for line in runs["options"]["log_tail"] if "wandb_agent" in line]
    assert runs["well"]["duration_s"] > 1


def test_a_trainer_that_cannot_be_imported_is_told_once(user):
    """The user's own error with its place, for two slots as for one, and no run is taken."""
    sweep_of(user, ["well"])
    for code, told in [
        ("def train(:\n    pass\n", "broken.py, line 1: SyntaxError: invalid syntax"),  # before a worker starts
        ("raise ValueError('no data here')\ndef train(): pass\n", "cannot import broken: ValueError: no data here"),
    ]:
        user.write("broken.py", code)
        ended = user.run("launch", "--trainer", "broken:train", "--workers", "2", code=1)
        assert ended.stderr.count(told) == 1
        assert "gave up" not in ended.stderr
    assert user.status()["runs"] == []


TERMINAL = """
import os, pathlib, pty, sys

pid, terminal = pty.fork()
if not pid:
    os.execvp(sys.argv[1], sys.argv[1:])
print(pid, flush=True)
while not pathlib.Path("close").exists():
    os.read(terminal, 10000)
os.close(terminal)
"""


def test_a_closed_terminal_ends_a_launch_gently_and_its_runs_go_on_later(user):
    """As SIGTERM does; the summary stands in a file, and the night until the next launch is none of the run's time."""
    sweep_of(user, ["well"])
    user.write("terminal.py", TERMINAL)
    user.script("terminal.py", *user.sweeper, "launch", "--trainer", "toy:waits", "--workers", "1", "--grace", "20")
    user.wait(lambda: [run for run in user.status()["runs"] if run["last"]], "a run that logs")
    (user.folder / "close").touch()
    user.wait(lambda: not user.processes("sweeper", "launch"), "the launch's end")
    first = user.status()["runs"][0]
    assert first["state"] == "preempted"
    directory = SweepDir.of(user.home, SweepRef.parse(user.status()["sweep"]))
    said = directory.launches()[0].launch_log.read_text()
    assert "stopping: runs have 20 s" in said
    assert "preempted" in said
    assert said.rstrip().endswith("sweeper launch")
    printed = Path(directory.history()[-1].log).read_text()
    assert "Interrupted: the run was told to end" in printed
    assert not [word for word in ("RunEnded", "RuntimeError", "sweeper/worker") if word in printed]
    time.sleep(10)
    user.write("toy.py", TOY.replace("time.sleep(600)", "time.sleep(1)"))
    ended = user.run("launch", "--trainer", "toy:waits", "--workers", "1")
    second = user.status()["runs"][0]
    assert first["duration_s"] < second["duration_s"] < first["duration_s"] + 9
    assert f"finished loss 1 in {second['duration_s']:.1f}s" in ended.stderr
