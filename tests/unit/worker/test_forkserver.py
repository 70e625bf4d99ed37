"""The process that workers are forked from: real ones, given their orders through a socket as by a launch."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection

import psutil
import pytest

from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.journal.failures import last_error
from sweeper.processes import python
from sweeper.ref import SweepRef
from sweeper.worker.forkserver_orders import Ended, ForkWorker, Prepare, Prepared, SignalWorker
from tests.conftest import has_ended

SERVE = """
import sys
from multiprocessing.connection import Connection
from sweeper.processes import die_with_parent, end_with_parent
from sweeper.worker import slot_loop
from sweeper.worker.forkserver import Forkserver

def main(orders, method):  # in the worker's place
    import atexit, json, os, signal, sys, time
    end_with_parent()
    here = {"pid": os.getpid(), "session": os.getsid(0), "environ": dict(os.environ), "path": sys.path}
    here["modules"] = [name for name in ("toy", "torch") if name in sys.modules]
    print("in its log", flush=True)
    orders.write_text(json.dumps(here))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
    time.sleep(60)

slot_loop.main = main
die_with_parent()
Forkserver(Connection(int(sys.argv[1])), import_s=float(sys.argv[2])).serve()
"""


@pytest.fixture
def launch(tmp_path) -> LaunchDir:
    return SweepDir.of(tmp_path, SweepRef("e", "p", "s")).new_launch()


@pytest.fixture
def begin(tmp_path) -> Iterator[Callable[..., tuple[Connection, psutil.Popen]]]:
    """Start a forkserver in a folder."""
    started: list[psutil.Popen] = []

    def begin(import_s: float = 60.0) -> tuple[Connection, psutil.Popen]:
        here, there = multiprocessing.Pipe()
        command = python("-c", SERVE, str(there.fileno()), str(import_s))
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        started.append(psutil.Popen(command, pass_fds=[there.fileno()], cwd=tmp_path, env=env))
        there.close()
        return here, started[-1]

    yield begin
    for process in started:
        with contextlib.suppress(psutil.Error):
            process.kill()
        process.wait()


def prepare(launch: LaunchDir, trainer: str = "", **environ: str) -> Prepare:
    return Prepare(environ={**os.environ, **environ}, directory=str(launch.path), trainer=trainer, gpu=False)


def work(launch: LaunchDir, number: int = 1) -> ForkWorker:
    return ForkWorker(number, str(launch.spec(f"cpu{number}")), str(launch.worker_log(f"cpu{number}")))


def wait_for(launch: LaunchDir, number: int = 1) -> dict:
    """Wait for what a worker says of itself."""
    for _ in range(600):
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            return json.loads(launch.spec(f"cpu{number}").read_text())
        signal.sigtimedwait([], 0.05)
    raise AssertionError("there is no worker")


def test_workers_share_an_import_and_have_all_else_of_their_own(begin, launch, tmp_path):
    """Each has its session and its log; the user's folder, where any module may lie, is not on their path."""
    (tmp_path / "toy.py").write_text("print('imported', flush=True)\n")
    pipe, _ = begin()
    pipe.send(prepare(launch, "toy", MINE="yes"))
    pipe.send(work(launch, 1))
    pipe.send(work(launch, 2))
    assert pipe.recv() == Prepared()
    found = [wait_for(launch, number) for number in (1, 2)]
    assert len({one["pid"] for one in found}) == 2
    for number, one in enumerate(found, start=1):
        assert one["session"] == one["pid"]
        assert one["environ"]["MINE"] == "yes"
        assert one["modules"] == ["toy"]
        assert str(tmp_path) not in one["path"]
        assert launch.worker_log(f"cpu{number}").read_text() == "in its log\n"
    assert launch.forkserver_log.read_text() == "imported\n"


def test_each_end_is_told_and_a_signal_reaches_its_worker(begin, launch):
    """A number that has ended gets no signal: its pid may be another's by now."""
    pipe, _ = begin()
    pipe.send(prepare(launch))
    pipe.send(work(launch, 1))
    pipe.send(work(launch, 2))
    assert pipe.recv() == Prepared()
    wait_for(launch, 1)
    wait_for(launch, 2)
    pipe.send(SignalWorker(1, signal.SIGTERM))
    assert pipe.recv() == Ended(1, 7)
    pipe.send(SignalWorker(1, signal.SIGTERM))
    pipe.send(SignalWorker(2, signal.SIGKILL))
    assert pipe.recv() == Ended(2, -signal.SIGKILL)


def test_what_the_users_module_leaves_behind_harms_no_worker(begin, launch, tmp_path):
    """Handlers of signals, a stream of its own, something for the end of the process: all are harmless."""
    text = """
    import atexit, os, signal, sys
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_IGN)
    sys.stdout = open(os.devnull, "w")
    atexit.register(os._exit, 99)
    """
    (tmp_path / "toy.py").write_text(
        "\n".join(line.strip() for line in text.splitlines()).replace(
            "signal.signal(number", "    signal.signal(number"
        )
    )
    pipe, _ = begin()
    pipe.send(prepare(launch, "toy"))
    pipe.send(work(launch))
    assert pipe.recv() == Prepared()
    wait_for(launch)
    assert launch.worker_log("cpu1").read_text() == "in its log\n"
    pipe.send(SignalWorker(1, signal.SIGTERM))
    assert pipe.recv() == Ended(1, 7)


@pytest.mark.parametrize("how", ["killed", "left"])
def test_workers_end_with_it(begin, launch, how):
    """Kill -9 leaves nothing behind, and neither does a launch that is gone."""
    pipe, server = begin()
    pipe.send(prepare(launch))
    pipe.send(work(launch))
    worker = psutil.Process(wait_for(launch)["pid"])
    if how == "killed":
        server.kill()
    else:
        pipe.close()
    server.wait(timeout=20)
    psutil.wait_procs([worker], timeout=20)
    assert has_ended(worker)


def test_a_launch_that_is_gone_before_it_said_anything_ends_it(begin):
    """A command that fails has started one all the same."""
    pipe, server = begin()
    pipe.close()
    assert server.wait(timeout=30) == 0


def test_an_import_without_an_end_ends_the_launch(begin, launch, tmp_path):
    """It trains, perhaps: the launch would say nothing, for ever."""
    (tmp_path / "toy.py").write_text("import time\ntime.sleep(60)\n")
    pipe, server = begin(import_s=0.5)
    pipe.send(prepare(launch, "toy"))
    assert server.wait(timeout=30) == 1
    assert launch.ended().startswith("importing toy takes longer than 0.5 s: put what trains into a function")
    assert launch.ended() in launch.forkserver_log.read_text()


def test_it_dies_with_the_launch():
    """Kill -9 of the launch, while it imports or later."""
    code = "import subprocess, sys, time\n"
    code += "from sweeper.launch.forkserver_process import ForkserverProcess; import os\n"
    code += "print(ForkserverProcess(os.environ).pid, flush=True); time.sleep(60)"
    launcher = subprocess.Popen(python("-c", code), stdout=subprocess.PIPE, text=True)
    assert launcher.stdout is not None
    server = psutil.Process(int(launcher.stdout.readline()))
    launcher.kill()
    launcher.communicate()
    psutil.wait_procs([server], timeout=20)
    assert has_ended(server)


def test_a_trainer_that_starts_it_again_is_told_how_to_have_more_processes():
    """Lightning's "ddp" starts what its process was started as; what that says last is why the run failed."""
    done = subprocess.run([sys.executable, "-m", "sweeper.worker"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.search(r'^error: .*make it a script \(program: train.py\).*"ddp_fork"', last_error(done.stderr))
