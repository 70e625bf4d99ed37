"""The launches of a sweep that are under way on this machine: their slots, and how many runs they will make."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from sweeper.journal.attempt import Attempt
from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.results.slot_status import SlotStatus
from sweeper.results.status import RunStatus
from sweeper.run import RunState
from sweeper.worker.spec import WorkerSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class LivingLaunch:
    """A launch under way.

    Attributes:
        pid: Its process.
        devices: The CUDA_VISIBLE_DEVICES of each slot, by its name.
        count: How many runs it was asked for; None for as many as the sweep has.
        runs: The runs that it has started so far.
        restarts: How often the worker of a slot was started again; slots that never were are left out.
    """

    pid: int
    devices: Mapping[str, str]
    count: int | None = None
    runs: frozenset[str] = frozenset()
    restarts: Mapping[str, int] = field(default_factory=dict)


def living_launches(directory: SweepDir) -> tuple[LivingLaunch, ...]:
    """Read the launches of a sweep that are under way on this machine, the oldest first."""
    found = ((launch.launcher(), launch) for launch in directory.launches())
    return tuple(_living(pid, launch) for pid, launch in found if pid is not None)


def _living(pid: int, launch: LaunchDir) -> LivingLaunch:
    slots, specs = launch.slots(), {}
    for slot in slots:
        # half written, or of a version that wrote it otherwise: the slot is there all the same
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            specs[slot] = WorkerSpec.load(launch.spec(slot))
    counts = {spec.tickets for spec in specs.values()}
    return LivingLaunch(
        pid=pid,
        devices={slot: specs[slot].slot.device if slot in specs else "" for slot in slots},
        count=counts.pop() if len(counts) == 1 else None,
        runs=frozenset(launch.attempts()),
        restarts={slot: number for slot in slots if (number := launch.restarts(slot))},
    )


def planned_runs(total: int | None, runs: Sequence[RunStatus], launches: Sequence[LivingLaunch]) -> int | None:
    """Count the runs there will be when the launches under way are done; None if they go on until the sweep is stopped.

    Args:
        total: How many the sweep will have; None for no end of them.
        runs: The runs there are.
        launches: The launches under way on this machine.
    """
    counts = [launch.count for launch in launches if launch.count is not None]
    if not launches or len(counts) < len(launches):
        return total
    theirs = frozenset[str]().union(*(launch.runs for launch in launches))
    waits = {RunState.PENDING, RunState.PREEMPTED}  # which one of the launches takes up
    limit = sum(counts) + sum(run.id not in theirs and run.state not in waits for run in runs)
    return limit if total is None else min(total, limit)


def slot_rows(
    launches: Iterable[LivingLaunch], attempts: Iterable[Attempt], runs: Sequence[RunStatus], *, now: datetime
) -> tuple[SlotStatus, ...]:
    """Tell what each slot of the launches under way is at.

    Args:
        launches: The launches.
        attempts: What was noted last of each run.
        runs: The runs.
        now: The time (aware).
    """
    going = {run.id: run for run in runs if not run.state.ended}
    newest = sorted((one for one in attempts if one.outcome is None and one.run_id in going), key=lambda one: one.at)
    hosts = {attempt.slot: going[attempt.run_id] for attempt in newest}
    return tuple(
        SlotStatus(
            name=name,
            launcher=launch.pid,
            device=device,
            run=run.id if (run := hosts.get(name)) else "",
            step=run.iterations if run else 0,
            heard_s=max(0.0, (now - run.heard_at).total_seconds()) if run and run.heard_at else None,
            restarts=launch.restarts.get(name, 0),
        )
        for launch in launches
        for name, device in sorted(launch.devices.items(), key=lambda item: natural(item[0]))
    )


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """Give a key by which `gpu10` stands behind `gpu9`."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.findall(r"\d+|\D+", name))


@cache
def gpus_of(slot: str) -> int:
    """Count the GPUs of a slot by its name: `gpu0-3` has four, `gpu0+2` two; a share of one counts as one."""
    if between := re.fullmatch(r"gpu(\d+)-(\d+)(?:\.\d+)?", slot):
        return max(1, int(between[2]) - int(between[1]) + 1)
    return 1 + slot.count("+")
