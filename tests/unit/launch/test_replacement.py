"""What becomes of a slot whose worker has ended."""

from __future__ import annotations

import pytest

from sweeper.errors import LaunchError
from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.failures import Failure, Kind, Policy
from sweeper.launch.launcher import WorkerHandle, WorkerState
from sweeper.launch.replacement import RESTARTS, Replacement, check_needs
from sweeper.ref import SweepRef
from tests.unit.launch.test_foreground import Cluster


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(lambda _spec, _number: WorkerState.DIED)


@pytest.fixture
def care(launch, spec, cluster) -> Replacement:
    return Replacement(SweepRef("e", "p", "s"), launch, cluster, orders=spec, retries=2)


HANDLE = WorkerHandle(id="cpu0", native_id="1")


def test_a_slot_gets_so_many_workers_and_no_more(care, cluster, launch):
    """What a dead one left is ended before; each is noted for `status`."""
    for number in range(RESTARTS):
        assert care.replace(HANDLE, WorkerState.DIED) is not None
        assert (cluster.cleared, launch.restarts("cpu0")) == (number + 1, number + 1)
    assert care.replace(HANDLE, WorkerState.DIED) is None
    assert {spec.slot.name for spec in cluster.started} == {"cpu0"}


def test_one_that_gave_up_has_no_successor(care):
    """It knew why, and so would the next one."""
    assert care.replace(HANDLE, WorkerState.FAILED) is None


def test_one_that_had_no_more_to_do_has_one_if_a_run_waits(care, launch):
    """It found no ticket, and one came back since; not when the launch has ended."""
    assert care.replace(HANDLE, WorkerState.DONE) is None
    failure = Failure(Kind.CRASH, "SIGSEGV", Policy.RETRY_ELSEWHERE)
    launch.append(Attempt(run_id="r1", slot="cpu1").ended(AttemptOutcome.DIED, failure))
    assert care.replace(HANDLE, WorkerState.DONE) is not None
    launch.end("enough")
    assert care.replace(HANDLE, WorkerState.DONE) is None


def test_without_its_folder_nothing_goes_on(tmp_path):
    """Neither does what lies below it; the way on is told."""
    check_needs([tmp_path])
    with pytest.raises(LaunchError, match="was deleted or moved away"):
        check_needs([tmp_path, tmp_path / "gone"])
