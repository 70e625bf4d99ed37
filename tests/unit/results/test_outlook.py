"""Whether a sweep has runs left, what would give more, and whether anybody works on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sweeper.backend.sweep_reader import AgentSeen
from sweeper.results.outlook import is_idle, not_idle, what_gives_more, why_over
from sweeper.results.status import RunCounts, RunStatus, Standing, SweepFacts, SweepStatus
from sweeper.run import RunState, SweepState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FACTS = SweepFacts(
    sweep="e/p/s", name="", url="", state=SweepState.RUNNING, method="random", metric="loss", goal="minimize"
)


def run(state: RunState = RunState.FINISHED) -> RunStatus:
    return RunStatus(
        id="r", name="", state=state, params={}, best=0.5, last=0.5, duration_s=1.0, slot="", reason="", log=""
    )


def sweep(*states: RunState, total: int | None = 2, launchers=None, **facts) -> SweepStatus:
    runs = tuple(map(run, states))
    return SweepStatus(
        facts=replace(FACTS, **facts),
        progress=RunCounts(done=len(runs), total=total, counts={}, elapsed_s=None),
        standing=Standing(best=runs[0] if runs else None),
        runs=runs,
        launchers=launchers or {},
    )


DONE, FAILED = RunState.FINISHED, RunState.FAILED


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (sweep(DONE, DONE, run_cap=2), "all 2 runs of its run_cap are done"),
        (sweep(DONE, DONE, method="grid"), "all 2 runs of its grid are done"),
        (sweep(DONE, DONE, state=SweepState.FINISHED), "all 2 combinations of its parameters are done"),
        (sweep(DONE, target=0.6), "a run has reached the target, loss 0.6"),
        (sweep(DONE, DONE), ""),
        (sweep(DONE, method="grid"), ""),
        (sweep(DONE, RunState.PREEMPTED, run_cap=2), ""),
        (sweep(DONE, DONE, total=None), ""),
        (sweep(), ""),
    ],
)
def test_why_a_sweep_is_over(status, why):
    """Its cap, its grid, its target; a run that waits or works may yet change it, and W&B draws again."""
    assert why_over(status) == why


def test_what_gives_more():
    """Failed runs can be tried again; else it is another file."""
    assert "`sweeper retry e/p/s` hands out again what failed (1)" in what_gives_more(sweep(DONE, FAILED, run_cap=2))
    assert "a higher `run_cap:`" in what_gives_more(sweep(DONE, DONE, run_cap=2))
    assert "more values" in what_gives_more(sweep(DONE, DONE, method="grid"))
    assert "a better `target:`" in what_gives_more(sweep(DONE, target=0.6))
    assert "retry" not in what_gives_more(sweep(FAILED, state=SweepState.CANCELED))


def idle(status: SweepStatus, *agents: AgentSeen, worked_until: datetime | None = None) -> bool:
    return is_idle(status, agents, host="here", worked_until=worked_until, now=NOW)


def seen(host: str, seconds_ago: float) -> AgentSeen:
    return AgentSeen(host, NOW - timedelta(seconds=seconds_ago))


@pytest.mark.parametrize(
    "status",
    [
        sweep(RunState.RUNNING),
        sweep(RunState.PREEMPTING),
        sweep(launchers={7: ("cpu0",)}),
        sweep(state=SweepState.PAUSED),
        sweep(state=SweepState.FINISHED),
        sweep(state=SweepState.CANCELED),
    ],
)
def test_a_sweep_with_somebody_at_work_or_nothing_to_do_is_not_idle(status):
    """A run or a launch tells, whatever its agents do."""
    assert not_idle(status)
    assert not idle(status)


def test_a_sweep_is_idle_when_no_agent_is_heard():
    """One that waits asks every 5 s, wherever it is."""
    assert idle(sweep(DONE))
    assert idle(sweep(state=SweepState.PENDING))
    assert idle(sweep(DONE), seen("there", 60))
    assert not idle(sweep(DONE), seen("there", 60), seen("there", 3))


def test_the_agents_of_a_launch_that_has_ended_do_not_count():
    """This machine's own notes are newer than what the server remembers of them."""
    ended = NOW - timedelta(seconds=1)
    assert idle(sweep(DONE), seen("here", 3), worked_until=ended)
    assert not idle(sweep(DONE), seen("here", 0.5), worked_until=ended)
    assert not idle(sweep(DONE), seen("here", 3))
    assert not idle(sweep(DONE), seen("there", 3), worked_until=ended)
