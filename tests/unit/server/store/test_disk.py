"""A full disk: what it refuses is told apart from faults of ours."""

from __future__ import annotations

import pytest

from sweeper.server.store.database import Store
from sweeper.server.store.disk import DiskFullError


@pytest.mark.parametrize("durable", [True, False])
def test_a_full_disk_refuses_and_recovers(tmp_path, durable):
    """What does not fit is refused whole, with words that clients take for "later"; then all is as before."""
    store = Store(tmp_path / "db")
    pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
    store._writer.execute(f"PRAGMA max_page_count = {pages + 1}")
    insert = "INSERT INTO projects (entity, name, created_at) VALUES ('e', ?, 1)"
    with pytest.raises(DiskFullError, match="make space") as caught, store.write(durable=durable) as db:
        db.executemany(insert, [("small",), ("x" * 100_000,)])
    assert caught.value.status == 507
    assert store.refusals == 1
    store._writer.execute("PRAGMA max_page_count = 1000000")
    with store.write(durable=durable) as db:
        db.execute(insert, ("later",))
    with store.read() as db:
        assert [row["name"] for row in db.execute("SELECT name FROM projects")] == ["later"]
    store.close()
