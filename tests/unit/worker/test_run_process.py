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
from sweeper.server.rules.joint_count import JointCount
from sweeper.worker.run_process import COUNT_HEADER, HOLDER_HEADER, SLOT_HEADER, Ready, environ_of
from sweeper.worker.spec import Slot, WorkerSpec
from tests.conftest import clean_environ

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
    theirs = {"PATH": "/bin", "SWEEPER_PYTHON": "/theirs/bin/python"}  # --python
    assert environ_of(SPEC, theirs, "me")["PATH"] == "/theirs/bin:/bin"


def test_a_script_whose_sdk_cannot_be_given_headers_gets_none():
    """It would fail of them; the user's own are theirs."""
    theirs = {"SWEEPER_PYTHON_WANDB": "0.19.11", "WANDB_X_EXTRA_HTTP_HEADERS": "{}"}
    assert not [name for name in environ_of(SPEC, theirs, "me") if "HEADERS" in name]
    assert "WANDB__EXTRA_HTTP_HEADERS" in environ_of(SPEC, {"SWEEPER_PYTHON_WANDB": "0.21.4"}, "me")


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
    """One that lost its run is heard no more; the user's own headers stay. Old SDKs read the second name alone."""
    given = {"WANDB_X_EXTRA_HTTP_HEADERS": '{"X-Mine": "1"}'}
    env = environ_of(SPEC, given, "me")
    told = json.loads(env["WANDB_X_EXTRA_HTTP_HEADERS"])
    assert told == {"X-Mine": "1", HOLDER_HEADER: "me", SLOT_HEADER: SPEC.slot.name}
    assert env["WANDB__EXTRA_HTTP_HEADERS"] == env["WANDB_X_EXTRA_HTTP_HEADERS"]


@pytest.mark.parametrize(("count", "told"), [(None, "night"), (7, "night 7")])
def test_a_process_says_for_whom_its_run_counts(count, told):
    """The server counts for the group, where there is one; it reads what is sent here."""
    spec = replace(SPEC, group="night", count=count)
    sent = json.loads(environ_of(spec, {}, "me")["WANDB_X_EXTRA_HTTP_HEADERS"])
    assert sent[COUNT_HEADER] == told
    assert JointCount.read(told) == JointCount("night", count)
    assert COUNT_HEADER not in json.loads(environ_of(SPEC, {}, "me")["WANDB_X_EXTRA_HTTP_HEADERS"])


def test_what_is_logged_is_written_out_at_once():
    """A kill finds it in the transaction log; whoever has set another pace keeps it."""
    name = "WANDB_X_TRANSACTION_LOG_FLUSH_INTERVAL"
    assert environ_of(SPEC, {}, "me")[name] == "0.01"
    assert environ_of(SPEC, {name: "3"}, "me")[name] == "3"


PREPARE = """
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from sweeper.worker import run_process
from sweeper.worker.spec import WorkerSpec
run_process.run_process(WorkerSpec.load(Path(sys.argv[1])), sys.argv[2], "me", Connection(int(sys.argv[3])))
"""


def test_a_process_that_finds_no_server_has_loaded_its_trainer(tmp_path):
    """What ends it is not the trainer: a launch must not end for that."""
    (tmp_path / "toy.py").write_text("def train(): pass")
    replace(SPEC, trainer="toy:train", directory=str(tmp_path)).save(tmp_path / "spec.json")
    here, there = multiprocessing.Pipe()
    env = {**clean_environ(tmp_path), "WANDB_BASE_URL": "http://127.0.0.1:9", "WANDB_API_KEY": "k" * 40}
    command = python("-c", PREPARE, str(tmp_path / "spec.json"), str(tmp_path / "log"), str(there.fileno()))
    process = subprocess.Popen(command, pass_fds=[there.fileno()], env=env, cwd=tmp_path)
    there.close()
    assert here.poll(60)
    assert here.recv() == Ready()
    here.close()  # as a worker that is gone
    assert process.wait(timeout=100) in {0, 1}


HOST_ALL = """
import json, os, sys
from sweeper.worker import run_process
from sweeper.backend.current_run import CurrentRun
from sweeper.settings import read_private
from sweeper.worker.run_process import HEADERS, HOLDER_HEADER

class Worker:
    def __init__(self):
        self.left = 2

    def send(self, message):
        told = json.loads(read_private(os.environ, HEADERS))
        print(told[HOLDER_HEADER], told["X-Mine"])

    def recv(self):
        self.left -= 1
        if not self.left:
            raise EOFError
        return "second"

run_process._run_agent = lambda *_, **__: None
run_process._host_all(None, None, None, Worker(), CurrentRun())
"""


def test_each_run_of_a_process_has_a_holder_of_its_own():
    """Without isolation the server would take the second attempt at a run for the first one, which it has fenced."""
    env = {**os.environ, "WANDB_X_EXTRA_HTTP_HEADERS": '{"X-Mine": "1", "X-Sweeper-Holder": "first"}'}
    done = subprocess.run(python("-c", HOST_ALL), env=env, capture_output=True, text=True, timeout=60)
    holders = [line.split() for line in done.stdout.splitlines()]
    assert [mine for _, mine in holders] == ["1", "1"], done.stderr
    assert [holder for holder, _ in holders] == ["first", "second"]
