"""Slices: the metric over each parameter."""

from __future__ import annotations

from sweeper.figures.scales import ParameterAxis
from sweeper.figures.slices import MOST_SLICES, slices
from tests.unit.figures.conftest import drawn, make_run, texts


def test_a_picture_for_each_parameter_on_one_scale(read):
    """They can be compared: the same values stand at the same height. Failed runs are not in them."""
    runs = [make_run(i, i / 10, params={"lr": 10.0**-i, "kind": "ab"[i % 2]}) for i in range(1, 6)]
    found = slices(
        [*runs, make_run(9, 5.0, "failed")],
        [ParameterAxis("lr", log=True), ParameterAxis("kind", ("a", "b"))],
        "acc",
        "maximize",
    )
    assert [figure.name for figure in found] == ["slice-1", "slice-2"]
    first, second = map(read, found)
    assert texts(first)[-1] == "lr (log)"
    heights = [sorted(float(dot.get("cy")) for dot in drawn(root, "ring")) for root in (first, second)]
    assert heights[0] == heights[1]
    assert len(heights[0]) == 5


def test_without_values_there_are_none():
    """No metric, no runs, all failed: nothing to draw."""
    assert slices([], [ParameterAxis("lr")], "acc", "maximize") == []
    assert slices([make_run(1, 0.1, "failed")], [ParameterAxis("lr")], "acc", "maximize") == []


def test_many_runs_are_dots_without_words():
    """A thousand runs are ten elements with words, and the rest in one per colour."""
    runs = [make_run(i, float(i)) for i in range(1, 10_001)]
    (figure,) = slices(runs, [ParameterAxis("lr")], "acc", "maximize")
    assert figure.body.count("<circle") == 10
    assert figure.body.count('class="dots') == 8
    assert "of 10000 runs" in figure.note
    assert len(slices(runs[:3], [ParameterAxis(f"p{i}") for i in range(50)], "acc", "maximize")) == MOST_SLICES
