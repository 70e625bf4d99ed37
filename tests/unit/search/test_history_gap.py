"""Gaps: found where an attempt went on, told of a finished run, and of no other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sweeper.run import Run, RunState
from sweeper.search.history_gap import gap_behind, gap_of, gap_where_resumed, usual_iterations, why_not_whole

DONE = Run(id="a", state=RunState.FINISHED, history=(1.0, 2.0, 3.0))


def rows(*steps: int, **more: list) -> list[dict]:
    """Make rows with these steps, and further keys."""
    return [{"_step": step, **{key: values[at] for key, values in more.items()}} for at, step in enumerate(steps)]


@pytest.mark.parametrize(
    ("before", "after", "gap"),
    [
        ((1, 2, 3), (4, 5), ""),
        ((1, 2, 3), (5, 6), "no rows between step 3 and 5"),
        ((1, 2), (4,), "no rows between step 2 and 4"),
        ((1,), (4, 5), "no rows between step 1 and 4"),
        ((1,), (4,), ""),  # nothing tells how far apart rows are
        ((400, 500, 900), (1000, 1400), ""),  # in uneven strides none leaps further than the longest
        ((400, 500, 900), (1300, 1500), ""),
        ((400, 500), (1000, 1400), "no rows between step 500 and 1000"),
        ((), (0, 1), ""),
        ((), (1, 2), ""),
        ((), (2, 3), "no rows before step 2"),
        ((), (2,), ""),
        ((1, 2, 3), (), ""),
    ],
)
def test_steps_leap_over_what_is_missing(before: tuple[int, ...], after: tuple[int, ...], gap: str) -> None:
    """Where an attempt went on, further than anywhere around."""
    assert gap_where_resumed([[rows(*before)], [rows(*after)]]) == gap


@pytest.mark.parametrize(
    ("before", "after", "gap"),
    [
        ([1, 2, 3], [4, 5], ""),
        ([1, 2, 3], [5], "no rows between epoch 3 and 5"),
        ([1, 1, 2, 2], [5, 5], ""),  # one stride alone may be chance
        ([1, 1, 2, 2, 3], [3, 5], ""),  # two strides of the three differ
        ([1, 1, 2, 2, 3], [5, 5], "no rows between epoch 3 and 5"),
        ([1, 2, 3], [3, 4], ""),
        ([3, 2, 1], [5], ""),  # it counts down
        ([1, 2, 4], [9], ""),  # uneven: a number, and no counter
        ([1.0, 2.0, 3.0], [9.0], ""),
        ([False, True], [True], ""),
        ([], [4, 5, 6], "no rows before epoch 4"),
        ([], [1, 2, 3], ""),
        ([1, 2, 3], [], ""),
    ],
)
def test_a_counter_leaps_where_steps_are_counted_on(before: list, after: list, gap: str) -> None:
    """A trainer that names no step is given the next one: what it counts itself tells of the rows between."""
    ends = len(before)
    first = rows(*range(ends), epoch=before)
    assert gap_where_resumed([[first], [rows(*range(ends, ends + len(after)), epoch=after)]]) == gap


def test_a_counter_is_looked_for_in_the_rows_that_have_it() -> None:
    """Rows between without it, and what the SDK logs itself, change nothing."""
    before = [{"_step": 0, "epoch": 1}, {"_step": 1, "loss": 2}, {"_step": 2, "epoch": 2}, {"_step": 3, "epoch": 3}]
    assert gap_where_resumed([[before], [[{"_step": 4, "loss": 7}, {"_step": 5, "epoch": 6}]]]) == (
        "no rows between epoch 3 and 6"
    )
    odd = [{"_step": step, "_runtime": step} for step in (0, 1, 2)]
    assert gap_where_resumed([[odd], [[{"_step": 3, "_runtime": 9}]]]) == ""
    # where rows are there without it, it began later
    assert gap_where_resumed([[[{"_step": 0, "loss": 1.5}]], [rows(1, 2, 3, epoch=[5, 6, 7])]]) == ""


def test_one_gap_hides_no_other() -> None:
    """A leap where another attempt went on is no stride: of five rows and two gaps the first is told."""
    pieces = [[rows(0, 1, 2, epoch=[1, 2, 3])], [rows(3, 4, epoch=[5, 6])], [rows(5, epoch=[8])]]
    assert gap_where_resumed(pieces) == "no rows between epoch 3 and 5"
    assert gap_where_resumed(pieces[1:]) == ""  # one stride alone
    assert gap_where_resumed([pieces[0], [], [rows(3, epoch=[5])]]) == "no rows between epoch 3 and 5"
    assert gap_where_resumed([[], [], [rows(4, 5, 6)]]) == "no rows before step 4"
    assert gap_where_resumed([pieces[0]]) == gap_where_resumed([]) == ""


def test_what_lies_between_the_ends_of_a_long_attempt_is_no_stride() -> None:
    """Of it only the first and the last rows are read."""
    long = [rows(0, 1, 2), rows(900, 901)]
    assert gap_where_resumed([long, [rows(902)]]) == ""
    assert gap_where_resumed([long, [rows(903)]]) == "no rows between step 901 and 903"


def test_a_history_that_was_emptied_must_come_as_far() -> None:
    """Fewer rows than before is a gap, as many is none."""
    assert gap_behind(3, 4) == "3 rows, where an earlier attempt had logged 4"
    assert gap_behind(4, 4) == gap_behind(5, 4) == gap_behind(0, 0) == ""


def test_the_usual_number_of_values_is_what_uninterrupted_runs_agree_on() -> None:
    """Two at least, finished, of the sweep's own; with another number among them there is none."""
    longer = replace(DONE, history=(1.0,) * 4)
    assert usual_iterations([DONE]) is None
    assert usual_iterations([DONE, DONE]) == 3
    assert usual_iterations([DONE, DONE, longer]) is None
    for other in (
        replace(longer, interrupted=True),
        replace(longer, prior=True),
        replace(longer, state=RunState.RUNNING),
        replace(longer, state=RunState.FAILED),
    ):
        assert usual_iterations([DONE, other]) is None
        assert usual_iterations([DONE, DONE, other]) == 3


def test_a_gap_is_told_of_a_finished_run() -> None:
    """What its server found, that it has no value, or that others had more; of one that goes on or failed nothing."""
    found = replace(DONE, gap="no rows between step 3 and 5", interrupted=True)
    assert gap_of(DONE) == gap_of(DONE, 9) == ""
    assert gap_of(found) == "its history has a gap: no rows between step 3 and 5"
    for state in RunState:
        assert bool(gap_of(replace(found, state=state))) is (state is RunState.FINISHED)
    short = replace(DONE, interrupted=True)
    assert gap_of(short, 4) == "its history has a gap: 3 values, where runs that were not interrupted logged 4"
    assert gap_of(short, 3) == gap_of(short, 2) == gap_of(short) == ""
    without = Run(id="b", state=RunState.FINISHED, lacks=("loss",), interrupted=True, gap="no rows before step 2")
    assert gap_of(without, 3) == "finished without a value of `loss`"


def test_a_run_without_a_finite_value_has_no_gap_and_is_told_of() -> None:
    """All that it logged is there: NaN."""
    run = Run(id="a", state=RunState.FINISHED, nonfinite=3)
    assert (gap_of(run), why_not_whole(run)) == ("", "every value of its metric was NaN or infinite")
    short = replace(DONE, interrupted=True)
    assert why_not_whole(short, 4) == gap_of(short, 4)
    assert why_not_whole(DONE) == ""
