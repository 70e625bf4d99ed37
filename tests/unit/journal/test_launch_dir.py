"""The files of one launch: what workers on any host and their launcher share through them."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.directories import SweepDir
from sweeper.journal.failures import Kind, Policy
from sweeper.journal.launch_dir import LaunchDir
from sweeper.ref import SweepRef


@pytest.fixture
def launch(tmp_path) -> LaunchDir:
    return SweepDir.of(tmp_path, SweepRef("e", "p", "s")).new_launch()


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


def test_every_process_of_a_slot_has_a_log_of_its_own(launch):
    """The worker that replaces a dead one goes on counting; only its user may read what a trainer prints."""
    logs = [launch.new_run_log("cpu0"), launch.new_run_log("cpu1"), launch.new_run_log("cpu0")]
    assert [log.name for log in logs] == ["cpu0-0001.log", "cpu1-0001.log", "cpu0-0002.log"]
    assert logs[0].stat().st_mode & 0o777 == 0o600


def test_restarts_of_a_worker_are_counted(launch):
    """Slot by slot; none was noted where none was."""
    for slot in ("gpu0", "gpu0", "gpu1"):
        launch.note_restart(slot)
    assert [launch.restarts(slot) for slot in ("gpu0", "gpu1", "gpu2")] == [2, 1, 0]
    assert launch.slots() == []


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
