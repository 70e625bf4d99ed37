"""Many rows in few statements."""

from __future__ import annotations

import pytest

from sweeper.server.store import bulk


@pytest.mark.parametrize(("count", "statements"), [(0, 0), (1, 1), (15, 1), (250, 1), (251, 2), (1000, 4)])
def test_rows_arrive_in_few_statements(db, count, statements):
    """All of them, in their order; beside a busy thread each statement may have to wait for its turn."""
    db.execute("CREATE TABLE t (a INTEGER, b TEXT)")
    seen = []
    db.set_trace_callback(seen.append)
    bulk.insert(db, "INSERT INTO t (a, b)", [(i, f"row {i}") for i in range(count)])
    db.set_trace_callback(None)
    assert len(seen) == statements
    assert [tuple(row) for row in db.execute("SELECT * FROM t")] == [(i, f"row {i}") for i in range(count)]
