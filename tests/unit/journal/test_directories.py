"""The sweep's folder: what workers and launcher share through files."""

from __future__ import annotations

import json
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
from sweeper.journal.failures import Kind, Policy
from sweeper.ref import SweepRef


@pytest.fixture
def directory(tmp_path) -> SweepDir:
    return SweepDir.of(tmp_path, SweepRef("e", "p", "s"))


@pytest.fixture
def launch(directory) -> LaunchDir:
    return directory.new_launch()


def test_exactly_count_tickets_are_given_out(launch):
    """Sixteen takers at once get ten tickets, each a different one."""
    with ThreadPoolExecutor(16) as pool:
        taken = list(pool.map(lambda _: launch.take_ticket(10), range(16)))
    assert sorted(ticket for ticket in taken if ticket) == list(range(1, 11))
    assert taken.count(None) == 6


def test_a_returned_ticket_is_taken_again(launch):
    """A ticket that got no run is not lost."""
    assert [launch.take_ticket(2), launch.take_ticket(2), launch.take_ticket(2)] == [1, 2, None]
    launch.return_ticket(1)
    assert launch.take_ticket(2) == 1


def test_without_a_count_there_is_always_a_ticket(launch):
    """A launch without --count goes on until the sweep ends."""
    assert [launch.take_ticket(None) for _ in range(3)] == [1, 2, 3]
    assert launch.tickets_left(None)


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


def test_the_newest_word_about_a_run_wins_wherever_it_was_written(launch):
    """A run that failed on one slot and finished on another has finished."""
    launch.append(
        Attempt(run_id="r1", slot="gpu1", outcome=AttemptOutcome.DIED, kind=Kind.LOST, policy=Policy.RETRY_ELSEWHERE)
    )
    launch.append(Attempt(run_id="r1", slot="gpu0", outcome=AttemptOutcome.FINISHED))
    assert launch.attempts()["r1"].outcome is AttemptOutcome.FINISHED
    assert [attempt.kind for attempt in launch.history()] == [Kind.LOST, None]


def test_tickets_know_their_slot(launch):
    """What a dead worker held can be given back."""
    assert [launch.take_ticket(3, "gpu0"), launch.take_ticket(3, "gpu1"), launch.take_ticket(3, "gpu0")] == [1, 2, 3]
    assert launch.tickets_of("gpu0") == [1, 3]
    assert not launch.tickets_left(3)
    launch.return_ticket(3)
    assert launch.tickets_left(3)


def test_the_first_reason_to_end_a_launch_stays(launch):
    """No worker starts another run, and the launcher can say why."""
    assert launch.ended() == ""
    launch.end("broken")
    launch.end("late")
    assert launch.ended() == "broken"


def test_a_launch_is_known_to_live_as_long_as_its_launcher(launch):
    """The kernel lets go of a dead launcher's lock; a launch that never began has none."""
    assert launch.launcher() is None
    with launch.held():
        assert launch.launcher() == os.getpid()
    assert launch.launcher() is None


def test_when_a_launch_ended_is_known(launch):
    """What its agents told a server before that is no sign of life."""
    assert launch.worked_until() == 0
    with launch.held():
        os.utime(launch.path / "launcher", (1, 1))
        assert launch.worked_until() == 1
    assert launch.worked_until() > 1


def test_lines_of_the_first_version_are_read(launch):
    """A launch that an older version has started, or still runs, is found by `status` and `logs`."""
    old = {
        "run_id": "r1",
        "slot": "gpu0",
        "outcome": "died",
        "reason": "its worker died",
        "kind": "lost",
        "policy": "retried, on another slot if one is free",
        "at": 1790000000.5,
        "ticket": 4,
        "wall_s": 1.5,
        "trainer_s": None,
        "log": "/somewhere/runs/gpu0-0001.log",
        "log_tail": ["a", "b"],
        "attempt": 2,
    }
    (launch.path / "gpu0.runs.jsonl").write_text(json.dumps(old) + "\n" + '{"run_id": "r2", "slot": "gpu0"}\n')
    first = launch.attempts()["r1"]
    assert (first.outcome, first.kind, first.policy) == (AttemptOutcome.DIED, Kind.LOST, Policy.RETRY_ELSEWHERE)
    assert (first.log_tail, first.attempt, first.at) == (("a", "b"), 2, 1790000000.5)
    assert launch.attempts()["r2"] == Attempt(run_id="r2", slot="gpu0")


