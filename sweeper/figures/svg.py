"""SVG as text: a figure, the marks it is made of, and the text of others, escaped and cut to its room."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from xml.sax.saxutils import escape

from sweeper.figures.style import STYLE
from sweeper.plain_text import plain

CHARACTER = 0.56
"""About how wide a character is, in units of the size of its font."""
LONGEST_HOVER = 300
NOT_XML = dict.fromkeys((0xFFFE, 0xFFFF))
"""Characters that no XML may have and `plain` leaves in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A picture.

    Attributes:
        name: What a file of it is called, and what its parts are called on a page: letters, digits, hyphens.
        title: What it shows, for people who do not see it.
        description: What one would see.
        width: Of the canvas, in CSS pixels at full size.
        height: Likewise.
        body: The elements, escaped.
        note: What it leaves out, in a sentence; empty if nothing.
    """

    name: str
    title: str
    description: str
    width: int
    height: int
    body: str
    note: str = ""

    def inline(self) -> str:
        """Give it for a page that has the style already."""
        return self._element("", "")

    def standalone(self) -> str:
        """Give it as a file: with its style, and a background of its own."""
        back = f'<rect class="back" width="{self.width}" height="{self.height}"/>'
        return self._element(' xmlns="http://www.w3.org/2000/svg"', f"<style>{STYLE}</style>{back}") + "\n"

    def _element(self, more: str, before: str) -> str:
        ids = f"{self.name}-title", f"{self.name}-description"
        return (
            f'<svg{more} class="figure" viewBox="0 0 {self.width} {self.height}" width="{self.width}" '
            f'height="{self.height}" role="img" aria-labelledby="{ids[0]} {ids[1]}">'
            f'<title id="{ids[0]}">{words(self.title)}</title><desc id="{ids[1]}">{words(self.description)}</desc>'
            f"{before}{self.body}</svg>"
        )


def words(text: object, most: int = LONGEST_HOVER) -> str:
    """Escape the text of others, in one line, cut if it is very long."""
    return escape(cut(text, most))


def cut(text: object, most: int) -> str:
    """Make a text one plain line of so many columns at most; East Asian characters take two."""
    line = " ".join(plain(str(text)[: 20 * most]).translate(NOT_XML).split())
    room = most
    kept: list[str] = []
    for character in line:
        room -= 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if room < 0:
            return "".join(kept[: max(0, len(kept) - 1)]) + "…"
        kept.append(character)
    return line


def at(value: float) -> str:
    """Write a coordinate: a tenth of a pixel is enough, and text is what a figure weighs."""
    return f"{value:.1f}".removesuffix(".0")


def hover(text: object) -> str:
    """Say something where a pointer rests, and to who cannot see."""
    return f"<title>{words(text)}</title>"


def label(
    x: float, y: float, text: object, kind: str = "", *, anchor: str = "", room: float | None = None, size: int = 12
) -> str:
    """Write a text; one that is longer than its room is cut, and whole where a pointer rests.

    Args:
        x: Where its anchor is.
        y: Its base line.
        text: What it says.
        kind: Its class.
        anchor: `middle` or `end`; the start if empty.
        room: How wide it may be; None for no limit.
        size: Of its font, for the limit.
    """
    most = LONGEST_HOVER if room is None else max(1, int(room / (CHARACTER * size)))
    shown = cut(text, most)
    whole = hover(text) if shown != cut(text, LONGEST_HOVER) else ""
    attributes = (f' class="{kind}"' if kind else "") + (f' text-anchor="{anchor}"' if anchor else "")
    return f'<text x="{at(x)}" y="{at(y)}"{attributes}>{escape(shown)}{whole}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Draw a line."""
    return f'<path class="{kind}" d="M{at(x1)} {at(y1)}L{at(x2)} {at(y2)}"/>'


def path(points: Iterable[tuple[float, float]], kind: str, inside: str = "") -> str:
    """Draw a line through points."""
    drawn = "L".join(f"{at(x)} {at(y)}" for x, y in points)
    return f'<path class="{kind}" d="M{drawn}">{inside}</path>' if inside else f'<path class="{kind}" d="M{drawn}"/>'


def dots(points: Iterable[tuple[float, float]], kind: str) -> str:
    """Draw many dots as one element: of a thousand that say nothing each."""
    drawn = "".join(f"M{at(x)} {at(y)}h0" for x, y in points)
    return f'<path class="dots {kind}" d="{drawn}"/>' if drawn else ""


def dot(x: float, y: float, kind: str, said: str = "", radius: float = 4) -> str:
    """Draw a dot that says something."""
    return f'<circle class="{kind}" cx="{at(x)}" cy="{at(y)}" r="{radius:g}">{hover(said) if said else ""}</circle>'


def cross(x: float, y: float, kind: str, said: str = "", size: float = 3.5) -> str:
    """Draw a cross: something ended here."""
    a, b, c, d = at(x - size), at(y - size), at(x + size), at(y + size)
    return f'<path class="{kind}" d="M{a} {b}L{c} {d}M{a} {d}L{c} {b}">{hover(said) if said else ""}</path>'
