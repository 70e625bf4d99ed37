"""Which process wrote it. Our workers' processes name themselves; those of stock agents are known by when they began.

Every line that wandb-core (0.31.0) logs carries `_timestamp` and `_runtime`, by the same clock: their difference is the
moment its process began, and stays so from the first line to the last. The config says it too (`_wandb.e.*.startedAt`).
It tells a run's attempts apart: the next one begins at least a heartbeat time-out later.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sweeper.metric_value import float_or_nan, lookup

TOLERANCE_S = 1.5
"""Lines and config of one process differ by up to 0.25 s (0.31.0)."""
_BORN = "born@"
_END_OF_TIME = 1e11


def of_lines(lines: Iterable[str]) -> set[str]:
    """Name the processes that logged lines, as far as the lines tell.

    One that resumed has two names: its history goes on at the `_runtime` of the last one, its events begin anew.
    """
    return {name for text in lines if (name := _of_row(_object(text)))}


def _of_row(row: Mapping[str, Any]) -> str:
    at, runtime = (float_or_nan(row.get(key)) for key in ("_timestamp", "_runtime"))
    return _born(at - runtime) if at is not None and runtime is not None else ""


def of_config(text: str | None) -> set[str]:
    """Name the process that sent a config; the first one that it sends does not tell."""
    writers = lookup(_object(text or "{}"), "_wandb.value.e")
    entries = writers.values() if isinstance(writers, dict) else ()
    moments = [_moment(entry.get("startedAt")) for entry in entries if isinstance(entry, dict)]
    # A run that was resumed has one entry for each process: the last one sends it.
    return {name for name in (_born(max(moments, default=math.nan)),) if name}


def has_worker(holder: str) -> bool:
    """Whether one of the names of a run's process is of a worker of ours."""
    return any(not name.startswith(_BORN) for name in holder.split())


def is_among(holder: str, others: Iterable[str]) -> bool:
    """Whether one of the others is the same process."""
    return any(holder == other or _same_birth(holder, other) for other in others)


def _same_birth(one: str, other: str) -> bool:
    if not (one.startswith(_BORN) and other.startswith(_BORN)):
        return False
    return abs(float(one.removeprefix(_BORN)) - float(other.removeprefix(_BORN))) <= TOLERANCE_S


def _born(moment: float) -> str:
    # A trainer may log `_timestamp` by itself: a moment that is none names nobody.
    return f"{_BORN}{moment:.3f}" if 0 < moment < _END_OF_TIME else ""


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # whoever stores it says so
        return {}
    return found if isinstance(found, dict) else {}


def _moment(text: object) -> float:
    try:
        return datetime.fromisoformat(text).timestamp() if isinstance(text, str) else 0.0
    except (ValueError, OverflowError):
        return 0.0
