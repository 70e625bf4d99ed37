"""A slot's loop, where no server is needed: tickets, the end of a launch, and runs left to other slots."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.journal.failures import Kind, Policy
from sweeper.processes import python
from sweeper.ref import SweepRef
from sweeper.worker.slot_loop import Worker
from sweeper.worker.spec import Rules, Slot, WorkerSpec
from tests.conftest import work


@pytest.fixture
def launch(tmp_path) -> LaunchDir:
    return SweepDir.of(tmp_path, SweepRef("e", "p", "s")).new_launch()


def spec(launch, **rules) -> WorkerSpec:
    slot = Slot(name="cpu0", device="", threads=1)
    return WorkerSpec(
        sweep="e/p/s", trainer="nowhere:train", slot=slot, count=2, directory=str(launch.path), rules=Rules(**rules)
    )


def environ(folder) -> dict[str, str]:
    """The environment of a worker that finds its trainer in a folder."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}


def note(launch, run_id, outcome, reason="", policy=None, **more) -> None:
    launch.append(Attempt(run_id=run_id, slot="cpu0", outcome=outcome, reason=reason, policy=policy, **more))


def test_a_trainer_that_cannot_be_loaded_ends_the_launch(launch, tmp_path):
    """It is the same on every slot: one worker says so, no run is taken, and its ticket is free again."""
    orders = launch.spec("cpu0")
    spec(launch).save(orders)
    assert work(orders, cwd=tmp_path, env=dict(os.environ)) == "failed"
    said = launch.worker_log("cpu0").read_text()
    assert "cannot import nowhere" in said
    assert str(launch.path / "runs" / "cpu0-0001.log") in said
    assert "cannot import nowhere" in launch.ended()
    assert launch.tickets_of("cpu0") == []
    assert launch.history() == []


def test_a_failure_that_every_run_would_have_ends_the_launch(launch):
    """A missing package fails the first run and all others; one that only some parameters need fails theirs."""
    worker = Worker(spec(launch))
    note(launch, "r1", AttemptOutcome.FAILED, "ModuleNotFoundError: x", Policy.FAIL, kind=Kind.IMPORT)
    worker._end_if_broken()
    assert launch.ended() == ""
    note(launch, "r2", AttemptOutcome.FAILED, "ModuleNotFoundError: x", Policy.FAIL, kind=Kind.IMPORT)
    worker._end_if_broken()
    assert launch.ended() == "every run would fail: ModuleNotFoundError: x"


def test_failures_in_a_row_are_counted_over_all_slots_and_not_while_runs_wait(launch):
    """A run that is to be retried has not failed yet."""
    worker = Worker(spec(launch, max_failures=2))
    note(launch, "r0", AttemptOutcome.FINISHED)
    note(launch, "r1", AttemptOutcome.FAILED, "E: 1", Policy.FAIL)
    note(launch, "r2", AttemptOutcome.DIED, "killed", Policy.RETRY_HERE)
    worker._end_if_broken()
    assert launch.ended() == ""
    note(launch, "r3", AttemptOutcome.FAILED, "E: 2", Policy.FAIL)
    worker._end_if_broken()
    assert "2 runs failed in a row" in launch.ended()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def train(:\n", "cannot import toy: SyntaxError: invalid syntax (toy.py, line 1)"),
        ("import os\nos._exit(5)\n", "importing toy ended its process: it exited with code 5"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n", "it was ended by SIGSEGV"),
    ],
    ids=["syntax", "exits", "crashes"],
)
def test_a_module_that_ends_whoever_imports_it_ends_the_launch(launch, tmp_path, code, said):
    """The forkserver dies of it first; a run's process then tells why, in the user's words."""
    (tmp_path / "toy.py").write_text(code)
    orders = launch.spec("cpu0")
    replace(spec(launch), trainer="toy:train").save(orders)
    assert work(orders, cwd=tmp_path, env=environ(tmp_path)) == "failed"
    assert said in launch.ended()
    assert launch.ended() in launch.worker_log("cpu0").read_text()


def test_a_launch_of_before_an_upgrade_starts_a_worker_by_its_orders(launch, tmp_path):
    """Its code is in its memory, and the new one is on the disk: it gives the file, and looks at the exit code."""
    orders = launch.spec("cpu0")
    spec(launch).save(orders)
    command = python("-m", "sweeper.worker", str(orders))
    done = subprocess.run(command, cwd=tmp_path, env=environ(tmp_path), capture_output=True, text=True, timeout=100)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == launch.ended()
    assert "cannot import nowhere" in launch.ended()


def test_a_process_that_dies_before_it_has_a_run_is_followed_by_another(launch, capsys):
    """Its wandb-core was killed, perhaps; the third in a row is the slot's own trouble, and no ticket is used up."""
    worker, made = Worker(spec(launch)), []

    def new() -> SimpleNamespace:
        end = {
            "run_id": "",
            "setup_error": "",
            "prepared": True,
            "exit_code": 1,
            "ended": True,
            "log": f"{len(made)}.log",
        }
        made.append(SimpleNamespace(**end, let_in=lambda: None, dismiss=lambda: None))
        return made[-1]

    worker.processes = SimpleNamespace(new=new, end_strays=lambda: None)
    assert worker._work().endswith("before it got a run; see 2.log")
    said = capsys.readouterr().err.splitlines()
    assert [line.rpartition("see ")[2] for line in said] == ["0.log; trying again", "1.log; trying again"]
    assert launch.tickets_of("cpu0") == []


def test_the_only_slot_leaves_no_run_to_others(launch):
    """Nobody else would take it; where there are others, it waits until one of them has."""
    worker = Worker(spec(launch))
    spec(launch).save(launch.spec("cpu0"))
    note(launch, "r1", AttemptOutcome.DIED, "crash", Policy.RETRY_ELSEWHERE)
    began = time.monotonic()
    worker._leave_to_others("r1")
    assert time.monotonic() - began < 1
    spec(launch).save(launch.spec("cpu1"))
    note(launch, "r1", None)  # the other slot has begun it
    worker._leave_to_others("r1")
    assert time.monotonic() - began < 2
