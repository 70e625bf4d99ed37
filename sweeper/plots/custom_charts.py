"""The charts of `wandb.plot`: what of its table each of them draws.

The SDK logs a table and names a chart with the columns that it takes (wandb 0.31: `wandb/line/v0` and its like). A
chart of another name is none that we know, and its table is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sweeper.metric_value import finite, float_or_nan

MOST = 5000
"""Points of a chart: of more, so many are drawn, evenly spread."""
MOST_BARS = 200
BINS = 30


@dataclass(frozen=True, slots=True)
class Asked:
    """A chart as it was asked for.

    Attributes:
        preset: The name of the chart.
        fields: Which column of the table each of its fields is.
        strings: Its title, and titles of its axes.
        table: The key that its table was logged as.
    """

    preset: str
    fields: Mapping[str, str]
    strings: Mapping[str, str]
    table: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line or a cloud of points."""

    name: str
    x: list[float]
    y: list[float]


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is to be drawn.

    Attributes:
        kind: `lines`, `points`, `bars` or `matrix`.
        title: What it is called.
        x: What lies to the right; of a matrix, what its columns are.
        y: What goes up; of a matrix, what its rows are.
        lines: Lines or points.
        labels: Of bars, or of columns of a matrix.
        rows: Labels of the rows of a matrix.
        values: Of bars; of a matrix row by row.
        total: How many rows the table has.
    """

    kind: str
    title: str
    x: str
    y: str
    lines: list[Line] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    total: int = 0


@dataclass(frozen=True, slots=True)
class LoggedTable:
    """A table as the SDK writes it."""

    columns: Sequence[str]
    data: Sequence[Sequence[Any]]

    @classmethod
    def read(cls, value: Any) -> LoggedTable | None:
        """Read what a table's file holds; None for what is no table."""
        if not isinstance(value, Mapping):
            return None
        columns, data = value.get("columns"), value.get("data")
        if not isinstance(columns, list) or not isinstance(data, list) or not all(type(row) is list for row in data):
            return None
        return cls([str(column) for column in columns], data)

    def column(self, name: str | None) -> list[Any] | None:
        """Give the values of a column; None if there is none of that name."""
        if name not in self.columns:
            return None
        place = self.columns.index(name or "")
        return [row[place] if place < len(row) else None for row in self.data]


def read(visualize: Any) -> dict[str, Asked]:
    """Read which charts a run asked for, by key, out of the SDK's part of its config."""
    if not isinstance(visualize, Mapping):
        return {}
    found = {str(key): _asked(chart) for key, chart in visualize.items()}
    return {key: chart for key, chart in found.items() if chart is not None}


def _asked(chart: Any) -> Asked | None:
    panel = chart.get("panel_config") if isinstance(chart, Mapping) else None
    if not isinstance(panel, Mapping):
        return None
    tables = [
        argument.get("value")
        for query in _list(panel.get("userQuery"), "queryFields")
        for asked in _list(query, "fields")
        for argument in _list(asked, "args")
        if isinstance(argument, Mapping) and argument.get("name") == "tableKey"
    ]
    if not tables:
        return None
    return Asked(
        str(panel.get("panelDefId")), _texts(panel, "fieldSettings"), _texts(panel, "stringSettings"), str(tables[0])
    )


def _list(value: Any, key: str) -> list[Any]:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else []


def _texts(panel: Mapping[str, Any], key: str) -> dict[str, str]:
    found = panel.get(key)
    pairs = found.items() if isinstance(found, Mapping) else ()
    return {str(name): str(value) for name, value in pairs if value is not None}


def drawing(asked: Asked, table: LoggedTable) -> Drawing | None:
    """Say what a chart draws of its table; None for a chart that we do not know, or whose columns are not there."""
    draw = _PRESETS.get(asked.preset)
    return draw(asked, table) if draw else None


