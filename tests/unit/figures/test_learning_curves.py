"""Learning curves: stops, rungs, and no more lines than can be seen."""

from __future__ import annotations

from sweeper.figures.learning_curves import MOST_RUNS, learning_curves
from tests.unit.figures.conftest import drawn, make_run, texts

CURVE = ((1, 0.1), (2, 0.5), (9, 0.9))


def test_stopped_runs_end_in_a_cross_and_rungs_are_shown(read):
    """Who looks sees where early termination judged, and whom it ended."""
    runs = [make_run(1, 0.9), make_run(2, 0.5, "stopped"), make_run(3, 0.1, "failed"), make_run(4)]
    curves = {"r1": CURVE, "r2": CURVE[:2], "r3": CURVE[:1]}
    root = read(learning_curves(runs, curves, (3, 9, 27), "acc", "maximize"))
    assert len(drawn(root, "cross")) == 2
    assert [text for text in texts(root) if text.startswith("rung")] == ["rung 3", "rung 9"]
    assert len(drawn(root, "top")) == 2


def test_a_run_of_one_value_is_a_dot(read):
    """One value makes no line."""
    root = read(learning_curves([make_run(1, 0.9)], {"r1": ((1, 0.9),)}, (), "acc", "maximize"))
    assert len(drawn(root, "d0") + drawn(root, "d7")) == 3  # the dot, and the scale of colours beside it


def test_without_curves_there_is_no_figure():
    """Runs that have logged nothing have none."""
    assert learning_curves([make_run(1)], {}, (3,), "acc", "maximize") is None
    assert learning_curves([], {}, (), "acc", "maximize") is None


def test_ten_thousand_runs_are_thinned(read):
    """The best and some of all ranks are drawn, and it says so."""
    runs = [make_run(i, float(i)) for i in range(1, 10_001)]
    figure = learning_curves(runs, {run.id: CURVE for run in runs}, (), "acc", "maximize")
    assert str(MOST_RUNS) in figure.note
    assert len(figure.body) < 200_000
    assert len(drawn(read(figure), "top")) == 10
