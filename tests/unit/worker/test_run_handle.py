"""The process of a run, as its worker sees it: real processes, which get as far as they can without a server."""

from __future__ import annotations

import multiprocessing
import signal
import time

import pytest

from sweeper.worker.main_thread import Raised, Returned, Started, Stopping
from sweeper.worker.run_handle import RunHandle
from sweeper.worker.run_process import Idle
from sweeper.worker.spec import Slot, WorkerSpec


@pytest.fixture
def start(tmp_path):
    """Start the process of a run that would call a trainer."""
    started: list[RunHandle] = []

    def start(trainer: str) -> RunHandle:
        slot = Slot(name="cpu0", device="", threads=1)
        spec = WorkerSpec(sweep="e/p/s", trainer=trainer, slot=slot, count=1, directory=str(tmp_path))
        started.append(RunHandle(multiprocessing.get_context("spawn"), spec, tmp_path / "log"))
        return started[-1]

    yield start
    for handle in started:
        handle.dismiss()


def follow(handle: RunHandle, until) -> None:
    deadline = time.monotonic() + 60
    while not until():
        handle.next_message(0.1)
        assert time.monotonic() < deadline, handle.messages


def test_a_process_without_a_trainer_says_why_and_ends(start):
    """It has taken no run; its log holds the traceback."""
    handle = start("nowhere.at_all:train")
    follow(handle, lambda: handle.ended)
    assert "cannot import nowhere.at_all" in handle.setup_error
    assert (handle.run_id, handle.result, handle.exit_code) == ("", None, 0)
    assert "ModuleNotFoundError" in handle.log.read_text()
    assert not handle.renew()


def test_a_process_that_got_no_run_can_be_dismissed(start):
    """It is made ahead of its run, and a worker that has no run for it ends it."""
    handle = start("json:dumps")
    assert not handle.ended
    assert handle.let_in_at is None
    handle.dismiss()
    assert handle.exit_code == -signal.SIGKILL
    follow(handle, lambda: handle.ended)
    handle.let_in()  # too late: its end is what is read, not an error
    handle.send(signal.SIGTERM)
    assert (handle.messages, handle.setup_error) == ([], "")


def test_messages_tell_how_far_a_run_is(start):
    """A process that is idle can host another run, and forgets the last one."""
    handle = start("json:dumps")
    assert (handle.run_id, handle.stopping, handle.result) == ("", False, None)
    handle.messages += [Started("r1"), Stopping(), Raised(1.0, "E: no")]
    assert (handle.run_id, handle.stopping, handle.result) == ("r1", True, Raised(1.0, "E: no"))
    assert not handle.ended
    handle.messages.append(Idle())
    assert handle.ended
    assert handle.renew()
    assert (handle.messages, handle.run_id, handle.started_at) == ([], "", None)
    handle.messages += [Started("r2"), Returned(2.0)]
    assert handle.result == Returned(2.0)


def test_the_last_word_on_how_a_trainer_ended_counts(start):
    """It returned, and what closes its run behind it failed: what it logged last may be lost."""
    handle = start("json:dumps")
    handle.messages = [Started("r1"), Returned(1.0), Raised(0.0, "ConnectionResetError")]
    assert handle.result == Raised(0.0, "ConnectionResetError")
    handle.messages = [Started("r1"), Returned(1.0)]
    assert handle.result == Returned(1.0)