def test_files_stand_where_every_version_looks_for_them(directory, launch):
    """The layout is a contract between versions: these names do not change."""
    home = directory.path.parents[3]
    assert directory.path == home / "sweeps" / "e" / "p" / "s"
    assert launch.path.parent == directory.path / "launches"
    assert launch.spec("gpu0") == launch.path / "gpu0.spec.json"
    assert launch.worker_log("gpu0") == launch.path / "gpu0.log"
    assert launch.attempts_file("gpu0") == launch.path / "gpu0.runs.jsonl"
    assert launch.scheduler_log == launch.path / "scheduler.log"
    assert launch.new_run_log("gpu0") == launch.path / "runs" / "gpu0-0001.log"
    assert directory.checkpoints_of("r1") == directory.path / "checkpoints" / "r1"
    assert (directory.wandb, directory.sync) == (directory.path / "runs", directory.path / "sync")
    assert directory.background_log().name.startswith("detached-")
    assert SweepDir.of_launch(launch) == directory


def test_every_process_of_a_slot_has_a_log_of_its_own(launch):
    """The worker that replaces a dead one goes on counting; only its user may read what a trainer prints."""
    logs = [launch.new_run_log("cpu0"), launch.new_run_log("cpu1"), launch.new_run_log("cpu0")]
    assert [log.name for log in logs] == ["cpu0-0001.log", "cpu1-0001.log", "cpu0-0002.log"]
    assert logs[0].stat().st_mode & 0o777 == 0o600


def test_the_slots_of_a_launch_are_those_with_orders(launch, directory):
    """`status` shows them by the process of the launch while it lives."""
    for slot in ("gpu1", "gpu0"):
        launch.spec(slot).write_text("{}")
    assert launch.slots() == ["gpu0", "gpu1"]
    assert directory.launchers() == {}
    with launch.held():
        assert directory.launchers() == {os.getpid(): ("gpu0", "gpu1")}


def test_restarts_of_a_worker_are_counted(launch):
    """Slot by slot; none was noted where none was."""
    for slot in ("gpu0", "gpu0", "gpu1"):
        launch.note_restart(slot)
    assert [launch.restarts(slot) for slot in ("gpu0", "gpu1", "gpu2")] == [2, 1, 0]
    assert launch.slots() == []


def test_launches_of_one_second_are_told_apart(directory):
    """They are listed in the order in which they began."""
    made = [directory.new_launch() for _ in range(3)]
    assert len({launch.path for launch in made}) == 3
    assert directory.launches() == made


def test_a_stop_is_told_until_the_run_has_ended(launch):
    """Another attempt at the same run is not meant."""
    launch.order_stop("r1", asked_at_s=100.0)
    assert launch.stop_ordered("r1", since_s=99.0)
    assert launch.stop_ordered("r1", since_s=100.0)
    assert not launch.stop_ordered("r2", since_s=99.0)
    launch.forget_stop("r1")
    launch.forget_stop("r1")
    assert not launch.stop_ordered("r1", since_s=99.0)


def test_a_stop_is_of_no_attempt_that_began_after_it_was_told(launch):
    """A launcher that looks every two seconds repeats it behind the run's end, and would stop the next attempt."""
    launch.forget_stop("r1")
    launch.order_stop("r1", asked_at_s=100.0)
    assert not launch.stop_ordered("r1", since_s=100.1)
    launch.order_stop("r1", asked_at_s=100.2)
    assert launch.stop_ordered("r1", since_s=100.1)


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


def test_half_a_line_costs_no_other_one(launch):
    """A worker that was killed left it, and the one in its place writes on; what an older version joined is skipped."""
    file = launch.attempts_file("gpu0")
    launch.append(Attempt(run_id="r1", slot="gpu0"))
    with file.open("ab") as half:
        half.write('{"run_id": "r1", "reason": "é'.encode()[:-1])  # through a character
    launch.append(Attempt(run_id="r2", slot="gpu0"))
    with file.open("a") as joined:
        joined.write('{"run_id": "r3", "sl{"run_id": "r3", "slot": "gpu0"}\n')
    launch.append(Attempt(run_id="r4", slot="gpu0"))
    assert list(launch.attempts()) == ["r1", "r2", "r4"]


@pytest.mark.parametrize("news", [{"outcome": "evaporated"}, {"joules": 3.5}], ids=["a word", "a field"])
def test_lines_of_a_newer_version_cost_no_others(launch, news):
    """Whoever goes back to this version still sees what it wrote itself."""
    launch.append(Attempt(run_id="r1", slot="gpu0"))
    with launch.attempts_file("gpu0").open("a") as file:
        file.write(json.dumps({"run_id": "r2", "slot": "gpu0", **news}) + "\n")
    assert list(launch.attempts()) == ["r1"]


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
