"""What every launcher promises: a contract suite, which each one passes with real workers.

To test another launcher, derive a class from `LauncherContract` and give it a `launcher` fixture.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.launch.launcher import Launcher, WorkerState
from sweeper.launch.local import LocalLauncher
from sweeper.processes import PR_SET_CHILD_SUBREAPER
from sweeper.ref import SweepRef
from sweeper.worker.spec import Slot, WorkerSpec
from tests.conftest import clean_environ, has_ended

# In place of the module that a worker is. Slots say what it does: `done` and `fail` end by themselves, `work` ends
# with its SIGTERM, `deaf` does not, `leave` leaves a process behind.
WORKER = """
import json, os, pathlib, signal, subprocess, sys, time

spec = json.loads(pathlib.Path(sys.argv[1]).read_text())
name, folder = spec["slot"]["name"], pathlib.Path(spec["directory"])
print("hello from", name, flush=True)
(folder / f"{name}.environ").write_text(json.dumps(dict(os.environ)))
signal.signal(signal.SIGTERM, signal.SIG_IGN if name == "deaf" else lambda *_: sys.exit(0))
(folder / f"{name}.ready").write_text(str(os.getpid()))
if name == "leave":
    stray = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    (folder / "stray").write_text(str(stray.pid))
    os.kill(os.getpid(), signal.SIGKILL)
if name in {"done", "fail"}:
    sys.exit(int(name == "fail"))
time.sleep(60)
"""


def wait(condition: Callable[[], object], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, condition
        time.sleep(0.02)


@pytest.fixture
def launch(tmp_path) -> LaunchDir:
    return SweepDir.of(tmp_path, SweepRef("e", "p", "s")).new_launch()


@pytest.fixture
def spec(launch) -> Callable[[str], WorkerSpec]:
    """Write orders for a slot."""

    def spec(name: str) -> WorkerSpec:
        slot = Slot(name=name, device="", threads=3)
        return WorkerSpec(sweep="e/p/s", trainer="a:b", slot=slot, count=1, directory=str(launch.path))

    return spec


class LauncherContract:
    """What a launch relies on."""

    def test_a_worker_gets_its_orders_and_prints_to_its_log(self, launcher, launch, spec):
        """Both lie in the launch's folder, under the names that `status` and `logs` know."""
        (handle,) = launcher.start([spec("done")])
        assert handle.id == "done"
        wait(lambda: launcher.states([handle])["done"] is WorkerState.DONE)
        assert WorkerSpec.load(launch.spec("done")) == spec("done")
        assert "hello from done" in launch.worker_log("done").read_text()

    def test_each_state_is_told_by_slot(self, launcher, launch, spec):
        """One question for all of them: at work, done, given up, and ended from outside."""
        handles = launcher.start([spec("work"), spec("done"), spec("fail"), spec("leave")])
        assert [handle.id for handle in handles] == ["work", "done", "fail", "leave"]
        wait(lambda: [state.works for state in launcher.states(handles).values()] == [True, False, False, False])
        wait((launch.path / "work.ready").exists)
        assert list(launcher.states(handles).values()) == [
            WorkerState.RUNNING,
            WorkerState.DONE,
            WorkerState.FAILED,
            WorkerState.DIED,
        ]

    def test_a_gentle_stop_lets_a_worker_end_and_none_kills_it(self, launcher, launch, spec):
        """With a grace the worker decides how it ends; without one nothing is asked. One that has ended is let be."""
        handles = launcher.start([spec("work"), spec("deaf"), spec("done")])
        wait(lambda: all((launch.path / f"{handle.id}.ready").exists() for handle in handles))
        wait(lambda: not launcher.states(handles)["done"].works)
        launcher.stop(handles, grace_s=5.0)
        wait(lambda: launcher.states(handles)["work"] is WorkerState.DONE)
        assert launcher.states(handles)["deaf"] is WorkerState.RUNNING
        launcher.stop(handles, grace_s=0)
        wait(lambda: launcher.states(handles)["deaf"] is WorkerState.DIED)
        assert launcher.states(handles)["work"] is WorkerState.DONE

    def test_a_worker_that_has_ended_is_replaced(self, launcher, launch, spec):
        """The slot is the same, the worker another one; its log goes on behind the first one's."""
        (first,) = launcher.start([spec("done")])
        wait(lambda: not launcher.states([first])["done"].works)
        second = launcher.replace(first, spec("done"))
        assert second.id == first.id
        assert second.native_id != first.native_id
        wait(lambda: not launcher.states([second])["done"].works)
        assert launch.worker_log("done").read_text().count("hello from done") == 2

    def test_a_worker_at_work_is_not_replaced(self, launcher, launch, spec):
        """Two workers would share its slot, and one of them would be watched by nobody."""
        (handle,) = launcher.start([spec("work")])
        wait((launch.path / "work.ready").exists)
        with pytest.raises(ValueError, match="has not ended"):
            launcher.replace(handle, spec("work"))
        assert launcher.states([handle])["work"] is WorkerState.RUNNING

    def test_what_a_dead_worker_leaves_behind_is_ended(self, launcher, launch, spec):
        """Its GPU is free for the next worker; those at work stay, and so does what is spared."""
        handles = launcher.start([spec("work"), spec("leave")])
        other = psutil.Popen(["sleep", "60"])  # as a launch's scheduler, which is no worker
        try:
            wait((launch.path / "work.ready").exists)
            wait(lambda: not launcher.states(handles)["leave"].works)
            stray = psutil.Process(int((launch.path / "stray").read_text()))
            launcher.end_strays(spare=[other.pid])
            wait(lambda: has_ended(stray))
            assert launcher.states(handles)["work"] is WorkerState.RUNNING
            assert other.poll() is None
        finally:
            other.kill()
            other.wait()


class TestLocalLauncher(LauncherContract):
    """Workers as processes of this machine."""

    @pytest.fixture
    def launcher(self, tmp_path, monkeypatch) -> Iterator[Launcher]:
        """Stand where a package hides the real worker behind the one above, as a user stands by their trainer."""
        package = tmp_path / "stand" / "sweeper"
        (package / "worker").mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "worker" / "__init__.py").touch()
        (package / "worker" / "__main__.py").write_text(WORKER)
        monkeypatch.chdir(package.parent)
        launcher = LocalLauncher(clean_environ(tmp_path))
        yield launcher
        for process in launcher._processes.values():
            process.kill()
            process.wait()
        launcher.end_strays()
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 0)  # no other test's orphans become ours
