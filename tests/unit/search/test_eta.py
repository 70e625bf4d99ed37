"""When a sweep will be done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sweeper.results.status import RunStatus
from sweeper.run import RunState, StopDecision
from sweeper.search.eta import LATEST, eta_s

RUN = RunStatus(
    id="r", name="r", state=RunState.FINISHED, params={}, best=None, last=None, duration_s=10.0, slot="",
    reason="", log="",
)  # fmt: skip
GOING = replace(RUN, state=RunState.RUNNING)


def test_the_rest_takes_as_long_as_runs_have_taken():
    """Two slots, four runs to come after the two that are at half: 5 s, and then two rounds of 10 s."""
    going = [replace(GOING, duration_s=5.0)] * 2
    assert eta_s([RUN, RUN, *going], 8, 2) == pytest.approx(25.0)


def test_a_stop_counts_as_the_short_run_that_it_was():
    """Early termination ends runs sooner, so the sweep too."""
    stopped = replace(RUN, state=RunState.KILLED, stop=StopDecision("r", "too low"), duration_s=2.0)
    assert eta_s([RUN, stopped], 4, 1) == pytest.approx(12.0)


def test_a_run_under_way_is_none_of_those_that_failed_at_once():
    """Nine of ten fail in a second: one that has trained for 5 s goes on as the tenth did."""
    failed = replace(RUN, state=RunState.FAILED, duration_s=1.0)
    assert eta_s([RUN, *[failed] * 9, replace(GOING, duration_s=5.0)], 11, 1) == pytest.approx(5.0)


def test_how_runs_take_lately_is_what_counts():
    """A search moves to where runs are longer."""
    assert eta_s([RUN] * 1000 + [replace(RUN, duration_s=30.0)] * LATEST, 1000 + LATEST + 1, 1) == pytest.approx(30.0)


def test_a_run_that_takes_longer_than_the_others_is_about_to_end():
    """Nobody knows better."""
    assert eta_s([RUN, replace(GOING, duration_s=99.0)], 2, 1) == 0.0


def test_a_slot_more_than_there_are_runs_ends_nothing_sooner():
    """A run is not divided."""
    assert eta_s([RUN], 2, 8) == pytest.approx(10.0)


def test_a_million_runs_are_reckoned_at_once():
    """By rounds, not one by one."""
    assert eta_s([RUN], 1_000_001, 4) == pytest.approx(2_500_000.0)


@pytest.mark.parametrize(
    ("runs", "total", "slots", "told"),
    [
        ([RUN], None, 2, None),
        ([GOING], None, 2, None),
        ([GOING], 4, 1, None),
        ([RUN], 4, 0, None),
        ([], 4, 2, None),
        ([RUN, RUN], 2, 2, 0.0),
        ([replace(RUN, duration_s=None)], 4, 1, None),
    ],
)
def test_what_nobody_can_know_is_not_told(runs, total, slots, told):
    """No end, nobody at work, no run that has ended."""
    assert eta_s(runs, total, slots) == told
