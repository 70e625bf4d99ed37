"""What early termination has saved."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sweeper.run import Run, RunState, StopDecision
from sweeper.search.savings import saved_seconds, stopped_early

WHOLE = Run(id="w", state=RunState.FINISHED, history=(0.5,) * 10, duration_s=20.0)


def stopped(iterations: int, rung: int = 1) -> Run:
    decision = StopDecision("s", "asha rung 1: ...", "asha", rung, 0.1, 0.5, 4)
    return Run(id="s", state=RunState.KILLED, history=(0.1,) * iterations, stop=decision)


def test_a_stopped_run_saves_what_it_did_not_do():
    """2 s for an iteration, ten to a run: after four, 12 s are saved; a run longer than most saves nothing."""
    assert saved_seconds([WHOLE, stopped(4)]) == pytest.approx(12.0)
    assert saved_seconds([WHOLE, stopped(4), stopped(6), stopped(12)]) == pytest.approx(20.0)


def test_the_usual_run_is_the_median_of_the_finished_ones():
    """One that took an hour does not make the others look short."""
    hour = replace(WHOLE, id="h", duration_s=3600.0)
    assert saved_seconds([WHOLE, replace(WHOLE, id="v"), hour, stopped(4)]) == pytest.approx(12.0)


def test_a_run_that_logged_no_number_had_come_to_the_rung_of_its_decision():
    """Its history is empty, its iterations were done."""
    assert saved_seconds([WHOLE, stopped(0, rung=3)]) == pytest.approx(14.0)


def test_nothing_is_known_before_a_run_has_finished():
    """Without a whole run to compare with there is no sum; without a stopped one it is zero."""
    assert saved_seconds([stopped(4)]) is None
    assert saved_seconds([WHOLE]) == saved_seconds([]) == 0.0


def test_only_what_was_stopped_saves_and_only_whole_runs_are_compared_with():
    """A run under way has not done its iterations yet; one that failed is no whole run, nor one of no known time."""
    running = Run(id="r", state=RunState.RUNNING, history=(0.1,))
    failed = replace(WHOLE, id="f", state=RunState.FAILED, duration_s=4000.0)
    timeless = replace(WHOLE, id="t", duration_s=None, history=(0.5,) * 90)
    silent = replace(WHOLE, id="n", history=())
    assert saved_seconds([WHOLE, stopped(4), running, failed, timeless, silent]) == pytest.approx(12.0)
    assert saved_seconds([running, failed]) == 0.0
    assert saved_seconds([stopped(4), failed, timeless, silent]) is None


def test_a_run_that_came_further_than_its_rung_has_done_that_much():
    """It was stopped a little later; and a rung says how far one came that logged less."""
    assert saved_seconds([WHOLE, stopped(4, rung=3)]) == pytest.approx(12.0)
    assert saved_seconds([WHOLE, stopped(3, rung=4)]) == pytest.approx(12.0)
    assert saved_seconds([WHOLE, stopped(10, rung=10), stopped(11)]) == 0.0


def test_a_run_that_ended_by_itself_was_not_stopped_early():
    """The decision came too late, or a person ended it."""
    assert stopped_early(stopped(4))
    assert not stopped_early(replace(stopped(4), state=RunState.FINISHED))
    assert not stopped_early(replace(stopped(4), stop=None))
