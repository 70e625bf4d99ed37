"""What ran where and when: every attempt at a run of a sweep."""

from __future__ import annotations

import time
from typing import Any

from starlette.requests import Request

from sweeper.server.errors import RequestError
from sweeper.server.page_data.answers import SWEEP, data_route, find_sweep
from sweeper.server.store import attempts
from sweeper.server.store.database import Connection


def _read(db: Connection, request: Request) -> dict[str, Any]:
    """Answer columns of the attempts, times in seconds since `base`: run by run, the first one first.

    `?since=T` leaves out those that had ended before. `slots` and `agents` are numbers of names in `names`; a slot is
    named with its host, and empty where nobody said which it is.
    """
    sweep, now = find_sweep(db, request), time.time()
    found = attempts.of_sweep(db, sweep.id, since=_since(request))
    base, names = sweep.created_at, dict[str, int]()
    slots = [names.setdefault(f"{one.host} {one.slot}" if one.slot else "", len(names)) for one in found]
    hosts = [names.setdefault(one.host, len(names)) for one in found]
    agents = [names.setdefault(one.agent, len(names)) for one in found]
    return {
        "now": now,
        "base": base,
        "names": list(names),
        "attempts": {
            "run": [one.run for one in found],
            "number": [one.number for one in found],
            "slot": slots,
            "host": hosts,
            "agent": agents,
            "started": [round(one.started_at - base, 2) for one in found],
            "ended": [None if one.ended_at is None else round(one.ended_at - base, 2) for one in found],
            "state": [one.state for one in found],
            "reason": [one.reason for one in found],
        },
    }


def _since(request: Request) -> float:
    text = request.query_params.get("since", "0")
    try:
        return float(text)
    except ValueError as error:
        raise RequestError(f"since: {text[:100]!r} is no time") from error


ROUTES = [data_route(SWEEP + "/attempts", _read)]
