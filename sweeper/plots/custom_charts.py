"""The charts of `wandb.plot` and `wandb.sklearn`: what of its table each of them draws.

The SDK logs a table and names a chart with the columns that it takes (wandb 0.31: `wandb/line/v0` and its like), or, by
`wandb.visualize`, a chart alone, whose columns have names of their own (`wandb/elbow/v1`). A chart of another name is
none that we know, and its table is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sweeper.metric_value import finite, float_or_nan
from sweeper.plots import own_columns

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
        kind: `lines`, `points`, `bars`, `matrix` (how often this was taken for that) or `heatmap` (any numbers).
        title: What it is called.
        x: What lies to the right; of a matrix, what its columns are.
        y: What goes up; of a matrix, what its rows are.
        lines: Lines or points.
        labels: Of bars, or of columns of a matrix.
        rows: Labels of the rows of a matrix.
        values: Of bars; of a matrix row by row; None where its table has no number.
        total: How many rows the table has.
    """

    kind: str
    title: str
    x: str
    y: str
    lines: list[Line] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    values: list[float | None] = field(default_factory=list)
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


def read(own: Mapping[str, Any]) -> dict[str, Asked]:
    """Read which charts a run asked for, by key, out of the SDK's part of its config: `visualize` and `viz`."""
    found: dict[str, Asked | None] = {}
    for word, asked in (("visualize", _of_columns), ("viz", _of_a_name)):
        charts = own.get(word)
        found |= {str(key): asked(chart) for key, chart in charts.items()} if isinstance(charts, Mapping) else {}
    return {key: chart for key, chart in found.items() if chart is not None}


def _of_a_name(chart: Any) -> Asked | None:
    """Read a chart of `wandb.visualize`; its table is logged under its own key."""
    settings = chart.get("historyFieldSettings") if isinstance(chart, Mapping) else None
    table = settings.get("key") if isinstance(settings, Mapping) else None
    if not isinstance(table, str):
        return None
    preset = str(chart.get("id"))
    known = own_columns.OF.get(preset)
    return Asked(preset, known.fields if known else {}, known.strings if known else {}, table)


def _of_columns(chart: Any) -> Asked | None:
    """Read a chart of `wandb.plot`."""
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
    known = own_columns.OF.get(asked.preset)
    draw = _PRESETS.get(asked.preset) or (_KINDS[known.kind] if known else None)
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
    groups = table.column(asked.fields.get("group"))
    names = [str(label) for label in labels]
    if groups is not None:
        names = [f"{name}, {group}" for name, group in zip(names, groups, strict=True)]
    pairs = [(name, finite([value])) for name, value in zip(names, values, strict=True)]
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
    """Count how often what is true was taken for what; what was never counted counts 0."""
    return _grid(asked, table, "Actual", "Predicted", "nPredictions", is_square=True)


def _heatmap(asked: Asked, table: LoggedTable) -> Drawing | None:
    return _grid(asked, table, "y", "x", "value", is_square=False)


def _grid(asked: Asked, table: LoggedTable, y: str, x: str, value: str, *, is_square: bool) -> Drawing | None:
    """Put numbers where the row and the column of their labels meet, and together those that meet in one place."""
    ups, acrosses, numbers = (table.column(asked.fields.get(name, name)) for name in (y, x, value))
    if ups is None or acrosses is None or numbers is None:
        return None
    named = [[*map(str, ups)], [*map(str, acrosses)]]
    both = [*named[0], *named[1]] if is_square else None
    rows, columns = ([*dict.fromkeys(both or names)][:MOST_BARS] for names in named)
    place = {pair: number for number, pair in enumerate((row, column) for row in rows for column in columns)}
    cells: list[float | None] = [0.0 if is_square else None] * len(place)
    for pair, number in zip(zip(*named, strict=True), numbers, strict=True):
        found = finite([float_or_nan(number)])
        if found and pair in place:
            cells[place[pair]] = (cells[place[pair]] or 0.0) + found[0]
    return Drawing(
        "matrix" if is_square else "heatmap",
        _title(asked),
        "predicted" if is_square else asked.strings.get("x-axis-title", ""),
        "actual" if is_square else asked.strings.get("y-axis-title", ""),
        labels=columns,
        rows=rows,
        values=cells,
        total=len(numbers),
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

_KINDS: Mapping[str, Callable[[Asked, LoggedTable], Drawing | None]] = {
    "lines": _lines,
    "points": _points,
    "bars": _bars,
    "matrix": _matrix,
    "heatmap": _heatmap,
}