def _lines(
    asked: Asked, table: LoggedTable, *, kind: str = "lines", x: str = "x", y: str = "y", by: str = "stroke"
) -> Drawing | None:
    across, up = table.column(asked.fields.get(x)), table.column(asked.fields.get(y))
    if across is None or up is None:
        return None
    names = table.column(asked.fields.get(by)) or [""] * len(across)
    groups: dict[str, list[tuple[float, float]]] = {}
    for name, *pair in zip(names, across, up, strict=True):
        point = finite(pair)
        if len(point) == 2:
            groups.setdefault(str(name), []).append((point[0], point[1]))
    stride = max(1, -(-sum(map(len, groups.values())) // MOST))
    lines = [Line(name, *map(list, zip(*points[::stride], strict=True))) for name, points in groups.items()]
    return Drawing(
        kind,
        _title(asked),
        asked.strings.get("x-axis-title") or asked.strings.get("xname") or asked.fields[x],
        asked.strings.get("y-axis-title") or asked.fields[y],
        lines=lines,
        total=len(across),
    )


def _points(asked: Asked, table: LoggedTable) -> Drawing | None:
    return _lines(asked, table, kind="points")


def _areas(asked: Asked, table: LoggedTable) -> Drawing | None:
    return _lines(asked, table, by="class")


def _series(asked: Asked, table: LoggedTable) -> Drawing | None:
    return _lines(asked, table, x="step", y="lineVal", by="lineKey")


def _bars(asked: Asked, table: LoggedTable) -> Drawing | None:
    labels, values = table.column(asked.fields.get("label")), table.column(asked.fields.get("value"))
    if labels is None or values is None:
        return None
    pairs = [(str(label), finite([value])) for label, value in zip(labels, values, strict=True)]
    shown = [pair for pair in pairs if pair[1]][:MOST_BARS]
    return Drawing(
        "bars",
        _title(asked),
        asked.fields["label"],
        asked.fields["value"],
        labels=[label for label, _ in shown],
        values=[number[0] for _, number in shown],
        total=len(labels),
    )


def _histogram(asked: Asked, table: LoggedTable) -> Drawing | None:
    column = table.column(asked.fields.get("value"))
    if column is None:
        return None
    values = np.array(finite(column))
    counts, edges = np.histogram(values, bins=min(BINS, max(1, values.size)))
    middles = (edges[:-1] / 2 + edges[1:] / 2).tolist()
    return Drawing(
        "bars",
        _title(asked),
        asked.fields["value"],
        "count",
        labels=[f"{middle:.3g}" for middle in middles],
        values=[float(count) for count in counts],
        total=len(column),
    )


def _matrix(asked: Asked, table: LoggedTable) -> Drawing | None:
    names = ("Actual", "Predicted", "nPredictions")
    columns = [table.column(asked.fields.get(name, name)) for name in names]
    if any(column is None for column in columns):
        return None
    actual, predicted = ([*map(str, column or ())] for column in columns[:2])
    labels = list(dict.fromkeys([*actual, *predicted]))[:MOST_BARS]
    place = {label: number for number, label in enumerate(labels)}
    cells = [0.0] * len(labels) ** 2
    for row, column, count in zip(actual, predicted, columns[2] or (), strict=True):
        number = finite([float_or_nan(count)])
        if number and row in place and column in place:
            cells[place[row] * len(labels) + place[column]] += number[0]
    return Drawing(
        "matrix", _title(asked), "predicted", "actual", labels=labels, rows=labels, values=cells, total=len(actual)
    )


def _title(asked: Asked) -> str:
    return asked.strings.get("title", "")


_PRESETS: Mapping[str, Callable[[Asked, LoggedTable], Drawing | None]] = {
    "wandb/line/v0": _lines,
    "wandb/lineseries/v0": _series,
    "wandb/scatter/v0": _points,
    "wandb/bar/v0": _bars,
    "wandb/histogram/v0": _histogram,
    "wandb/area-under-curve/v0": _areas,
    "wandb/confusion_matrix/v1": _matrix,
}
