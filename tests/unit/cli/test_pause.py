"""`sweeper pause` of a real sweep."""

from __future__ import annotations


def test_a_paused_sweep_starts_no_run(here, embedded):
    """Workers that ask get none and stay; the way back is said."""
    ref, _ = embedded.sweep(0)
    done = here("pause", ref)
    assert done.stdout.splitlines() == [f"sweep {ref} is paused", "next: sweeper resume"], done.exception
    assert embedded.wire.beat(embedded.wire.agent(ref.sweep_id)) == {}
