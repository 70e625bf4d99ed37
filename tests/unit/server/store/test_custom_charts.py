"""Specifications of charts: kept under their names."""

from __future__ import annotations

from sweeper.server.store import custom_charts
from sweeper.server.store.database import MEMORY, Store

CHART = {"name": "c", "display_name": "C", "type": "vega2", "access": "private"}


def test_a_chart_of_the_same_name_is_replaced():
    """Made again it keeps nothing of the first; another entity's chart of that name stays."""
    store = Store(MEMORY)
    with store.write() as db:
        for entity, spec in (("ann", "1"), ("ben", "2"), ("ann", "3")):
            custom_charts.keep(db, entity=entity, spec=spec, **CHART)
        found = db.execute("SELECT entity, spec FROM custom_charts ORDER BY entity").fetchall()
    assert [tuple(row) for row in found] == [("ann", "3"), ("ben", "2")]
    store.close()
