"""How the best value came about."""

from __future__ import annotations

from dataclasses import replace

from sweeper.results.climb import POINTS, by_value, climb
from sweeper.results.status import RunStatus
from sweeper.run import RunState, StopDecision

RUN = RunStatus(
    id="r", name="r", state=RunState.FINISHED, params={}, best=None, last=None, duration_s=1.0, slot="",
    reason="", log="",
)  # fmt: skip


def runs(*values: float | None, state: RunState = RunState.FINISHED) -> list[RunStatus]:
    return [replace(RUN, id=f"r{place}", best=value, state=state) for place, value in enumerate(values)]


def test_the_best_so_far_follows_the_goal():
    """It never gets worse; runs without a value are left out."""
    assert climb(runs(1.0, None, 3.0, 2.0, 4.0), "maximize") == (1.0, 3.0, 3.0, 4.0)
    assert climb(runs(3.0, 1.0, 2.0), "minimize") == (3.0, 1.0, 1.0)
    assert climb([], "minimize") == ()


def test_who_may_not_lead_is_no_part_of_it():
    """A run that failed or was killed by a person counts nowhere; one that was stopped early does."""
    failed, killed = runs(9.0, state=RunState.FAILED), runs(8.0, state=RunState.KILLED)
    stopped = [replace(killed[0], best=2.0, stop=StopDecision("r0", "too low"))]
    assert climb([*runs(1.0), *failed, *killed, *stopped], "maximize") == (1.0, 2.0)
    assert [run.best for run in by_value([*failed, *runs(1.0), *killed, *stopped], "maximize")] == [2.0, 1.0]


def test_of_many_runs_no_peak_is_lost():
    """A part of the points is kept, the best of all among them."""
    values = [0.0] * 9_999
    values[4321] = 1.0
    told = climb(runs(*values), "maximize")
    assert len(told) <= POINTS
    assert (told[0], told[-1]) == (0.0, 1.0)


def test_the_earliest_of_equals_is_the_best():
    """As everywhere."""
    assert [run.id for run in by_value(runs(1.0, 2.0, 2.0), "maximize")] == ["r1", "r2", "r0"]
