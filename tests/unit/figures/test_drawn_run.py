"""Which runs are drawn, in which order, and how strongly."""

from __future__ import annotations

import math

from sweeper.figures.drawn_run import TOP, DrawnRun, fate_of, foremost, ranked, shades, spread
from sweeper.figures.style import SHADES
from sweeper.run import Run, RunState
from tests.unit.figures.conftest import make_run

RUNS = [make_run(1, 0.5), make_run(2, 0.9), make_run(3, 0.99, "failed"), make_run(4), make_run(5, math.nan)]


def test_what_ended_a_run_decides_how_it_is_drawn():
    """Killed is stopped, by early termination or a person; a crash is a failure, and so is no leader."""
    assert {fate_of(state) for state in RunState} == {"finished", "running", "stopped", "failed", "waiting"}
    drawn = {state: DrawnRun.of(Run(id="r", state=state), 1, "x", 0.5) for state in RunState}
    assert drawn[RunState.KILLED].fate == "stopped"
    assert drawn[RunState.CRASHED].fate == "failed"
    assert drawn[RunState.PREEMPTED].fate == "waiting"
    assert [run.leads for run in drawn.values()] == [state not in {"failed", "crashed", "killed"} for state in drawn]


def test_the_best_come_first_and_failures_never_lead():
    """A failed run with the best value stands behind all that did not fail; NaN is no value."""
    assert [run.number for run in ranked(RUNS, "maximize")][:2] == [2, 1]
    assert [run.number for run in ranked(RUNS, "minimize")][:2] == [1, 2]
    assert [run.leads for run in RUNS] == [True, True, False, False, False]


def test_a_picture_says_what_it_leaves_out():
    """Of too many runs the best are drawn, or some of all ranks, and a sentence says so."""
    assert foremost(RUNS, "maximize", 9) == (ranked(RUNS, "maximize"), "")
    shown, note = foremost(RUNS, "maximize", 1)
    assert ([run.number for run in shown], note) == ([2], "The best 1 of 5 runs.")
    many = [make_run(i, float(i)) for i in range(1, 1001)]
    shown, note = spread(many, "maximize", 100)
    assert len(shown) == len({run.id for run in shown}) == 100
    assert [run.number for run in shown[:TOP]] == list(range(1000, 990, -1))
    assert shown[-1].number < 20
    assert "100 of 1000" in note
    assert spread(RUNS, "maximize", 9)[1] == ""


def test_colours_go_by_rank():
    """A run that is far off does not make all others look the same."""
    many = [make_run(i, float(i)) for i in range(1, 101)] + [make_run(101, 1e9)]
    found = shades(many, "maximize")
    assert found["r101"] == SHADES - 1
    assert found["r1"] == 0
    assert set(found.values()) == set(range(SHADES))
    assert shades(RUNS, "maximize") == {"r2": SHADES - 1, "r1": 0}


def test_what_a_pointer_reads_is_short():
    """Id, value, fate and parameters, in one line."""
    assert make_run(3, 0.98765).told == "r3 · 0.9877 · finished: lr=3"
    assert make_run(4, label="x" * 999).told.startswith("r4 · no value · finished")
    assert len(make_run(4, label="x" * 999).told) == 240
