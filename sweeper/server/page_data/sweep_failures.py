"""Why runs of a sweep failed, and what those that failed alike have in common."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.requests import Request

from sweeper.plots.failure_causes import failure_causes
from sweeper.server.page_data.answers import SWEEP, data_route, find_sweep
from sweeper.server.page_data.selection import selected
from sweeper.server.store import run_digests
from sweeper.server.store.database import Connection


def _read(db: Connection, request: Request) -> dict[str, Any]:
    """Answer `causes`, the most frequent first: `cause`, the ids of its `runs`, the latest first, and their `traits`.

    A trait says of how many of these runs, and of how many that did not fail, a parameter has a value (`=`, `<=`,
    `>=`), and how often chance alone would do that. `&runs=` a selection.
    """
    runs = [run for run in selected(request, run_digests.all_of(db, find_sweep(db, request))) if not run.prior]
    return {
        "ended": sum(run.state.ended for run in runs),
        "causes": [
            {"cause": one.cause, "runs": list(one.runs), "traits": [asdict(trait) for trait in one.traits]}
            for one in failure_causes(runs)
        ],
    }


ROUTES = [data_route(SWEEP + "/failures", _read)]
