"""Numbers, durations and parameters as people read them: the same value is written the same everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def number(value: float | None) -> str:
    """Write a metric value; a dash for none."""
    return "-" if value is None else f"{value:.4g}"


def runs_word(count: int) -> str:
    """Write a number of runs: `1 run`, `3 runs`."""
    return "1 run" if count == 1 else f"{count} runs"


def duration(seconds: float | None) -> str:
    """Write a duration as a person would: 8.2s, 3m 05s, 2h 10m."""
    if seconds is None:
        return "-"
    if seconds < 59.95:  # which is written 1m 00s, not 60.0s
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m {rest:02d}s" if minutes < 60 else f"{minutes // 60}h {minutes % 60:02d}m"


def parameters(params: Mapping[str, Any]) -> str:
    """Write parameters as `name=value`, numbers short, nested names without their groups."""
    return " ".join(f"{name.rpartition('.')[2]}={_value(value)}" for name, value in params.items())


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value).replace(" ", "")


def size(number: int | None) -> str:
    """Write a number of bytes: `0 B`, `12 KB`, `3.4 GB`."""
    if number is None:
        return "-"
    value, units = float(number), iter(("B", "KB", "MB", "GB", "TB"))
    unit = next(units)
    while value >= 999.5 and (larger := next(units, "")):
        value, unit = value / 1000, larger
    return f"{number} B" if unit == "B" else f"{value:.3g} {unit}"


def share(value: float | None) -> str:
    """Write a share of the whole: `63%`."""
    return "-" if value is None else f"{value:.0%}"
