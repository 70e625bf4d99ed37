"""`sweeper pause` of a real sweep."""

from __future__ import annotations

from sweeper.errors import LaunchError


def test_a_paused_sweep_starts_no_run(here, embedded):
    """Workers that ask get none and stay; the way back is said."""
    ref, _ = embedded.sweep(0)
    done = here("pause", ref)
    assert done.stdout.splitlines() == [f"sweep {ref} is paused", f"next: sweeper resume {ref}"], done.exception
    assert embedded.wire.beat(embedded.wire.agent(ref.sweep_id)) == {}


def test_a_sweep_that_has_not_begun_is_paused_too(here, embedded):
    """Before its first run, which it then does not give; again it says how it is, and an ended one refuses."""
    ref, _ = embedded.sweep()
    assert here("pause", ref).stdout.splitlines()[0] == f"sweep {ref} is paused"
    assert embedded.wire.beat(embedded.wire.agent(ref.sweep_id)) == {}
    assert here("pause", ref).stdout.splitlines()[0] == f"sweep {ref} is paused already"
    here("stop", ref)
    error = here("pause", ref).exception
    assert isinstance(error, LaunchError)
    assert error.message == f"cannot pause {ref}: it is finished already"
