"""Tickets and records: what workers and launcher share through files."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from sweeper.launch.base import LaunchDir, Slot, SweepDir, WorkerSpec
from sweeper.record import Outcome, RunRecord
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


def test_the_newest_record_of_a_run_counts(directory, launch):
    """Records of all workers and launches are read; a half-written line is not."""
    launch.append(RunRecord(run_id="r1", slot="gpu0"))
    launch.append(RunRecord(run_id="r1", slot="gpu0", outcome=Outcome.FINISHED, wall_s=2.0))
    launch.append(RunRecord(run_id="r2", slot="gpu1"))
    with launch.records_file("gpu1").open("a") as file:
        file.write('{"run_id": "r3", "sl')
    other = directory.new_launch()
    other.append(RunRecord(run_id="r4", slot="gpu0", outcome=Outcome.FAILED, reason="ValueError: no"))
    records = directory.records()
    assert set(records) == {"r1", "r2", "r4"}
    assert records["r1"].outcome is Outcome.FINISHED
    assert records["r2"].outcome is None


def test_orders_survive_the_way_through_their_file(tmp_path):
    """A worker reads what the launcher wrote."""
    spec = WorkerSpec(
        sweep="e/p/s",
        trainer="a.b:c",
        slot=Slot(name="gpu1", device="1", threads=2),
        count=3,
        directory=str(tmp_path),
        grace_s=5.0,
    )
    spec.save(tmp_path / "spec.json")
    assert WorkerSpec.load(tmp_path / "spec.json") == spec
