"""Workers as processes of this machine: what every launcher promises, and what they find around them."""

from __future__ import annotations

import ctypes
import json
import os
from collections.abc import Callable, Iterator

import psutil
import pytest

from sweeper import temporary_folder
from sweeper.launch.forkserver_process import ForkserverProcess
from sweeper.launch.launcher import Launcher, WorkerState
from sweeper.launch.local import LocalLauncher, worker_environ
from sweeper.processes import PR_SET_CHILD_SUBREAPER
from tests.conftest import clean_environ, command_of
from tests.unit.launch.test_launcher import LauncherContract, wait


class TestLocalLauncher(LauncherContract):
    """It keeps the contract with real processes."""

    @pytest.fixture
    def launcher(self, local) -> Launcher:
        """One that started nothing early."""
        return local()

    @pytest.fixture
    def lose(self) -> Callable[[], None]:
        """Its machine is this one: what all workers are forked from is as much of it as can be ended."""
        return lambda: forkserver().kill()


@pytest.fixture
def environ(tmp_path, stand) -> dict[str, str]:
    return {**clean_environ(tmp_path), "PYTHONPATH": f"{stand}{os.pathsep}{tmp_path}"}


@pytest.fixture
def local(environ) -> Iterator[Callable[..., LocalLauncher]]:
    """Make launchers whose workers end with the test."""
    made: list[LocalLauncher] = []

    def local(**more) -> LocalLauncher:
        made.append(LocalLauncher(environ, **more))
        return made[-1]

    yield local
    for launcher in made:
        launcher.close()
        launcher.end_strays()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 0)  # no other test's orphans become ours


def forkserver() -> psutil.Process:
    """Find the process that workers are forked from."""
    (found,) = [child for child in psutil.Process().children() if "sweeper.worker" in command_of(child)]
    return found


def test_slots_share_one_import(local, launch, spec, tmp_path):
    """Eight workers cost the time and memory of one."""
    (tmp_path / "a.py").write_text("print('imported')\n")
    names = [f"work{number}" for number in range(4)]
    launcher = local()
    launcher.start([spec(name) for name in names])
    wait(lambda: all((launch.path / f"{name}.ready").exists() for name in names))
    assert launch.forkserver_log.read_text() == "imported\n"
    assert {child.pid for child in forkserver().children()} == {
        int((launch.path / f"{name}.ready").read_text()) for name in names
    }


def test_the_end_of_what_workers_are_forked_from_is_theirs(local, launch, spec):
    """Kill -9: all of them have died, and are replaced."""
    launcher = local()
    handles = launcher.start([spec("work"), spec("deaf")])
    wait((launch.path / "work.ready").exists)
    forkserver().kill()
    wait(lambda: {*launcher.states(handles).values()} == {WorkerState.DIED})
    (launch.path / "work.ready").unlink()
    again = launcher.replace(handles[0], spec("work"))
    wait((launch.path / "work.ready").exists)
    assert launcher.states([again])["work"] is WorkerState.RUNNING


def test_an_import_that_ends_its_process_keeps_no_worker_from_its_runs(local, spec, tmp_path):
    """The process of a run imports the module again, and tells what happens."""
    (tmp_path / "a.py").write_text("import os; os._exit(3)\n")
    launcher = local()
    handles = launcher.start([spec("done"), spec("work")])
    wait(lambda: launcher.states(handles)["done"] is WorkerState.DONE)
    assert launcher.states(handles)["work"] is WorkerState.RUNNING


def test_what_cannot_be_forked_from_is_told(local, launch, spec, stand):
    """Each worker's log says why there never was one, as its last line."""
    (stand / "sweeper" / "worker" / "preload.py").write_text("def import_sdk(): raise OSError('broken')\n")
    launcher = local()
    handles = launcher.start([spec("work")])
    wait(lambda: launcher.states(handles)["work"] is WorkerState.FAILED)
    assert "the process that workers are forked from ended" in launch.worker_log("work").read_text()


def test_a_stop_while_everything_is_imported_ends_at_once(local, launch, spec, tmp_path):
    """Nobody has a run yet that could be lost."""
    (tmp_path / "a.py").write_text("import time; time.sleep(60)\n")
    launcher = local()
    handles = launcher.start([spec("work")])
    wait(launch.forkserver_log.exists)
    launcher.stop(handles, grace_s=30)
    assert launcher.states(handles)["work"] is WorkerState.DONE
    assert not [child for child in psutil.Process().children() if "sweeper.worker" in command_of(child)]


def test_one_that_was_started_early_is_taken_if_it_has_the_threads(local, launch, spec, environ):
    """Libraries read their number when they are imported: another number needs another process."""
    fit = ForkserverProcess(worker_environ(environ, threads=3))  # as the orders say
    launcher = local(forkserver=fit)
    launcher.start([spec("work")])
    wait((launch.path / "work.ready").exists)
    assert forkserver().pid == fit.pid
    launcher.close()
    unfit = ForkserverProcess(worker_environ(environ, threads=2))
    launcher = local(forkserver=unfit)
    launcher.start([spec("deaf")])
    wait((launch.path / "deaf.ready").exists)
    assert forkserver().pid != unfit.pid
    assert json.loads((launch.path / "deaf.environ").read_text())["OMP_NUM_THREADS"] == "3"


def environ_for(environ: dict[str, str]) -> dict[str, str]:
    return worker_environ(environ, threads=3)


def test_workers_share_the_cores():
    """More threads than cores makes every run crawl; a user who sets them knows better."""
    assert environ_for({})["OMP_NUM_THREADS"] == environ_for({})["MKL_NUM_THREADS"] == "3"
    assert environ_for({"OMP_NUM_THREADS": "8"})["OMP_NUM_THREADS"] == "8"
    assert environ_for({"OMP_NUM_THREADS": "8"})["MKL_NUM_THREADS"] == "3"


def test_a_workers_modules_are_not_looked_for_where_its_user_stands():
    """That folder is for the trainer's process alone; what the user has set stays."""
    assert "PYTHONPATH" not in environ_for({})
    assert environ_for({"PYTHONPATH": "/mine"})["PYTHONPATH"] == "/mine"


def test_what_torch_has_compiled_outlives_the_launch():
    """Its cache lies beside the launch's own temporary folder, in the user's; one that they have named stays."""
    before = temporary_folder.place()
    with temporary_folder.owned():
        cache = environ_for({})["TORCHINDUCTOR_CACHE_DIR"]
    assert cache == f"{before}/torchinductor_{os.getuid()}"
    assert environ_for({"TORCHINDUCTOR_CACHE_DIR": "/mine"})["TORCHINDUCTOR_CACHE_DIR"] == "/mine"
