"""Specifications of charts, kept for `wandb.Api().create_custom_chart`; no page of ours draws them."""

from __future__ import annotations

from sweeper.server.store.database import Connection


def keep(db: Connection, *, entity: str, name: str, display_name: str, type: str, access: str, spec: str) -> int:  # noqa: A002
    """Keep a chart, in the place of an entity's chart of the same name.

    Returns:
        Its number, a new one if another has been replaced.
    """
    query = (
        "INSERT OR REPLACE INTO custom_charts (entity, name, display_name, type, access, spec)"
        " VALUES (?, ?, ?, ?, ?, ?) RETURNING id"
    )
    number: int = db.execute(query, (entity, name, display_name, type, access, spec)).fetchone()["id"]
    return number
