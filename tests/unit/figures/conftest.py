"""Runs to draw, and how a figure is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from xml.etree import ElementTree as ET

import pytest

from sweeper.figures.drawn_run import DrawnRun, Fate
from sweeper.figures.svg import Figure

HOSTILE = "<script>alert(1)</script>\"'&\x1b[31m\u202e]]>"


def make_run(number: int, value: float | None = None, fate: Fate = "finished", **more) -> DrawnRun:
    """Make a run that is called by its number."""
    more = {"params": {"lr": 0.1 * number}, "may_lead": fate != "failed", "label": f"lr={number}", **more}
    return DrawnRun(id=f"r{number}", number=number, fate=fate, value=value, **more)


@pytest.fixture
def read() -> Callable[[Figure], ET.Element]:
    """Parse a figure as a file of its own; fails where it is no XML, or has what no figure of ours has."""

    def parse(figure: Figure) -> ET.Element:
        root = ET.fromstring(figure.standalone())  # noqa: S314 our own text
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert tags <= {"svg", "title", "desc", "style", "rect", "path", "text", "circle"}
        geometry = [element.get(name, "") for element in root.iter() for name in ("d", "x", "y", "cx", "cy", "width")]
        assert not any(word in value for value in geometry for word in ("nan", "inf"))
        return root

    return parse


def texts(root: ET.Element) -> list[str]:
    """List what is written in a figure, without what only a pointer sees."""
    return [element.text or "" for element in root.iter() if element.tag.endswith("}text")]


def drawn(root: ET.Element, kind: str) -> Sequence[ET.Element]:
    """List the elements of a class."""
    return [element for element in root.iter() if kind in element.get("class", "").split()]
