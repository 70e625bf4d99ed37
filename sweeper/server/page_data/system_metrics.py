"""What the SDK measures of the machine while a run goes on (0.31.0): its charts, by what they are about."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from sweeper.server import strict_json
from sweeper.server.page_data.answers import RUN, data_route, find_run
from sweeper.server.store import lines
from sweeper.server.store.database import Connection

BUCKETS = 500
"""Pieces of the time, each of which shows its lowest and its highest value: as many as a chart has room for."""
MOST_ROWS = 50_000
"""Measurements that are read, the last ones: a week at the SDK's usual pace."""


@dataclass(frozen=True, slots=True)
class MachineChart:
    """A chart of the machine.

    Attributes:
        group: What it is about: GPU, CPU, memory, disk, network or other.
        title: What is drawn.
        unit: In what the SDK measures it: `%`, `GB`, `W`; empty for a count.
    """

    group: str
    title: str
    unit: str = ""


_BYTES = {"MB": 2**20, "GB": 2**30}
"""Of the SDK's units; they are told in bytes, which pages write as people read them."""
GROUPS = ("GPU", "CPU", "Memory", "Disk", "Network", "Other")
_KNOWN = (
    # a key, the chart it is on, and the name of its line there; %s is what the group of the pattern found
    (r"gpu\.(\d+)\.gpu", MachineChart("GPU", "GPU at work", "%"), "GPU %s"),
    (r"gpu\.(\d+)\.memory", MachineChart("GPU", "GPU memory being read and written", "%"), "GPU %s"),
    (r"gpu\.(\d+)\.memoryAllocated", MachineChart("GPU", "GPU memory taken", "%"), "GPU %s"),
    (r"gpu\.(\d+)\.memoryAllocatedBytes", MachineChart("GPU", "GPU memory taken", "bytes"), "GPU %s"),
    (r"gpu\.(\d+)\.temp", MachineChart("GPU", "GPU temperature", "°C"), "GPU %s"),
    (r"gpu\.(\d+)\.powerWatts", MachineChart("GPU", "GPU power", "W"), "GPU %s"),
    (r"gpu\.(\d+)\.powerPercent", MachineChart("GPU", "GPU power, of its limit", "%"), "GPU %s"),
    (r"gpu\.(\d+)\.smClock", MachineChart("GPU", "GPU clock", "MHz"), "GPU %s"),
    (r"gpu\.process\.(.+)", MachineChart("GPU", "GPU, by this run's process"), "%s"),
    (r"gpu\.(\d+\..+)", MachineChart("GPU", "GPU, other"), "%s"),
    (r"cpu", MachineChart("CPU", "CPU at work", "%"), "this run"),
    (r"cpu\.(\d+)\.cpu_percent", MachineChart("CPU", "CPU cores at work", "%"), "core %s"),
    (r"proc\.cpu\.threads", MachineChart("CPU", "Threads of this run"), "threads"),
    (r"memory(?:_percent)?", MachineChart("Memory", "Memory of the machine", "%"), "taken"),
    (r"proc\.memory\.percent", MachineChart("Memory", "Memory of the machine", "%"), "by this run"),
    (r"proc\.memory\.rssMB", MachineChart("Memory", "Memory of this run", "MB"), "taken"),
    (r"proc\.memory\.availableMB", MachineChart("Memory", "Memory left", "MB"), "left"),
    (r"disk\.(.+)\.usagePercent", MachineChart("Disk", "Disk taken", "%"), "%s"),
    (r"disk\.(.+)\.usageGB", MachineChart("Disk", "Disk taken", "GB"), "%s"),
    (r"disk\.(.+\.)?in", MachineChart("Disk", "Read from disk", "MB"), "%s"),
    (r"disk\.(.+\.)?out", MachineChart("Disk", "Written to disk", "MB"), "%s"),
    (r"network\.sent", MachineChart("Network", "Network", "bytes"), "sent"),
    (r"network\.recv", MachineChart("Network", "Network", "bytes"), "received"),
    (r"network\.tcpRetransmits", MachineChart("Network", "Packets sent again"), "packets"),
    (r"(.+)", MachineChart("Other", "Other"), "%s"),
)
_KINDS = [(re.compile(pattern), chart, name) for pattern, chart, name in _KNOWN]


