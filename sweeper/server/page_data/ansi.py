"""What a terminal would have made of a line: pieces of text, each with its colours and how it is written.

Only SGR, which colours, is kept of all that may be sent to a terminal (ECMA-48): what moves a cursor, writes a title or
makes a link is left out. Each line stands by itself, as the SDK (0.31.0) writes the colour anew where one goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

_CODE = re.compile(
    r"\x1b\[(?P<sgr>[0-9;:]*)m"  # how the text behind it is written
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # any other control sequence
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)"  # a title, a link or another string, up to its end
    r"|\x1b[ -/]*[0-~]?"
    r"|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f\x80-\x9f]",  # but for the tab
    re.DOTALL,
)
_ON = {1: "b", 2: "d", 3: "i", 4: "u", 7: "r", 9: "s"}
"""Bold, dim, italic, underlined, reversed, struck through."""
_OFF = {22: "bd", 23: "i", 24: "u", 27: "r", 29: "s"}
_LEVELS = (0, 95, 135, 175, 215, 255)
"""Of each colour in the cube of 256."""


@dataclass(frozen=True, slots=True)
class Style:
    """How text is written.

    Attributes:
        ink: Its colour: a number below 16 of the terminal's own, `#rrggbb`, or None for the usual.
        ground: What is behind it, likewise.
        ways: Letters of `_ON`.
    """

    ink: int | str | None = None
    ground: int | str | None = None
    ways: str = ""

    def told(self) -> dict[str, Any]:
        """Give what differs from the usual: `f`, `g` and `w`."""
        ink, ground = (self.ground, self.ink) if "r" in self.ways else (self.ink, self.ground)
        if "r" in self.ways and ground is None:
            ground = "ink"
        if "r" in self.ways and ink is None:
            ink = "card"
        ways = self.ways.replace("r", "")
        return {key: value for key, value in (("f", ink), ("g", ground), ("w", ways)) if value not in {None, ""}}


PLAIN = Style()


def plain(line: str) -> str:
    """Give the text of a line alone."""
    return line if line.isprintable() else _CODE.sub("", _last_written(line))


def pieces(line: str) -> list[list[Any]]:
    """Take a line apart: `[text]`, or `[text, style]` where it is not written as usual."""
    if not _has_code(line):
        return [[line]] if line else []
    found: list[list[Any]] = []
    last: Style | None = None
    for text, style in _walk(line):
        if style == last:
            found[-1][0] += text
            continue
        told = style.told()
        found.append([text, told] if told else [text])
        last = style
    return found


def _has_code(line: str) -> bool:
    return not line.isprintable() and _CODE.search(line) is not None


def _walk(line: str) -> Iterator[tuple[str, Style]]:
    line = _last_written(line)
    style, begun = PLAIN, 0
    for code in _CODE.finditer(line):
        if code.start() > begun:
            yield line[begun : code.start()], style
        begun = code.end()
        if code["sgr"] is not None:
            style = _changed(style, code["sgr"])
    if begun < len(line):
        yield line[begun:], style


def _last_written(line: str) -> str:
    """Give the last of what a progress bar wrote over itself again and again."""
    line = line.rstrip("\r")
    return line[line.rfind("\r") + 1 :]


def _changed(style: Style, sgr: str) -> Style:
    """Give the style behind a code; what is no number in it counts as 0."""
    numbers = [int(part) if part and len(part) < 6 else 0 for part in re.split("[;:]", sgr)]
    while numbers:
        number, *numbers = numbers
        if number in {38, 48}:
            colour, numbers = _colour(numbers)
            style = replace(style, ink=colour) if number == 38 else replace(style, ground=colour)
        else:
            style = _simple(style, number)
    return style


def _simple(style: Style, number: int) -> Style:
    if number == 0:
        return PLAIN
    if number in _ON:
        return replace(style, ways="".join(sorted({*style.ways, _ON[number]})))
    if number in _OFF:
        return replace(style, ways="".join(way for way in style.ways if way not in _OFF[number]))
    for first, base in ((30, 0), (90, 8)):
        if first <= number < first + 8:
            return replace(style, ink=base + number - first)
        if first + 10 <= number < first + 18:
            return replace(style, ground=base + number - first - 10)
    return replace(style, ink=None) if number == 39 else replace(style, ground=None) if number == 49 else style


def _colour(numbers: list[int]) -> tuple[int | str | None, list[int]]:
    """Read the colour behind a 38 or 48, and give what is left behind it."""
    if numbers[:1] == [5] and len(numbers) > 1:
        return _of_256(min(numbers[1], 255)), numbers[2:]
    if numbers[:1] == [2] and len(numbers) > 3:
        return _hex(*numbers[1:4]), numbers[4:]
    return None, []


def _of_256(number: int) -> int | str:
    if number < 16:
        return number
    if number >= 232:
        return _hex(*[8 + 10 * (number - 232)] * 3)
    red, rest = divmod(number - 16, 36)
    return _hex(_LEVELS[red], _LEVELS[rest // 6], _LEVELS[rest % 6])


def _hex(*levels: int) -> str:
    return "#" + "".join(f"{min(level, 255):02x}" for level in levels)
