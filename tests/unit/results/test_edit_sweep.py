"""What an edit comes to in words; the edit itself: tests/unit/cli/test_edit.py."""

from __future__ import annotations

from sweeper.results.edit_sweep import Effects, in_words
from sweeper.run import SweepState

RUNNING, FINISHED = SweepState.RUNNING, SweepState.FINISHED


def test_what_is_to_come_is_said():
    """How many runs, or that there is no end of them, or nothing left."""
    assert in_words(Effects(state=RUNNING, runs=3, expected_runs=10), RUNNING) == ["7 runs to come, 10 in all"]
    assert in_words(Effects(state=RUNNING, runs=3), RUNNING) == ["it goes on until stopped"]
    assert "nothing is left" in in_words(Effects(state=FINISHED, runs=3, expected_runs=3, more=False), RUNNING)[0]


def test_what_becomes_of_runs_so_far_is_said():
    """Those that the file does not ask for, and those that waited."""
    effects = Effects(state=RUNNING, runs=5, expected_runs=9, history=2, withdrawn=("a",))
    assert in_words(effects, RUNNING) == [
        "2 runs of 5 are some that the file does not ask for: kept as history",
        "1 run that waited for a slot: withdrawn",
        "4 runs to come, 9 in all",
    ]


def test_whether_an_ended_sweep_goes_on_is_said():
    """By itself if it had run out, after a word of the person if that one had stopped it."""
    assert in_words(Effects(state=RUNNING, runs=1, expected_runs=2), FINISHED)[-1].startswith("it had finished")
    assert "sweeper resume" in in_words(Effects(state=FINISHED, runs=1, expected_runs=2, stopped=True), FINISHED)[-1]