def charts(rows: Sequence[dict[str, Any]], buckets: int = BUCKETS) -> list[dict[str, Any]]:
    """Arrange measurements into charts, each with the lines of one kind and unit over seconds since the first one.

    Args:
        rows: What was measured together, the oldest first; others than numbers are left out.
        buckets: Pieces of the time for each of which two values of a line are drawn.
    """
    timed = [(row["_timestamp"], row) for row in rows if _is_number(row.get("_timestamp"))]
    timed.sort(key=lambda pair: pair[0])
    found: dict[MachineChart, dict[str, list[Any]]] = {}
    for key, values in sorted(_columns([row for _, row in timed]).items()):
        chart, line = placed(key)
        found.setdefault(chart, {}).setdefault(line, values)
    times = [time - timed[0][0] for time, _ in timed]
    order = sorted(found, key=lambda chart: (GROUPS.index(chart.group), _rank(chart)))
    return [_told(chart, times, found[chart], buckets) for chart in order]


def _columns(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """Give the values of each key, a hole where it has none."""
    found: dict[str, list[Any]] = {}
    for place, row in enumerate(rows):
        for key, value in row.items():
            if key.startswith("system.") and _is_number(value):
                name = key.removeprefix("system.")
                if name not in found:
                    found[name] = [None] * len(rows)
                found[name][place] = value
    return found


def _rank(chart: MachineChart) -> int:
    return next(place for place, (_, known, _) in enumerate(_KNOWN) if known == chart)


def placed(key: str) -> tuple[MachineChart, str]:
    """Say on which chart, and as which line there, a key is drawn."""
    for pattern, chart, line in _KINDS:
        if match := pattern.fullmatch(key):
            name = (match[1] or "").strip(".") if pattern.groups else ""
            return chart, line.replace("%s", name or "all")
    raise AssertionError(key)  # the last pattern takes all


def _is_number(value: object) -> bool:
    # by type, which is quick: JSON has no other numbers, and there may be hundreds of thousands
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _told(chart: MachineChart, times: Sequence[float], found: dict[str, list[Any]], buckets: int) -> dict[str, Any]:
    names, factor = sorted(found, key=_by_number), _BYTES.get(chart.unit)
    if factor is not None:
        found = {name: [None if y is None else y * factor for y in values] for name, values in found.items()}
    edges = _edges(len(times), buckets)
    return {
        "group": chart.group,
        "title": chart.title,
        "unit": chart.unit if factor is None else "bytes",
        "x": list(times)
        if edges is None
        else [time for first, last in edges for time in (times[first], times[last - 1])],
        "lines": [
            {"name": name, "y": found[name] if edges is None else list(_extremes(found[name], edges))} for name in names
        ],
    }


def _by_number(name: str) -> list[Any]:
    """Sort GPU 10 behind GPU 9."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]


def _edges(count: int, buckets: int) -> list[tuple[int, int]] | None:
    """Divide so many measurements into pieces of two or more; None where they are few."""
    if count <= 2 * buckets:
        return None
    cuts = [count * place // buckets for place in range(buckets + 1)]
    return list(itertools.pairwise(cuts))


def _extremes(values: Sequence[float | None], edges: Iterable[tuple[int, int]]) -> Iterable[float | None]:
    """Give the lowest and the highest of each piece, in the order in which they came: no peak is lost."""
    for first, last in edges:
        known = [(value, place) for place, value in enumerate(values[first:last]) if value is not None]
        if not known:
            yield from (None, None)
            continue
        low, high = min(known), max(known)
        yield from (low[0], high[0]) if low[1] <= high[1] else (high[0], low[0])


def _read(db: Connection, request: Request) -> dict[str, Any]:
    """Give the charts of a run's machine."""
    run = find_run(db, request)
    total = lines.count(db, run.id, lines.Stream.EVENTS)
    texts = lines.texts(db, run.id, lines.Stream.EVENTS, first=max(0, total - MOST_ROWS))
    rows = strict_json.parse_objects(texts, "what was measured")
    return {"rows": total, "charts": charts(rows)}


ROUTES = [data_route(f"{RUN}/system", _read)]
