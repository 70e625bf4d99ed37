"""The ground of a figure with two axes: grid, ticks, titles, and where a pair of values stands."""

from __future__ import annotations

from dataclasses import dataclass

from sweeper.figures.scales import ListScale, Scale, Tick
from sweeper.figures.style import SHADES
from sweeper.figures.svg import at, label, line

LEFT, RIGHT, TOP, BOTTOM = 58, 16, 34, 42
"""Room around the plot, in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Two axes on a canvas.

    Attributes:
        width: Of the canvas.
        height: Of the canvas.
        x: The scale to the right.
        y: The scale upwards.
    """

    width: int
    height: int
    x: Scale
    y: Scale

    def point(self, x: object, y: object) -> tuple[float, float] | None:
        """Give the place of a pair of values; None if one of them has none, or one outside the plot."""
        across, up = self.x.place(x), self.y.place(y)
        if across is None or up is None or not (-0.001 <= across <= 1.001 and -0.001 <= up <= 1.001):
            return None
        return self.across(across), self.up(up)

    def across(self, share: float) -> float:
        """Give the x of a share of the plot's width."""
        return LEFT + share * (self.width - LEFT - RIGHT)

    def up(self, share: float) -> float:
        """Give the y of a share of the plot's height."""
        return TOP + (1 - share) * (self.height - TOP - BOTTOM)

    def ground(self, title: str, below: str) -> str:
        """Draw the grid with its numbers.

        Args:
            title: The figure's, which says what its y axis is.
            below: What its x axis is.
        """
        left, right, bottom = self.across(0), self.across(1), self.up(0)
        parts = [label(4, 18, title, "head", room=self.width - 8, size=13)]
        for share, said in self.y.ticks():
            y = self.up(share)
            parts += [line(left, y, right, y, "grid"), label(left - 8, y + 4, said, anchor="end", room=LEFT - 10)]
        parts += [self._tick_below(tick, room) for tick, room in _roomy(self.x, right - left)]
        parts += [line(left, bottom, right, bottom, "axis")]
        parts.append(label((left + right) / 2, self.height - 6, below, anchor="middle", room=right - left))
        return "".join(parts)

    def _tick_below(self, tick: Tick, room: float) -> str:
        share, said = tick
        x, y = self.across(share), self.up(0)
        anchor = "end" if share > 0.97 else "middle"
        return line(x, y, x, y + 4, "axis") + label(x, y + 17, said, anchor=anchor, room=room)


def _roomy(scale: Scale, width: float) -> list[tuple[Tick, float]]:
    """Give the ticks below a plot, no more than have room, each with its room."""
    ticks = scale.ticks()
    if isinstance(scale, ListScale):
        stride = -(-len(ticks) * 26 // int(width))
        ticks = ticks[::stride]
    return [(tick, width / max(1, len(ticks)) - 4) for tick in ticks]


def scale_of_values(x: float, y: float, worst: str, best: str) -> str:
    """Draw the scale of colours, from the worst to the best: its right end at x."""
    steps = "".join(
        f'<rect class="d{i}" x="{at(x - (SHADES - i) * 12)}" y="{at(y - 9)}" width="12" height="9"/>'
        for i in range(SHADES)
    )
    left = x - SHADES * 12
    return label(left - 6, y, worst, "small", anchor="end") + steps + label(x + 6, y, best, "small")
