"""How a sync is judged."""

from __future__ import annotations

from sweeper.results.sync import RunSync, SyncResult


def test_a_sync_is_well_if_nothing_failed():
    """Runs that have not ended are no failure; one that was not sent is, and so are runs that hang in the air."""
    done = [RunSync(run="a", outcome="sent"), RunSync(run="b", outcome="not ended")]
    assert SyncResult(source="s", to="t", runs=tuple(done)).ok
    assert not SyncResult(source="s", to="t", runs=tuple(done), error="refused").ok
    assert not SyncResult(source="s", to="t", runs=(*done, RunSync(run="c", outcome="failed"))).ok
