"""What the page of a sweep says above all its pictures: small, and quick however many runs there are."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from sweeper.definition import rerun
from sweeper.definition.outline import Outline
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.figures.scales import ParameterAxis
from sweeper.run import RunState
from sweeper.search.eta import LATEST, eta_s
from sweeper.server.errors import NotFoundError
from sweeper.server.page_data.answers import SWEEP, data_route, find_sweep
from sweeper.server.page_data.model_file import model_file
from sweeper.server.rules import prior_runs
from sweeper.server.store import projects, run_times, runs, sweep_lists
from sweeper.server.store.database import Connection
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Sweep

AGENT_HEARD_S = 20.0
"""An agent that waits for a run beats every 5 s; one that is busy shows by its run."""
MOST_RUNGS = 100
"""Of the runs that a page shows none gets further."""


def facts(db: Connection, sweep: Sweep, *, now: float) -> dict[str, Any]:
    """Say what a sweep is, how it goes and what is best so far; times are seconds since 1970.

    Args:
        db: A connection.
        sweep: The sweep.
        now: The time.
    """
    definition = sweep.definition
    counts = dict(sweep_lists.counts_of(db, sweep.id))
    expected = prior_runs.expected_runs(db, sweep)
    place = projects.get(db, sweep.project_id)
    return {
        "name": sweep.name,
        "display_name": sweep.display_name or "",
        "description": sweep.description or "",
        "state": sweep.state.word,
        "method": definition.method,
        "scheduler": definition.scheduler.engine if definition.scheduler else "",
        "several": definition.several,
        "objectives": [
            {"name": metric.name, "goal": metric.goal, "target": metric.target} for metric in definition.objectives
        ],
        "expected": expected,
        "counts": counts,
        "ended": sum(count for state, count in counts.items() if RunState(state).ended),
        "eta_s": time_left(db, sweep, counts, expected, now=now),
        "idle": _is_idle(sweep, counts, now),
        "fallbacks": runs.fallbacks(db, sweep.id),
        "created_at": sweep.created_at,
        "parameters": parameters(definition),
        **_rule(definition),
        "best": best(db, sweep),
        "command": f"{place.entity}/{place.name}/{sweep.name}",
        "now": now,
    }


def parameters(definition: SweepDefinition) -> list[dict[str, Any]]:
    """Tell of each parameter how an axis of it looks: its listed values, or whether it goes by logarithms."""
    searched = definition.space.searched
    axes = {name: ParameterAxis.of(name, drawn) for name, drawn in definition.space.distributions.items()}
    return [
        {
            "name": name,
            "listed": None if axis.listed is None else list(axis.listed),
            "log": axis.log,
            "varies": name in searched,
        }
        for name, axis in axes.items()
    ]


def _rule(definition: SweepDefinition) -> dict[str, Any]:
    rule = definition.stopping
    return {"rule": rule.type if rule else "", "rungs": list(rule.rungs()[:MOST_RUNGS]) if rule else []}


def best(db: Connection, sweep: Sweep) -> dict[str, Any] | None:
    """Give the best run so far, with all that a page says of it; None before the first, and with several metrics."""
    found = sweep_lists.best_of(db, sweep, Outline.of(sweep.definition))
    run = runs.find(db, sweep.project_id, found[0]) if found else None
    if found is None or run is None:
        return None
    params = _params(sweep, run)
    return {
        "id": run.name,
        "name": run.display_name,
        "state": run.state.value,
        "value": found[1],
        "params": params,
        "at": run.ended_at or run.heartbeat_at,
        "command": rerun.shortest(sweep.definition, params, run.name),
        "model": model_file(db, projects.get(db, run.project_id), run),
    }


def _params(sweep: Sweep, run: StoredRun) -> dict[str, Any]:
    """Give a run's parameters; one of another sweep has them in its config."""
    found: dict[str, Any] = json.loads(run.params) if run.sweep_id == sweep.id else {}
    return found or runs.parameters_of(sweep, run.config)


def time_left(
    db: Connection, sweep: Sweep, counts: Mapping[str, int], expected: int | None, *, now: float
) -> float | None:
    """Estimate from the runs that ended last, without reading the others; None where nobody can tell."""
    if sweep.state.ended or sweep.state.word == "paused" or expected is None:
        return None
    ended, going = run_times.latest_ended(db, sweep.id, LATEST), run_times.at_work(db, sweep.id, now)
    before = sum(count for state, count in counts.items() if RunState(state).ended) - len(ended)
    return eta_s([*ended, *going], max(0, expected - before), len(going))


def _is_idle(sweep: Sweep, counts: Mapping[str, int], now: float) -> bool:
    """Whether a sweep goes on and nobody works on it: no run does, and no agent asks for one."""
    busy = counts.get("running", 0) + counts.get("preempting", 0)
    goes_on = not sweep.state.ended and sweep.state.word != "paused"
    return goes_on and not busy and now - (sweep.heartbeat_at or 0.0) > AGENT_HEARD_S


def _read(db: Connection, request: Request) -> dict[str, Any]:
    """Answer what `facts` gives."""
    return facts(db, find_sweep(db, request), now=time.time())


def _rerun(db: Connection, request: Request) -> dict[str, str]:
    """Answer how a run of a sweep is run again: `?run=ID`."""
    sweep = find_sweep(db, request)
    name = request.query_params.get("run", "")
    run = runs.find(db, sweep.project_id, name)
    if run is None:
        raise NotFoundError(f"no run {name[:300]!r} here")
    return {"command": rerun.shortest(sweep.definition, _params(sweep, run), run.name)}


ROUTES = [data_route(SWEEP, _read), data_route(SWEEP + "/rerun", _rerun)]
