"""The page of a sweep: what stands above the fold as text, and the places that scripts fill."""

from __future__ import annotations

import time
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sweeper.run import Run, sign
from sweeper.search.history_gap import usual_iterations, why_not_whole
from sweeper.search.missing_metric import missing_metrics
from sweeper.search.pareto_front import front
from sweeper.server.page_data.answers import find_project, find_sweep
from sweeper.server.page_data.sweep_facts import facts
from sweeper.server.pages.rendering import page
from sweeper.server.rules import confirmations
from sweeper.server.store import run_digests, run_times, runs
from sweeper.server.store.database import Connection
from sweeper.server.store.sweeps import Sweep

LATEST_RUNS = 20
"""That stand in the page itself, until a script puts all of them there."""
BANDS = ("importance", "curves")
"""Those that stand beside each other below the parallel coordinates."""
TABS = (
    ("slices", "Slices"),
    ("contour", "Contour"),
    ("timeline", "Timeline"),
    ("failures", "Failures"),
    ("front", "Pareto front"),
    ("confirmation", "Confirmation"),
    ("definition", "Definition"),
)
"""Modules in `assets/sweep/`, and what their tabs are called."""


async def sweep_page(request: Request) -> Response:
    """Show one sweep: state, best run, pictures and all runs."""
    return await run_in_threadpool(_sweep_page, request)


def _sweep_page(request: Request) -> Response:
    with request.app.state.store.read() as db:
        place, found = find_project(db, request), find_sweep(db, request)
        told = facts(db, found, now=time.time())
        latest = _latest(db, found)
        values: dict[str, Any] = {
            "missing": _missing(db, found, told),
            "confirmation": confirmations.of_sweep(db, found),
            "front": _front(db, found) if told["several"] else [],
            "prior": runs.attached_to(db, found.id),
        }
    return page("sweep.html", project=place, sweep=found, facts=told, latest=latest, bands=BANDS, tabs=TABS, **values)


def _latest(db: Connection, sweep: Sweep) -> list[dict[str, Any]]:
    """Give the rows of the latest runs, the last first."""
    found = run_digests.page(db, sweep, after=run_times.before_latest(db, sweep.id, LATEST_RUNS))
    known, goal = [run for _, run in found if not run.prior], sweep.definition.goal
    usual = usual_iterations(known)
    rows = [
        {"run": run, "value": run.best(goal), "reason": run.reason or why_not_whole(run, usual)} for run in known[::-1]
    ]
    return rows[:LATEST_RUNS]


def _front(db: Connection, sweep: Sweep) -> list[Run]:
    """Find the runs that no other one beats in all of several metrics, the best of the first metric first."""
    known = [run for run in run_digests.all_of(db, sweep) if not run.prior]
    metrics = sweep.definition.objectives
    places = front([run.values for run in known], [metric.goal for metric in metrics])
    return sorted((known[place] for place in places), key=lambda run: sign(metrics[0].goal) * run.values[0])


def _missing(db: Connection, sweep: Sweep, told: dict[str, Any]) -> list[str]:
    """Say which metrics nobody logs; asked only where it may be: reading all runs takes a while."""
    if told["best"] or not told["ended"]:
        return []
    return [metric.message for metric in missing_metrics(sweep.definition, run_digests.all_of(db, sweep))]


ROUTES = [Route("/{entity}/{project}/sweeps/{sweep}", sweep_page)]
