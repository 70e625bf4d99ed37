"""What the head of a run's page says, and says anew while the run goes on."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from sweeper.figures.drawn_run import fate_of
from sweeper.metric_value import flat
from sweeper.run import Run, RunState
from sweeper.search.history_gap import why_not_whole
from sweeper.server.page_data.answers import RUN, data_route, find_run
from sweeper.server.store import lines, run_digests, sweeps
from sweeper.server.store.database import Connection
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Sweep

_PLAIN = {
    RunState.PENDING: "It waits for a process to take it up.",
    RunState.PREEMPTED: "Its process had to go; the next one goes on with it.",
    RunState.PREEMPTING: "Its process has to go, and is saving what it has.",
    RunState.CRASHED: "Its process has not been heard of any more.",
    RunState.KILLED: "It was stopped.",
    RunState.FAILED: "It ended with an error.",
}
"""What a state means, where nobody has said why."""


def facts(db: Connection, run: StoredRun, sweep: Sweep | None) -> dict[str, Any]:
    """Give what the head of a run's page shows.

    Args:
        db: A connection.
        run: The run.
        sweep: Its sweep, if it has one.
    """
    seen = next((one for _, one in run_digests.page(db, sweep, after=run.id - 1, limit=1)), None) if sweep else None
    goal = sweep.definition.goal if sweep else None
    metric = sweep.definition.metric if sweep else None
    return {
        "name": run.display_name,
        "fate": fate_of(run.state),
        "state": run.state,
        "reason": _reason(run, seen),
        "ended": run.state.ended,
        "swept": _swept(run, sweep),
        "metric": metric.name if metric else None,
        "best": seen.best(goal) if seen and goal and metric else None,
        "last": seen.last if seen and metric else None,
        "values": _values(sweep, seen),
        "rows": lines.count(db, run.id, lines.Stream.HISTORY),
        "attempt": run.attempt,
        "exit_code": run.exit_code,
        "host": run.host,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "heard_at": run.heartbeat_at,
        "ended_at": run.ended_at,
        "duration_s": run.duration_s,
    }


def _reason(run: StoredRun, seen: Run | None) -> str:
    """Say why a run is as it is: what was recorded, what its values lack, or what its state means."""
    doubt = why_not_whole(seen) if seen and run.state.ended else ""
    return run.reason or doubt or run.gap or _PLAIN.get(run.state, "")


def _swept(run: StoredRun, sweep: Sweep | None) -> dict[str, Any]:
    """Give the parameters that set this run apart from others of its sweep."""
    params = json.loads(run.params)
    varied = sweep.definition.space.searched if sweep else {}
    return {name: params[name] for name in varied if name in params}


def _values(sweep: Sweep | None, seen: Run | None) -> list[dict[str, Any]]:
    """Give the last value of each metric of a sweep that has several."""
    several = sweep.definition.metrics if sweep and seen and seen.values else None
    return [
        {"name": one.name, "value": value}
        for one, value in zip(several or (), seen.values if seen else (), strict=False)
    ]


def summary_of(run: StoredRun) -> dict[str, Any]:
    """Give a run's summary without media and the SDK's own keys; nested values have dotted names."""
    return dict(flat(json.loads(run.summary)))


def _read(db: Connection, request: Request) -> dict[str, Any]:
    """Give the head of a run's page, and its summary where `summary` is asked for."""
    run = find_run(db, request)
    told = facts(db, run, sweeps.get(db, run.sweep_id) if run.sweep_id is not None else None)
    return told | ({"summary": summary_of(run)} if "summary" in request.query_params else {})


ROUTES = [data_route(RUN, _read)]
