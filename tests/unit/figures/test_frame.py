"""The ground of a figure with two axes."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from sweeper.figures.frame import LEFT, RIGHT, Frame, scale_of_values
from sweeper.figures.scales import ListScale, NumberScale
from sweeper.figures.style import SHADES


def test_pairs_stand_where_the_axes_say():
    """The low corner is at the bottom left; what lies beyond the plot, or has no value, has no place."""
    frame = Frame(width=300, height=200, x=NumberScale(0, 10), y=NumberScale(0, 1))
    assert frame.point(0, 0) == (LEFT, frame.up(0))
    assert frame.point(10, 1) == (300 - RIGHT, frame.up(1))
    assert frame.up(1) < frame.up(0)
    assert frame.point(11, 0) is None
    assert frame.point(None, 0) is None


def test_the_ground_has_title_ticks_and_the_name_of_what_lies_below():
    """A figure can be read without a legend."""
    frame = Frame(width=300, height=200, x=NumberScale(0, 10), y=NumberScale(0, 1))
    root = ET.fromstring(f"<svg>{frame.ground('loss', 'epoch')}</svg>")  # noqa: S314
    said = [element.text for element in root.iter("text")]
    assert said[0] == "loss"
    assert said[-1] == "epoch"
    assert {"0", "0.5", "10"} <= set(said)


def test_a_hundred_words_below_do_not_run_into_each_other():
    """Only as many are written as have room."""
    frame = Frame(width=300, height=200, x=ListScale(tuple(f"word{i}" for i in range(100))), y=NumberScale(0, 1))
    root = ET.fromstring(f"<svg>{frame.ground('loss', 'word')}</svg>")  # noqa: S314
    assert sum("wo" in (element.text or "") for element in root.iter("text")) <= 12


def test_the_scale_of_values_has_all_its_steps():
    """Worst to the left, best to the right."""
    root = ET.fromstring(f"<svg>{scale_of_values(200, 20, 'worst', 'best')}</svg>")  # noqa: S314
    assert [element.get("class") for element in root.iter("rect")] == [f"d{i}" for i in range(SHADES)]
