"""Where the processes of runs come from."""

from __future__ import annotations

import multiprocessing
import os
import signal

import psutil
import pytest

from sweeper.backend import transaction_log
from sweeper.backend.own_server import OwnServer
from sweeper.backend.transaction_log import new_record
from sweeper.errors import BackendError
from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.ref import RunRef, SweepRef
from sweeper.settings import Backend, Settings
from sweeper.worker.run_processes import RunProcesses
from sweeper.worker.spec import Slot, WorkerSpec
from tests.conftest import has_ended


@pytest.fixture
def launch(tmp_path) -> LaunchDir:
    return SweepDir.of(tmp_path, SweepRef("e", "p", "s")).new_launch()


def answer(method: str, launch: LaunchDir, pipe) -> None:
    """In a process of its own, as a worker: make one process, and say how it answers to what its worker does."""

    def note(*_: object) -> None:
        raise AssertionError("this is the worker's")

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, note)
    slot = Slot(name="cpu0", device="", threads=1)
    spec = WorkerSpec(sweep="e/p/s", trainer="json:toy", slot=slot, count=1, directory=str(launch.path))
    processes = RunProcesses(spec, launch, method)
    handle = processes.new()
    while not handle.ended:
        handle.next_message(1.0)
    pipe.send((handle.setup_error, handle.pid != os.getpid()))
    other = processes.new()
    other.send(signal.SIGTERM)
    while not other.ended:
        other.next_message(1.0)
    pipe.send(other.exit_code)
    pipe.send(processes.new().pid)
    signal.pause()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_runs_process_is_its_own_and_dies_with_its_worker(launch, method):
    """However it is made: it has none of the worker's handlers, and a worker that is killed leaves none behind."""
    here, there = multiprocessing.Pipe()
    worker = multiprocessing.get_context("spawn").Process(target=answer, args=(method, launch, there))
    worker.start()
    there.close()
    error, is_another = here.recv()
    assert "json has no function 'toy'" in error
    assert is_another
    assert here.recv() == -signal.SIGTERM
    child = psutil.Process(here.recv())
    worker.kill()
    worker.join()
    psutil.wait_procs([child], timeout=20)
    assert has_ended(child)


@pytest.mark.parametrize(("state", "becomes"), [("pending", "preempted"), ("failed", "failed")])
def test_what_a_dead_process_had_logged_is_delivered_before_its_run_is_told_on(
    launch, embedded, monkeypatch, state, becomes
):
    """Under the name of that process, which is then heard no more."""
    _, (run,) = embedded.sweep(None)
    environ = {"WANDB_BASE_URL": embedded.url, "WANDB_API_KEY": embedded.wire.key, "WANDB_DIR": str(launch.path)}
    for name, value in {**environ, "WANDB_SILENT": "true"}.items():
        monkeypatch.setenv(name, value)
    log = launch.path / "wandb" / f"run-1-{run}" / f"run-{run}.wandb"
    log.parent.mkdir(parents=True)
    record = new_record()
    record.history.item.add(nested_key=["_step"], value_json="1")
    transaction_log.write(log, b":W&B\x00\x00\x00", [record])
    slot = Slot(name="cpu0", device="", threads=1)
    spec = WorkerSpec(sweep="e/p/s", trainer="json:toy", slot=slot, count=1, directory=str(launch.path))
    ref = RunRef("local", "p", run)
    assert RunProcesses(spec, launch, "spawn").set_state(ref, state, "it died", "dead") == ""
    assert [row["_step"] for row in embedded.wire.history(run)] == [0, 1]
    assert embedded.wire.run(run, "state")["state"] == becomes
    late = Backend(kind="local", base_url=embedded.url, api_key=embedded.wire.key)
    with pytest.raises(BackendError, match="HTTP status 400"):
        OwnServer(late, Settings(home=launch.path)).put_rows(ref, 2, ["{}"], {}, holder="dead")
