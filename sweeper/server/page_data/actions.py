"""What whoever looks at a sweep or a run may ask of it now, and what was asked before, by whom and why."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.requests import Request

from sweeper.server.page_data.answers import RUN, SWEEP, data_route, find_run, find_sweep
from sweeper.server.rules import actions, rights
from sweeper.server.store import actions as kept
from sweeper.server.store import sweep_runs
from sweeper.server.store.database import Connection


def of_sweep(db: Connection, request: Request) -> dict[str, Any]:
    """Tell of a sweep: what its buttons are, which runs the viewer may act on, and what was asked so far."""
    sweep, user = find_sweep(db, request), request.state.user
    mine = rights.may_change(user, sweep.user_id)
    # whoever may act on what nobody owns may act on all
    others = [] if rights.may_change(user, None) else sweep_runs.of_others(db, sweep.id, user.id)
    return {
        "state": sweep.state.word,
        "actions": actions.possible_for_sweep(db, sweep) if mine else [],
        "mine": mine,
        "others": others,
        "retries": actions.hands_out_again(db, sweep),
        "said": [asdict(action) for action in kept.of_sweep(db, sweep.id)],
    }


def of_run(db: Connection, request: Request) -> dict[str, Any]:
    """Tell of a run: what its buttons are, and what was asked of it so far."""
    run = find_run(db, request)
    mine = rights.may_change(request.state.user, run.user_id)
    return {
        "state": run.state.value,
        "stopping": bool(run.stop_requested) and not run.state.ended,
        "actions": actions.possible_for_run(db, run) if mine else [],
        "mine": mine,
        "said": [asdict(action) for action in kept.of_run(db, run.id)],
    }


ROUTES = [data_route(SWEEP + "/actions", of_sweep), data_route(RUN + "/actions", of_run)]
