"""Inside the process of a run: what it calls, and what it finds around it."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.processes import python
from sweeper.worker.run_process import HOLDER_HEADER, environ_of
from sweeper.worker.spec import Slot, WorkerSpec

SPEC = WorkerSpec(
    sweep="e/p/s",
    trainer="a:b",
    slot=Slot(name="gpu1", device="GPU-1,GPU-2", threads=2),
    count=None,
    directory="/somewhere",
)


def test_a_run_sees_its_gpus_and_no_others():
    """Whatever the launch inherited, in nvidia-smi's order; a CPU slot sees none."""
    found = environ_of(SPEC, {"CUDA_VISIBLE_DEVICES": "7"}, "me")
    assert found["CUDA_VISIBLE_DEVICES"] == "GPU-1,GPU-2"
    assert found["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"


def test_a_script_starts_with_our_python():
    """`python` is the one that sweeper runs in, also where no environment is active."""
    assert environ_of(SPEC, {"PATH": "/bin"}, "me")["PATH"] == f"{Path(sys.executable).parent}{os.pathsep}/bin"
    assert environ_of(SPEC, {}, "me")["PATH"] == str(Path(sys.executable).parent)


def test_what_a_run_starts_finds_the_users_modules():
    """A script has its own folder on its path, and not the one that its user stands in."""
    assert environ_of(SPEC, {}, "me")["PYTHONPATH"] == str(Path.cwd())
    assert environ_of(SPEC, {"PYTHONPATH": "/mine"}, "me")["PYTHONPATH"] == f"{Path.cwd()}{os.pathsep}/mine"


REFUSE = """
import os, sys
from multiprocessing.connection import Connection
from pathlib import Path
from sweeper.worker import run_process
from sweeper.worker.spec import WorkerSpec
os.environ["WANDB_RUN_ID"] = sys.argv[2]
os.environ["WANDB_SWEEP_PARAM_PATH"] = "x"
enter = run_process._enter_script if sys.argv[3] == "script" else run_process._enter
arguments = [dict(os.environ)] if sys.argv[3] == "script" else []
run_process._or_end(Connection(int(sys.argv[4])), enter, WorkerSpec.load(Path(sys.argv[1])), *arguments)
"""


@pytest.mark.parametrize("kind", ["script", "function"])
def test_a_run_that_would_lie_elsewhere_ends_the_process(tmp_path, kind):
    """Its server gave it the name of a folder that is not the launch's: nothing is made, and the launch is told."""
    spec = replace(SPEC, directory=str(tmp_path / "sweep" / "launches" / "1"))
    spec.save(tmp_path / "spec.json")
    here, there = multiprocessing.Pipe()
    command = python("-c", REFUSE, str(tmp_path / "spec.json"), "../../../victim", kind, str(there.fileno()))
    assert subprocess.run(command, pass_fds=[there.fileno()]).returncode == 1
    assert "cannot be the id of a run" in here.recv().error
    assert [path.name for path in tmp_path.iterdir()] == ["spec.json"]
    here.close()
    there.close()


def test_each_process_speaks_for_its_run_under_a_name_of_its_own():
    """One that lost its run is heard no more; the user's own headers stay."""
    given = {"WANDB_X_EXTRA_HTTP_HEADERS": '{"X-Mine": "1"}'}
    told = json.loads(environ_of(SPEC, given, "me")["WANDB_X_EXTRA_HTTP_HEADERS"])
    assert told == {"X-Mine": "1", HOLDER_HEADER: "me"}


def test_what_is_logged_is_written_out_at_once():
    """A kill finds it in the transaction log; whoever has set another pace keeps it."""
    name = "WANDB_X_TRANSACTION_LOG_FLUSH_INTERVAL"
    assert environ_of(SPEC, {}, "me")[name] == "0.01"
    assert environ_of(SPEC, {name: "3"}, "me")[name] == "3"
