"""A curve in one line of text."""

from __future__ import annotations

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int) -> str:
    """Draw values as a line of bars, the lowest value as the lowest bar; what is flat lies in the middle.

    Args:
        values: Finite values, in their order.
        width: Columns at most; of more values those evenly spread, the first and the last among them.
    """
    if not values or width < 1:
        return ""
    if len(values) > width:
        step = (len(values) - 1) / max(1, width - 1)
        values = [values[-1 - round(place * step)] for place in reversed(range(width))]
    lowest, highest = min(values), max(values)
    return "".join(BARS[_height(value, lowest, highest)] for value in values)


def _height(value: float, lowest: float, highest: float) -> int:
    if highest / 2 == lowest / 2:  # halved: the difference of two huge values is infinite
        return len(BARS) // 2 - 1
    return round((value / 2 - lowest / 2) / (highest / 2 - lowest / 2) * (len(BARS) - 1))
