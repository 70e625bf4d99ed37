"""SVG as text: hostile text is harmless, long text is cut and whole under a pointer."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from sweeper.figures import svg
from sweeper.figures.svg import Figure
from tests.unit.figures.conftest import HOSTILE


def test_the_text_of_others_stays_text():
    """A name may hold tags, quotes and what a terminal obeys: it is shown, and does nothing."""
    for drawn in (
        svg.label(0, 0, HOSTILE, room=20),
        svg.dot(0, 0, "v1", HOSTILE),
        svg.cross(0, 0, "v", HOSTILE),
    ):
        root = ET.fromstring(f"<svg>{drawn}</svg>")  # noqa: S314 what is tested
        assert [element.tag for element in root.iter()][1:] in (
            ["text", "title"],
            ["circle", "title"],
            ["path", "title"],
        )
        assert "\x1b" not in drawn
        assert "\u202e" not in drawn


def test_a_long_text_is_cut_to_its_room_and_whole_under_a_pointer():
    """An axis keeps its shape, and nobody has to guess the rest of a name."""
    name = "encoder." * 20
    root = ET.fromstring(svg.label(0, 0, name, room=100))  # noqa: S314
    assert (root.text or "").endswith("…")
    assert len(root.text or "") < 20
    assert root[0].text == name
    assert len(svg.label(0, 0, "x" * 10**6)) < 1000


def test_wide_characters_count_twice():
    """Chinese and Japanese names do not run over what stands beside them."""
    assert svg.cut("学習率学習率", 6) == "学習…"
    assert svg.cut("abcdef", 6) == "abcdef"


def test_a_figure_says_what_it_shows():
    """Who cannot see it hears a title and a description; on a page it takes the page's style."""
    figure = Figure(name="x", title="a<b", description="c&d", width=10, height=5, body="")
    root = ET.fromstring(figure.standalone())  # noqa: S314
    assert (root[0].text, root[1].text) == ("a<b", "c&d")
    assert root.get("aria-labelledby") == "x-title x-description"
    assert "<style>" in figure.standalone()
    assert "<style>" not in figure.inline()


def test_numbers_take_little_room():
    """A thousand runs are drawn in less than a megabyte."""
    assert (svg.at(3.0), svg.at(3.14159), svg.at(-0.25)) == ("3", "3.1", "-0.2")
    assert svg.dots([(1, 2), (3, 4)], "v1") == '<path class="dots v1" d="M1 2h0M3 4h0"/>'
    assert svg.dots([], "v1") == ""
