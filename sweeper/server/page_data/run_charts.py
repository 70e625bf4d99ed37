"""What a run's charts are about: all that it logged, by what is drawn of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from sweeper.metric_value import float_or_nan
from sweeper.plots import custom_charts, logged
from sweeper.server.page_data import answers
from sweeper.server.page_data.answers import data_route
from sweeper.server.store import key_extremes, lines, sweeps
from sweeper.server.store.database import Connection
from sweeper.server.store.lines import Stream
from sweeper.server.store.runs import StoredRun

NUMBER, HISTOGRAM, TABLE = "number", "histogram", "table-file"
NOT_MEDIA = {NUMBER, HISTOGRAM, "string", "boolean", "nil", "array"}


def charts(db: Connection, request: Request) -> dict[str, Any]:
    """Say what a run logged: numbers with their axes and extremes, histograms, media, tables and charts of its own."""
    run = answers.find_run(db, request)
    statistics = json.loads(run.history_keys).get("keys", {})
    counts = {key: logged.kinds(entry) for key, entry in statistics.items()}
    custom = custom_charts.read(own_part(run))
    drawn = {chart.table for chart in custom.values()}
    sweep = sweeps.get(db, run.sweep_id) if run.sweep_id is not None else None
    return {
        "rows": lines.count(db, run.id, Stream.HISTORY),
        "live": not run.state.ended,
        "started_at": run.started_at,
        "metrics": [metric.name for metric in sweep.definition.objectives] if sweep else [],
        "keys": _numbers(db, run, counts),
        "axes": [key for key, entry in statistics.items() if entry.get("monotonic") and NUMBER in counts[key]],
        "histograms": [key for key, kinds in counts.items() if HISTOGRAM in kinds],
        "media": [
            {"name": key, "kind": kind, "count": number}
            for key, kinds in counts.items()
            for kind, number in kinds.items()
            if kind not in NOT_MEDIA | {TABLE}
        ],
        "tables": [key for key, kinds in counts.items() if TABLE in kinds and key not in drawn],
        "custom": [{"name": key, "title": chart.strings.get("title", key)} for key, chart in custom.items()],
    }


def own_part(run: StoredRun) -> Mapping[str, Any]:
    """Give the part of a run's config that the SDK keeps for itself."""
    entry = json.loads(run.config).get("_wandb")
    found = entry.get("value") if isinstance(entry, dict) else None
    return found if isinstance(found, dict) else {}


def _numbers(db: Connection, run: StoredRun, counts: Mapping[str, Mapping[str, int]]) -> list[dict[str, Any]]:
    """Describe each key that has numbers; what the SDK logs by itself are axes."""
    names = [key for key, kinds in counts.items() if NUMBER in kinds and key not in logged.OWN_AXES]
    extremes = key_extremes.extremes(db, [run.id], names).get(run.id, {})
    axes = logged.axes(own_part(run).get("m"), names)
    return [
        {
            "name": key,
            "count": counts[key][NUMBER],
            "axis": axes.get(key, logged.STEP),
            **{
                word: float_or_nan(value)
                for word, value in zip(("last", "low", "high"), extremes.get(key, ()), strict=False)
            },
        }
        for key in names
    ]


ROUTES = [data_route(answers.RUN + "/charts", charts)]
