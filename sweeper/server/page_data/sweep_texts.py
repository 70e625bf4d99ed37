"""A sweep's file, and what other seeds have shown of its best runs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.requests import Request

from sweeper.server.page_data.answers import SWEEP, data_route, find_sweep
from sweeper.server.rules import confirmations
from sweeper.server.store.database import Connection


def _definition(db: Connection, request: Request) -> dict[str, str]:
    """Answer the sweep's file as it was given to the server, in YAML."""
    return {"yaml": find_sweep(db, request).definition_text}


def _confirmation(db: Connection, request: Request) -> dict[str, Any]:
    """Answer what other seeds have shown; `confirmation` is null where nobody has tried."""
    found = confirmations.of_sweep(db, find_sweep(db, request))
    if found is None:
        return {"confirmation": None}
    contenders = [
        {**asdict(one), "interval": one.interval, "of_seeds": one.of_seeds, "words": one.words}
        for one in found.contenders
    ]
    told = {name: getattr(found, name) for name in ("sweep", "sweeps", "seed_parameter", "varying", "findings")}
    return {"confirmation": {**told, "ended": found.ended, "planned": found.planned, "contenders": contenders}}


ROUTES = [data_route(SWEEP + "/definition", _definition), data_route(SWEEP + "/confirmation", _confirmation)]
