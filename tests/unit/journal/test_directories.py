"""Tickets and attempts: what workers and launcher share through files."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

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
