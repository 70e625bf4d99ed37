"""The sweep's folder: what workers and launcher share through files."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from sweeper import private_files
from sweeper.errors import SweeperError
from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.journal.failures import Kind
from sweeper.ref import SweepRef


@pytest.fixture
def directory(tmp_path) -> SweepDir:
    return SweepDir.of(tmp_path, SweepRef("e", "p", "s"))


@pytest.fixture
def launch(directory) -> LaunchDir:
    return directory.new_launch()


def test_the_newest_record_of_a_run_counts(directory, launch):
    """Records of all workers and launches are read; a half-written line is not."""
    launch.append(Attempt(run_id="r1", slot="gpu0"))
    launch.append(Attempt(run_id="r1", slot="gpu0", outcome=AttemptOutcome.FINISHED, wall_s=2.0))
    launch.append(Attempt(run_id="r2", slot="gpu1"))
    with launch.attempts_file("gpu1").open("a") as file:
        file.write('{"run_id": "r3", "sl')
    other = directory.new_launch()
    other.append(Attempt(run_id="r4", slot="gpu0", outcome=AttemptOutcome.FAILED, reason="ValueError: no"))
    attempts = directory.attempts()
    assert set(attempts) == {"r1", "r2", "r4"}
    assert attempts["r1"].outcome is AttemptOutcome.FINISHED
    assert attempts["r2"].outcome is None


def test_files_stand_where_every_version_looks_for_them(directory, launch):
    """The layout is a contract between versions: these names do not change."""
    home = directory.path.parents[3]
    assert directory.path == home / "sweeps" / "e" / "p" / "s"
    assert launch.path.parent == directory.path / "launches"
    assert launch.spec("gpu0") == launch.path / "gpu0.spec.json"
    assert launch.worker_log("gpu0") == launch.path / "gpu0.log"
    assert launch.attempts_file("gpu0") == launch.path / "gpu0.runs.jsonl"
    assert launch.station("gpu0") == launch.path / "gpu0.station.json"
    assert launch.scheduler_log == launch.path / "scheduler.log"
    assert launch.new_run_log("gpu0") == launch.path / "runs" / "gpu0-0001.log"
    assert directory.checkpoints_of("r1") == directory.path / "checkpoints" / "r1"
    assert (directory.wandb, directory.sync) == (directory.path / "runs", directory.path / "sync")
    assert directory.background_log().name.startswith("detached-")
    assert SweepDir.of_launch(launch) == directory


def test_the_slots_of_a_launch_are_those_with_orders(launch, directory):
    """`status` shows them by the process of the launch while it lives."""
    for slot in ("gpu1", "gpu0"):
        launch.spec(slot).write_text("{}")
    assert launch.slots() == ["gpu0", "gpu1"]
    assert directory.launchers() == {}
    with launch.held():
        assert directory.launchers() == {os.getpid(): ("gpu0", "gpu1")}


def test_launches_of_one_second_are_told_apart(directory):
    """They are listed in the order in which they began."""
    made = [directory.new_launch() for _ in range(3)]
    assert len({launch.path for launch in made}) == 3
    assert directory.launches() == made


@pytest.mark.parametrize("run_id", ["../x", "/x", "..", "a/b"])
def test_no_run_lies_outside_its_folder(directory, launch, run_id):
    """Whoever gave it its id: checkpoints, models and stops of runs are where they belong."""
    for place in (
        directory.best_of,
        directory.checkpoints_of,
        partial(launch.order_stop, asked_at_s=0.0),
        partial(launch.stop_ordered, since_s=0.0),
        launch.forget_stop,
    ):
        with pytest.raises(SweeperError, match="cannot be the id of a run"):
            place(run_id)


def test_a_launch_is_its_users_alone(tmp_path):
    """Records, reasons and ends of logs lie where nobody else can enter, whatever an older version left."""
    (tmp_path / "sweeps").mkdir(mode=0o755)
    before = os.umask(0)
    try:
        launch = SweepDir.of(tmp_path, SweepRef("e", "p", "s")).new_launch()
        launch.append(Attempt(run_id="r1", slot="cpu0", log="x"))
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "sweeps", *(tmp_path / "sweeps").rglob("*"))} == {0}


def test_failures_are_counted_over_all_launches_and_preemptions_are_not(directory, launch):
    """Retries are a run's, not a launch's; that a machine was taken away is nobody's fault."""
    for kind, where in ((Kind.CRASH, launch), (Kind.PREEMPTED, launch), (Kind.LOST, directory.new_launch())):
        where.append(Attempt(run_id="r1", slot="cpu0"))
        where.append(Attempt(run_id="r1", slot="cpu0", outcome=AttemptOutcome.DIED, kind=kind))
    launch.append(Attempt(run_id="r2", slot="cpu0", outcome=AttemptOutcome.DIED, kind=Kind.TIMEOUT))
    assert directory.earlier_failures("r1") == (Kind.CRASH, Kind.LOST)


def test_known_sweeps_are_those_with_a_folder(tmp_path, directory):
    """Their full names are in their paths; models that were downloaded are found by run."""
    directory.new_launch()
    assert [known.ref for known in SweepDir.known(tmp_path)] == [SweepRef("e", "p", "s")]
    assert SweepDir.known(tmp_path / "nowhere") == []
    directory.best_of("r1").mkdir(parents=True)
    (directory.best_of("r1") / "net.onnx").touch()
    assert directory.models() == {"r1": str(directory.path / "best" / "r1" / "net.onnx")}


def test_sweeps_that_confirm_one_are_noted_once_each(directory):
    """Where a server does not tell; none before the first."""
    assert directory.confirmed_by() == ()
    private_files.make_folder(directory.path)
    for name in ("c1", "c2", "c1"):
        directory.note_confirming(name)
    assert directory.confirmed_by() == ("c1", "c2")


def test_a_folder_is_read_while_workers_take_and_return_what_is_in_it(directory, launch):
    """A ticket, a stop or a slot's notes that vanish between the list and the look are not there, and no error."""
    ended = threading.Event()

    def shuffle() -> None:
        while not ended.is_set():
            for _ in range(4):
                launch.return_ticket(launch.take_ticket(4, "cpu1") or 0)
                launch.order_stop("r1", asked_at_s=1.0)
                launch.forget_stop("r1")
            launch.append(Attempt(run_id="r", slot="cpu1"))
            launch.attempts_file("cpu1").unlink()
            directory.best_of("r").mkdir(parents=True, exist_ok=True)
            (directory.best_of("r") / "m.onnx").touch()
            (directory.best_of("r") / "m.onnx").unlink()
            directory.best_of("r").rmdir()

    with ThreadPoolExecutor() as pool:
        work = pool.submit(shuffle)
        try:
            until = time.monotonic() + 1.5
            while time.monotonic() < until:
                assert launch.tickets_of("cpu0") == []
                assert launch.tickets_left(5)
                assert launch.stop_ordered("r1", since_s=2.0) is False
                assert {attempt.run_id for attempt in directory.history()} <= {"r"}
                assert set(directory.models()) <= {"r"}
                assert launch.restarts("cpu1") == 0
        finally:
            ended.set()
        work.result()
