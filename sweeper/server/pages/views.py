"""The web pages, at the addresses that the SDK prints."""

from __future__ import annotations

import time
from collections.abc import Sequence
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.figures.best_so_far import best_so_far
from sweeper.figures.drawn_run import DrawnRun
from sweeper.figures.svg import Figure
from sweeper.run import Run, RunState, SweepState, best_run
from sweeper.search.history_gap import usual_iterations, why_not_whole
from sweeper.search.importance import Importance, importance
from sweeper.search.missing_metric import missing_metrics
from sweeper.search.pareto_front import front
from sweeper.search.savings import saved_seconds
from sweeper.server.errors import NotFoundError
from sweeper.server.pages import compare, lists
from sweeper.server.pages.rendering import page
from sweeper.server.pages.run_page import run_page, tab_of
from sweeper.server.rules import confirmations, prior_runs
from sweeper.server.store import projects, run_digests, runs, sweeps
from sweeper.server.store.database import Connection, Store
from sweeper.server.store.projects import Project
from sweeper.server.store.sweeps import Sweep

AGENT_HEARD_S = 20.0
"""An agent that waits for a run beats every 5 s; one that is busy shows by its run."""
SHOWN_RUNS = 500
"""Rows of a sweep's page, as long as nobody asks for all runs: a browser takes seconds to lay out ten thousand."""
MAX_WEIGHED = 100
"""Sweeps of which it is remembered what mattered."""
_WEIGHED: dict[str, tuple[int | None, tuple[Importance, ...]]] = {}
SECTIONS = frozenset(
    ["", "sweeps", "runs", "workspace", "overview", "table", "groups", "artifacts", "reports", "reportlist", "jobs"]
)
"""What W&B has below a project, and the SDK prints; nothing for an address with a slash at its end."""


async def sweep_page(request: Request) -> Response:
    """Show one sweep: state, best run and all runs."""
    every_run = request.query_params.get("runs") == "all"
    return await run_in_threadpool(_sweep_page, request.app.state.store, every_run=every_run, **request.path_params)


def _sweep_page(store: Store, entity: str, project: str, sweep: str, *, every_run: bool = False) -> Response:
    with store.read() as db:
        place = _find_project(db, entity, project)
        found = sweeps.find(db, sweep, place.id)
        if found is None:
            raise NotFoundError(f"no sweep {sweep!r} in {entity}/{project}")
        seen = run_digests.all_of(db, found)
        fallbacks = runs.fallbacks(db, found.id)
        expected = prior_runs.expected_runs(db, found)
        confirmation = confirmations.of_sweep(db, found)
    known = [run for run in seen if not run.prior]
    goal = found.definition.goal
    best, usual = best_run(known, goal), usual_iterations(known)
    shown = known if every_run else known[-SHOWN_RUNS:]
    return page(
        "sweep.html",
        project=place,
        sweep=found,
        metric=found.definition.metric,
        expected=expected,
        runs=[(run, run.best(goal), run.reason or why_not_whole(run, usual)) for run in reversed(shown)],
        more=len(known) - len(shown),
        ended=sum(run.state.ended for run in known),
        best=best,
        best_value=best.best(goal) if best else None,
        front=_front(found.definition, known),
        names=sorted({name for run in known for name in run.params}),
        prior=[run for run in seen if run.prior],
        importance=[row for row in _importance(found, known) if row.forest is not None],
        stopped=sum(run.stop is not None for run in known),
        saved_s=saved_seconds(known),
        missing=missing_metrics(found.definition, known),
        fallbacks=fallbacks,
        idle=_is_idle(found, known, time.time()),
        now=time.time(),
        curve=_curve(found, known),
        confirmation=confirmation,
    )


def _curve(sweep: Sweep, known: Sequence[Run]) -> Figure | None:
    """Draw how the search went, of a sweep with one metric."""
    metric = sweep.definition.metric
    if metric is None:
        return None
    numbered = enumerate(known, start=1)
    runs = [DrawnRun.of(run, number, run.name, run.best(metric.goal)) for number, run in numbered]
    return best_so_far(runs, metric.name, metric.goal)


def _importance(sweep: Sweep, known: Sequence[Run]) -> tuple[Importance, ...]:
    """Weigh the parameters, which takes up to a second: once for the same results of the same runs."""
    goal = sweep.definition.goal
    results = hash((sweep.definition_text, *((run.id, run.best(goal)) for run in known if run.state.ended)))
    weighed_for, found = _WEIGHED.pop(sweep.name, (None, ()))
    if weighed_for != results:
        found = importance(sweep.definition, known)
    _WEIGHED[sweep.name] = (results, found)
    if len(_WEIGHED) > MAX_WEIGHED:
        _WEIGHED.pop(next(iter(_WEIGHED)), None)  # whose page was looked at longest ago
    return found


def _is_idle(sweep: Sweep, known: Sequence[Run], now: float) -> bool:
    """Whether a sweep goes on and nobody works on it: no run does, and no agent asks for one."""
    goes_on = sweep.state in {SweepState.PENDING, SweepState.RUNNING}
    at_work = any(run.state in {RunState.RUNNING, RunState.PREEMPTING} for run in known)
    return goes_on and not at_work and now - (sweep.heartbeat_at or 0.0) > AGENT_HEARD_S


def _front(definition: SweepDefinition, known: Sequence[Run]) -> list[Run]:
    """Find the runs that no other one beats in all of several metrics."""
    metrics = definition.metrics or ()
    places = front([run.values for run in known], [metric.goal for metric in metrics]) if metrics else []
    return sorted((known[place] for place in places), key=lambda run: run.values)


async def page_above(request: Request) -> Response:
    """Go on from an address that W&B has below a project, a sweep or a run to the page of ours that shows most of it.

    Raises:
        NotFoundError: W&B has none there either.
    """
    names = dict(request.path_params)
    rest = names.pop("rest")
    if len(names) == 2 and rest.partition("/")[0] not in SECTIONS:
        raise NotFoundError(f"no page {request.url.path[:300]!r} here")
    kind = [f"{kind}s" for kind in ("sweep", "run") if kind in names]
    entity, project, *below = (quote(name, safe="") for name in names.values())
    tab = tab_of(rest) if "run" in names else ""
    return RedirectResponse("/" + "/".join([entity, project, *kind, *below]) + tab, 302)


def _find_project(db: Connection, entity: str, name: str) -> Project:
    found = projects.find(db, entity, name)
    if found is None:
        raise NotFoundError(f"no project {entity}/{name} here")
    return found


ROUTES = [
    *lists.ROUTES,
    *compare.ROUTES,
    Route("/{entity}/{project}/sweeps/{sweep}", sweep_page),
    Route("/{entity}/{project}/runs/{run}", run_page),
    Route("/{entity}/{project}/sweeps/{sweep}/{rest:path}", page_above),
    Route("/{entity}/{project}/runs/{run}/{rest:path}", page_above),
    Route("/{entity}/{project}/{rest:path}", page_above),
]
