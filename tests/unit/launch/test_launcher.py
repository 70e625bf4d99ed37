"""What every launcher promises: a contract suite, which each one passes with workers of its own.

A launcher's test derives a class from `LauncherContract` and gives it a fixture `launcher`. The fixture `stand` puts a
module in the worker's place.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import psutil
import pytest

from sweeper.launch.launcher import WorkerState
from sweeper.worker.spec import WorkerSpec
from tests.conftest import has_ended


def wait(condition: Callable[[], object], timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, condition
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    try:
        return has_ended(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return True


class LauncherContract:
    """What a launch relies on."""

    def test_a_worker_gets_its_orders_and_prints_to_its_log(self, launcher, launch, spec):
        """Both lie in the launch's folder, under the names that `status` and `logs` know."""
        (handle,) = launcher.start([spec("done")])
        assert handle.id == "done"
        wait(lambda: launcher.states([handle])["done"] is WorkerState.DONE)
        orders, asked = WorkerSpec.load(launch.spec("done")), spec("done")
        assert orders.slot.name == "done"
        assert replace(orders, slot=asked.slot) == asked  # device and threads may be what the worker's machine gave
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

    def test_the_end_of_a_worker_is_waited_for(self, launcher, launch, spec):
        """Whoever waits, with a limit, asks anew each time; one that is known to have ended wakes nobody again."""
        handles = launcher.start([spec("work"), spec("done")])
        wait((launch.path / "work.ready").exists)
        while launcher.states(handles)["done"].works:
            launcher.wait(0.5)
        began = time.monotonic()
        launcher.wait(0.2)
        assert time.monotonic() - began >= 0.2
        launcher.stop(handles, grace_s=0)
        while launcher.states(handles)["work"].works:
            launcher.wait(0.5)

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
            stray = int((launch.path / "stray").read_text())
            launcher.end_strays(spare=[other.pid])
            wait(lambda: is_gone(stray))
            assert launcher.states(handles)["work"] is WorkerState.RUNNING
            assert other.poll() is None
        finally:
            other.kill()
            other.wait()


def test_a_worker_that_cannot_be_told_of_may_be_at_work():
    """To start another in its place would give its run to two."""
    assert [state for state in WorkerState if state.works] == [WorkerState.RUNNING, WorkerState.UNKNOWN]
