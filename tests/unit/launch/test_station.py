"""What a station refuses, and what it takes from its job; with a server and runs in tests/e2e/test_station.py."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.journal.station_state import StationState
from sweeper.launch.cores import usable_cores
from sweeper.launch.station import DONE, FAILED, USAGE, _native_id, _Stops, _threads, main, work


@pytest.fixture
def ordered(launch, spec):
    """Write the orders of a slot, and follow them."""

    def ordered(*, environ=(), **more) -> tuple[int, StationState | None]:
        launch.spec("cpu0").unlink(missing_ok=True)
        orders = spec("cpu0")
        replace(orders, **more).save(launch.spec("cpu0"))
        code = work(launch.spec("cpu0"), dict(environ), native_id="7", node="n1")
        return code, StationState.read(launch.station("cpu0"))

    return ordered


def test_another_version_is_told_where_people_look(ordered, launch):
    """In the worker's log, whose last line is told, and for launchers beside it."""
    code, said = ordered(version="0.0.1")
    assert code == FAILED
    assert said is not None
    assert (said.state, said.native_id, said.node) == ("failed", "7", "n1")
    assert "its launch is of 0.0.1: install sweeper 0.0.1 there" in said.why
    assert launch.worker_log("cpu0").read_text().splitlines()[-1] == said.why


def test_a_gpu_that_was_asked_for_and_not_given_is_missed(ordered, spec):
    """Runs would train on the CPU without a word."""
    slot = replace(spec("cpu0").slot, device="any")
    code, said = ordered(slot=slot)
    assert code == FAILED
    assert said is not None
    assert "has given the job no GPU" in said.why


def test_a_server_in_a_folder_that_is_not_there_is_told(ordered):
    """What is shared on one machine need not be on another."""
    code, said = ordered(server="/nowhere/server")
    assert code == FAILED
    assert said is not None
    assert "/nowhere/server is not there on n1" in said.why


def test_a_launch_that_has_ended_gets_no_worker(ordered, launch):
    """Whoever waited in the queue for it ends at once, and well."""
    launch.end("the time budget is used up")
    code, said = ordered(version="0.0.1")
    assert code == DONE
    assert said is not None
    assert (said.state, said.why) == ("done", "the time budget is used up")


def test_orders_that_cannot_be_read_are_told_in_the_jobs_own_log(launch, spec, tmp_path, capsys):
    """There is no folder to write to: one that is not shared, another of its name, or half a file."""

    def told(orders: Path) -> str:
        assert work(orders, {}, native_id="7", node="n1") == FAILED
        return capsys.readouterr().err

    assert "cpu0.spec.json is not there on n1: is it on a file system that both machines share?" in told(
        launch.spec("cpu0")
    )
    copy = tmp_path / "cpu0.spec.json"
    spec("cpu0").save(copy)
    assert "is not there on n1" in told(copy)
    spec("cpu0").save(launch.spec("cpu0"))
    assert "is another folder on n1" in told(copy)
    copy.write_text("{")
    assert "cannot be read on n1" in told(copy)
    assert list(launch.path.glob("*.station.json")) == []
    assert main([]) == USAGE


def test_a_warning_and_the_stop_that_it_warned_of_are_one():
    """A second stop kills, which must not be what comes at the end of the time that was warned of."""
    stops = _Stops()
    for number in (signal.SIGUSR1, signal.SIGUSR1, signal.SIGTERM):
        stops.note(number)
    assert (stops.seen, stops.pending) == (1, [signal.SIGUSR1])
    stops.note(signal.SIGTERM)
    assert stops.seen == 2
    twice = _Stops()
    twice.note(signal.SIGTERM)
    twice.note(signal.SIGUSR1)
    twice.note(signal.SIGINT)
    assert twice.seen == 2


def test_a_job_has_the_cores_that_slurm_gave_it():
    """Where no control group says so, its variables do; never more than there are."""
    assert _threads({}) == usable_cores()
    assert _threads({"SLURM_CPUS_PER_TASK": "1", "SLURM_CPUS_ON_NODE": "8"}) == 1
    assert _threads({"SLURM_CPUS_ON_NODE": "100000"}) == usable_cores()
    assert _threads({"SLURM_CPUS_ON_NODE": "x"}) == usable_cores()


def test_a_job_is_called_what_squeue_calls_it():
    """Tasks of an array have the array's number."""
    assert _native_id({"SLURM_JOB_ID": "9", "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "2"}) == "7_2"
    assert _native_id({"SLURM_JOB_ID": "9"}) == "9"
    assert _native_id({}).isdecimal()
