"""Bars of importance."""

from __future__ import annotations

from sweeper.figures.importance_bars import MOST_ROWS, Weight, importance_bars
from tests.unit.figures.conftest import HOSTILE, drawn, texts


def test_two_bars_for_each_parameter(read):
    """What cannot be told says so; shares are written beside their bars."""
    root = read(importance_bars([Weight(HOSTILE, 0.6, 0.25, 40), Weight("b", None, 0.1, 40)]))
    assert {"60%", "25%", "10%", "cannot be told"} <= set(texts(root))
    assert len(drawn(root, "bar")) == 2  # one of them in the key
    assert len(drawn(root, "bar2")) == 3


def test_nothing_told_is_nothing_drawn():
    """Few runs have no importance, and no empty picture."""
    assert importance_bars([]) is None
    assert importance_bars([Weight("a", None, None, 3)]) is None


def test_only_the_first_parameters_are_drawn():
    """Forty parameters do not make a picture of a metre."""
    figure = importance_bars([Weight(f"p{i}", 0.1, 0.1, 40) for i in range(40)])
    assert figure.note == f"The first {MOST_ROWS} of 40 parameters."
    assert figure.height < 700
