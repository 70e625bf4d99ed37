"""The front of two metrics."""

from __future__ import annotations

from sweeper.figures.pareto import pareto
from tests.unit.figures.conftest import HOSTILE, drawn, make_run, texts

METRICS = [("loss", "minimize"), (HOSTILE, "maximize")]


def test_the_front_is_a_line_of_circles(read):
    """Those that no other run beats stand out, each saying what it is; failed and unfinished ones are left out."""
    runs = [make_run(i, values=(float(i), float(i))) for i in range(1, 5)]
    runs += [make_run(5), make_run(6, None, "failed", values=(0.0, 9.0))]
    figure = pareto(runs, {"r1", "r2", "r3"}, METRICS, (0, 1))
    root = read(figure)
    assert len(drawn(root, "hole")) == 3
    assert len(drawn(root, "best")) == 1
    assert any("lower is better" in text for text in texts(root))
    assert figure.name == "front-1-2"


def test_without_values_there_is_none():
    """No run has both metrics yet."""
    assert pareto([make_run(1)], set(), METRICS, (0, 1)) is None
