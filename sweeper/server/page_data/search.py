"""What the box at the head of every page finds: projects, sweeps and runs by a part of their names, or by their ids."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.requests import Request

from sweeper.server.page_data.answers import data_route
from sweeper.server.store import page_lists
from sweeper.server.store.database import Connection
from sweeper.server.store.page_lists import Named

MOST = 8
"""Of each sort."""
LONGEST = 200
"""Characters that are looked for."""


def found(db: Connection, request: Request) -> dict[str, Any]:
    """Find what the words in `q` may mean."""
    return look_up(db, request.query_params.get("q", ""), MOST)


def look_up(db: Connection, words: str, most: int) -> dict[str, Any]:
    """Find what some words may mean, of each sort so many at most."""
    words = " ".join(words.split())[:LONGEST]
    if not words:
        return {"projects": [], "sweeps": [], "runs": []}
    places, sweeps, runs = page_lists.find(db, words, most)
    return {
        "projects": [_told(one, one.entity) for one in places],
        "sweeps": [_told(one, f"{one.project} · {one.state}", "sweeps") for one in sweeps],
        "runs": [_told(one, f"{one.project} · {one.state}", "runs") for one in runs],
    }


def _told(one: Named, about: str, kind: str = "") -> dict[str, str]:
    parts = [one.entity, one.project, *([kind, one.id] if kind else [])]
    name = one.name if one.name == one.id else f"{one.name} ({one.id})"
    return {"name": name, "about": about, "page": "/" + "/".join(quote(part, safe="") for part in parts)}


ROUTES = [data_route("/-/data/search", found)]
