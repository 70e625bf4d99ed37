"""What mattered in a sweep, for any metric and any of its runs."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sweeper.run import Goal, Run
from sweeper.search.importance import best_quarter, caveat, weigh
from sweeper.server.errors import RequestError
from sweeper.server.page_data.answers import SWEEP, find_sweep, packed
from sweeper.server.page_data.selection import selected
from sweeper.server.store import key_extremes, run_digests
from sweeper.server.store.database import Connection, Store
from sweeper.server.store.sweeps import Sweep
from sweeper.server.strict_json import encode

WHICH = {"last": 0, "min": 1, "max": 2}
"""Of a run's values of a metric, by their place in `key_extremes.Extremes`."""
REMEMBERED = 64
"""Answers that are kept: several viewers of one sweep ask the same."""
PATIENCE_S = 20.0
"""How long somebody waits for others' questions: one is weighed at a time, for heartbeats come first."""
Scored = list[tuple[Run, float]]

_ANSWERS: OrderedDict[tuple[object, ...], dict[str, Any]] = OrderedDict()
_ONE_AT_A_TIME = threading.Lock()


async def importance(request: Request) -> Response:
    """Answer `rows` (`name`, `ped_anova`, `forest`, `correlation`, `n`), `n` runs, `looked` at, and a `caveat`.

    `?metric=KEY` any logged key (the sweep's own if left out), `&which=best|last|min|max`, `&goal=minimize|maximize`,
    `&share=quarter` of the best only, `&runs=` a selection.
    """
    return await run_in_threadpool(_importance, request)


def _importance(request: Request) -> Response:
    store: Store = request.app.state.store
    with store.read() as db:
        sweep = find_sweep(db, request)
        scored, goal = _scored(db, sweep, request)
    if request.query_params.get("share") == "quarter":
        scored = best_quarter(scored, goal)
    return packed(request, encode(_weighed(sweep, scored, goal)), "application/json")


def _scored(db: Connection, sweep: Sweep, request: Request) -> tuple[Scored, Goal]:
    """Give the runs that have ended with a value of the metric that is asked about, and which values are good."""
    asked = request.query_params
    which, key = asked.get("which", "best"), asked.get("metric")
    if which not in {"best", *WHICH}:
        raise RequestError(f"which: {which[:100]!r} is none of best, last, min, max")
    rows = [(place, run) for place, run in selected(request, _rows(db, sweep)) if run.state.ended and not run.prior]
    metrics = {metric.name: (place, metric.goal) for place, metric in enumerate(sweep.definition.objectives)}
    known = metrics.get(key) if key else next(iter(metrics.values()), None)
    usual: Goal = known[1] if known else "maximize" if which == "max" else "minimize"
    goal: Goal = "maximize" if (asked.get("goal") or usual) == "maximize" else "minimize"
    if known and sweep.definition.several:
        return [(run, run.values[known[0]]) for _, run in rows if run.values], goal
    if known and which == "best":
        return [(run, value) for _, run in rows if (value := run.best(goal)) is not None], goal
    if not key:
        return [], goal
    found = key_extremes.extremes(db, [place for place, _ in rows], [key])
    place_of = WHICH.get(which, 1 if goal == "minimize" else 2)
    return [(run, found[place][key][place_of]) for place, run in rows if key in found.get(place, {})], goal


def _rows(db: Connection, sweep: Sweep) -> list[tuple[int, Run]]:
    rows: list[tuple[int, Run]] = []
    while found := run_digests.page(db, sweep, after=rows[-1][0] if rows else 0):
        rows += found
    return rows


def _weighed(sweep: Sweep, scored: Scored, goal: Goal) -> dict[str, Any]:
    """Weigh the parameters, which takes up to a second: once for the same results of the same runs."""
    asked = (sweep.name, goal, hash((sweep.definition_text, *((run.id, value) for run, value in scored))))
    if not _ONE_AT_A_TIME.acquire(timeout=PATIENCE_S):
        raise RequestError("the server weighs the parameters of other sweeps: try again in a minute", 503)
    try:
        if asked not in _ANSWERS:
            _ANSWERS[asked] = _answer(sweep, scored, goal)
            if len(_ANSWERS) > REMEMBERED:
                _ANSWERS.popitem(last=False)
        _ANSWERS.move_to_end(asked)
        return _ANSWERS[asked]
    finally:
        _ONE_AT_A_TIME.release()


def _answer(sweep: Sweep, scored: Scored, goal: Goal) -> dict[str, Any]:
    began = time.perf_counter()
    rows = [asdict(row) for row in weigh(sweep.definition.space, scored, goal)]
    looked = max((row["n"] for row in rows), default=0)
    told = {"rows": rows, "n": len(scored), "looked": looked, "goal": goal, "caveat": caveat(len(scored), len(rows))}
    return {**told, "seconds": round(time.perf_counter() - began, 3)}


ROUTES = [Route(SWEEP + "/importance", importance)]
