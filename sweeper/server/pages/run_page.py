"""The page of one run: its head and overview as text, and a place for each tab that scripts fill."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from sweeper.server.graphql.context import file_path
from sweeper.server.page_data import run_origin
from sweeper.server.page_data.answers import find_project, find_run
from sweeper.server.page_data.run_facts import facts, summary_of
from sweeper.server.pages.artifact_pages import address_of
from sweeper.server.pages.rendering import page
from sweeper.server.store import alerts, artifact_versions, attempts, lines, run_files, sweeps
from sweeper.server.store.artifacts import INPUT, OUTPUT
from sweeper.server.store.database import Store
from sweeper.server.store.run_files import FileStore
from sweeper.server.store.runs import StoredRun

CHART_WIDTH, CHART_HEIGHT = 640, 200
"""Of the SVG's own units: as many values are drawn as it is wide, for no screen shows more."""
MOST_DRAWN = 50_000
"""Values of which the page draws a line before its scripts have come; of more they alone do."""
TABS = ("charts", "overview", "system", "logs", "files", "artifacts")
"""In their order; the first one opens by itself."""
LISTED_FILES = 500
"""Files that the page itself names; scripts list all of them."""


async def run_page(request: Request) -> Response:
    """Show one run."""
    return await run_in_threadpool(_run_page, request)


def _run_page(request: Request) -> Response:
    store: Store = request.app.state.store
    with store.read() as db:
        place, run = find_project(db, request), find_run(db, request)
        sweep = sweeps.get(db, run.sweep_id) if run.sweep_id is not None else None
        told = facts(db, run, sweep)
        logged = lines.iterations(db, sweep.id, run.id, lines.MAX_INTEGER) if sweep else 0
        # as many as the chart has room for: a run may have logged a million
        values = lines.metric_samples(db, sweep.id, run.id, CHART_WIDTH) if sweep and logged <= MOST_DRAWN else ()
        uploads = run_files.of_run(db, run.id)
        said = alerts.of_run(db, run.id)
        tries = attempts.of_run(db, run.id)
        made, used = (artifact_versions.of_run(db, run.id, role) for role in (OUTPUT, INPUT))
    names = (place.entity, place.name, run.name)
    files: FileStore | None = getattr(request.app.state, "files", None)
    asked = request.query_params.get("tab", "")
    return page(
        "run.html",
        project=place,
        run=run,
        sweep=sweep,
        facts=told,
        tabs=TABS,
        tab=asked if asked in TABS else TABS[0],
        chart=chart(values, logged),
        alerts=said,
        attempts=tries,
        slot=tries[-1].slot if tries else "",
        suggestion=json.loads(run.origin or "{}"),
        origin=run_origin.read(files, *names) if files else {},
        tags=json.loads(run.tags),
        config=_config(run),
        summary=summary_of(run),
        made=made,
        used=used,
        artifact_address=address_of,
        files=[(file, file_path(*names, file.path)) for file in uploads[:LISTED_FILES]],
        more_files=len(uploads) - LISTED_FILES,
    )


def tab_of(rest: str) -> str:
    """Give the query that opens the tab, and the file in it, that W&B's address of it names; empty for none."""
    tab, _, file = rest.strip("/").partition("/")
    if tab not in TABS:
        return ""
    return "?" + urlencode({"tab": tab} | ({"file": file} if file and tab == "files" else {}))


def _config(run: StoredRun) -> dict[str, Any]:
    """Give the config as the user wrote it, without the SDK's own part; nested values have dotted names."""
    entries = {name: entry for name, entry in json.loads(run.config).items() if name != "_wandb"}
    values = {name: entry.get("value") if isinstance(entry, dict) else entry for name, entry in entries.items()}
    return dict(_named(values))


def _named(values: dict[str, Any], above: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in values.items():
        found += _named(value, f"{above}{name}.") if isinstance(value, dict) and value else [(f"{above}{name}", value)]
    return found


def chart(values: Sequence[float], count: int) -> dict[str, Any] | None:
    """Lay out a line through values, perhaps a sample of `count`, on a canvas; None for fewer than two."""
    if len(values) < 2:
        return None
    low, high = min(values), max(values)
    span = high - low or 1.0  # equal values lie at the bottom, on a line
    # divided one by one: a difference may be more than a float holds, and inf / inf is no place
    points = [
        (i * CHART_WIDTH / (len(values) - 1), CHART_HEIGHT * (1 - (value / span - low / span)))
        for i, value in enumerate(values)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return {"line": line, "low": low, "high": high, "count": count, "width": CHART_WIDTH, "height": CHART_HEIGHT}
