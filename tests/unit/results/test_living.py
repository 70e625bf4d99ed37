"""Launches under way on this machine."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.directories import SweepDir
from sweeper.ref import SweepRef
from sweeper.results.living import LivingLaunch, gpus_of, living_launches, natural, planned_runs, slot_rows
from sweeper.results.status import RunStatus
from sweeper.run import RunState
from sweeper.worker.spec import Slot, WorkerSpec

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RUN = RunStatus(
    id="r", name="r", state=RunState.FINISHED, params={}, best=None, last=None, duration_s=1.0, slot="",
    reason="", log="",
)  # fmt: skip


def runs(*states: RunState) -> list[RunStatus]:
    return [replace(RUN, id=f"r{place}", state=state) for place, state in enumerate(states)]


def test_a_launch_under_way_is_read_with_its_orders(tmp_path):
    """Devices, count, runs and restarts; a slot with half an order is there, too; one that has ended is not."""
    directory = SweepDir.of(tmp_path, SweepRef("e", "p", "s"))
    launch = directory.new_launch()
    for name, device in (("gpu0", "GPU-1"), ("gpu1", "GPU-2")):
        slot = Slot(name=name, device=device, threads=1)
        WorkerSpec(sweep="e/p/s", trainer="t:t", slot=slot, count=6, directory=str(launch.path)).save(launch.spec(name))
    launch.spec("gpu2").write_text("{", encoding="utf-8")
    launch.append(Attempt(run_id="a", slot="gpu0"))
    launch.note_restart("gpu1")
    launch.note_restart("gpu1")
    assert living_launches(directory) == ()
    with launch.held():
        (read,) = living_launches(directory)
    devices = {"gpu0": "GPU-1", "gpu1": "GPU-2", "gpu2": ""}
    assert read == LivingLaunch(pid=os.getpid(), devices=devices, count=6, runs=frozenset({"a"}), restarts={"gpu1": 2})


def test_the_count_of_a_launch_is_the_end_of_the_sweep():
    """Four runs were there, it has begun two of its six; what waits is one of them; a run_cap ends it sooner."""
    made = runs(*[RunState.FINISHED] * 4, RunState.RUNNING, RunState.FAILED, RunState.PENDING)
    launch = LivingLaunch(pid=1, devices={"cpu0": ""}, count=6, runs=frozenset({"r4", "r5"}))
    assert planned_runs(None, made, [launch]) == 10
    assert planned_runs(8, made, [launch]) == 8
    assert planned_runs(None, made, [launch, replace(launch, count=3, runs=frozenset())]) == 13


@pytest.mark.parametrize("total", [None, 20])
def test_without_a_count_the_sweep_says_when_it_ends(total):
    """So does it where no launch is under way."""
    endless = LivingLaunch(pid=1, devices={"cpu0": ""})
    assert planned_runs(total, runs(RunState.RUNNING), [endless, replace(endless, count=5)]) == total
    assert planned_runs(total, [], []) == total


def test_a_slot_tells_what_it_is_at():
    """Its run, how far that is, when it was last heard; a free one tells that, too, and slots stand in their order."""
    heard = NOW - timedelta(seconds=4)
    going = replace(RUN, id="b", state=RunState.RUNNING, iterations=7, heard_at=heard)
    attempts = [
        Attempt(run_id="a", slot="gpu10", outcome=AttemptOutcome.FINISHED, at=1),
        Attempt(run_id="b", slot="gpu10", at=2),
        Attempt(run_id="gone", slot="gpu9", at=3),
    ]
    launch = LivingLaunch(pid=7, devices={"gpu10": "GPU-1", "gpu9": "GPU-2"}, restarts={"gpu10": 2})
    free, busy = slot_rows([launch], attempts, [replace(RUN, id="a"), going], now=NOW)
    assert (free.name, free.run, free.heard_s, free.restarts) == ("gpu9", "", None, 0)
    assert (busy.name, busy.launcher, busy.device) == ("gpu10", 7, "GPU-1")
    assert (busy.run, busy.step, busy.heard_s, busy.restarts) == ("b", 7, 4.0, 2)


@pytest.mark.parametrize(
    ("slot", "gpus"),
    [("gpu0", 1), ("gpu0-3", 4), ("gpu0+2", 2), ("gpu0+2+5", 3), ("gpu0.1", 1), ("gpu0-1.1", 2), ("cpu1", 1), ("", 1)],
)
def test_a_run_on_several_gpus_uses_all_of_them(slot, gpus):
    """An hour on four is four GPU hours."""
    assert gpus_of(slot) == gpus


def test_slots_are_sorted_as_people_count():
    """And names without numbers do no harm."""
    assert sorted(["gpu10", "x", "gpu9", "gpu0.1", ""], key=natural) == ["", "gpu0.1", "gpu9", "gpu10", "x"]
