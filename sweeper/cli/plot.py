"""Curves drawn in the terminal: dots of braille, eight to a character, with axes."""

from __future__ import annotations

import math
from collections.abc import Sequence

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Of a braille character: by column and by row from above."""
_BLANK = 0x2800
LEAST_WIDTH, LEAST_HEIGHT = 10, 2


def plot(points: Sequence[tuple[float, float]], *, width: int, height: int) -> list[str]:
    """Draw a curve.

    Args:
        points: Its points, from left to right; finite, one at least.
        width: Characters of the whole, labels and axes included.
        height: Lines of the curve; the axis below and its labels take two more.

    Returns:
        The lines, none longer than `width`.
    """
    height = max(LEAST_HEIGHT, height)
    low, high = min(y for _, y in points), max(y for _, y in points)
    labels = _labels(low, high, height)
    margin = max(map(len, labels))
    across = max(LEAST_WIDTH, width - margin - 2)
    rows = _canvas(points, low, high, across, height)
    lines = [f"{text:>{margin}} {'┤' if text else '│'}{row.rstrip()}" for text, row in zip(labels, rows, strict=True)]
    lines.append(f"{'':{margin}} └{'─' * across}")
    left, right = short(points[0][0]), short(points[-1][0])
    if points[0][0] != points[-1][0]:
        lines.append(f"{'':{margin}}  {left}{right:>{max(1, across - len(left))}}")
    else:
        lines.append(f"{'':{margin}}  {left}")
    return lines


def _labels(low: float, high: float, height: int) -> list[str]:
    """Give what stands left of each line: the highest value, the lowest, and one between them where there is room."""
    labels = [""] * height
    labels[0] = short(high)
    if low == high:
        return labels
    if height >= 5:
        middle = height // 2
        labels[middle] = short(high * (1 - middle / (height - 1)) + low * (middle / (height - 1)))
    labels[-1] = short(low)
    return labels


def short(value: float) -> str:
    """Write the number of an axis."""
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.4g}"


def _canvas(points: Sequence[tuple[float, float]], low: float, high: float, across: int, height: int) -> list[str]:
    """Draw the dots of a curve, neighbours joined."""
    columns, rows = across * 2, height * 4
    left, right = points[0][0], points[-1][0]
    cells = [[0] * across for _ in range(height)]

    def place(point: tuple[float, float]) -> tuple[int, int]:
        x = 0.0 if right == left else (point[0] - left) / (right - left)
        y = 1.0 if high == low else _share(point[1], low, high)
        return round(x * (columns - 1)), round((1 - y) * (rows - 1))

    before: tuple[int, int] | None = None
    for point in points:
        here = place(point)
        for x, y in _line(before or here, here):
            cells[y // 4][x // 2] |= _DOTS[x % 2][y % 4]
        before = here
    return ["".join(chr(_BLANK + cell) if cell else " " for cell in row) for row in cells]


def _share(value: float, low: float, high: float) -> float:
    """Say how far up a value is; the span of two huge numbers has no float."""
    span = high - low
    return (value - low) / span if math.isfinite(span) else (value / 2 - low / 2) / (high / 2 - low / 2)


def _line(start: tuple[int, int], end: tuple[int, int]) -> list[tuple[int, int]]:
    """Give the dots between two dots, themselves included."""
    steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
    return [
        (
            round(start[0] + (end[0] - start[0]) * step / steps),
            round(start[1] + (end[1] - start[1]) * step / steps),
        )
        for step in range(steps + 1)
    ]
