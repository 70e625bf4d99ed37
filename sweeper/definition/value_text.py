"""Values as a person reads them, in messages and tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

SHOWN_VALUES = 12
"""Of a list, in a table's cell: more would fill the screen."""


def short(value: object, limit: int = 60) -> str:
    """Print a value found in a file, cut to what fits on a line."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # Python prints no number of thousands of digits
        text = f"a huge {type(value).__name__}"
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def plain(value: Any) -> str:
    """Print a value about as a YAML file has it, real numbers to six digits."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(list(value)).replace(" ", "") if isinstance(value, list | tuple) else str(value)


def listed(values: Sequence[Any], between: str = ", ") -> str:
    """Print the first of some values, and how many there are."""
    shown = between.join(map(plain, values[:SHOWN_VALUES]))
    return shown if len(values) <= SHOWN_VALUES else f"{shown}, ... ({len(values)} values)"
