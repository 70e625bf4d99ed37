"""`sweeper resume` of a real sweep."""

from __future__ import annotations

from sweeper.errors import LaunchError

SWEEP_ID = """query($sweep: String!) { project(name: "p") { sweep(sweepName: $sweep) { id } } }"""
SET_STATE = """mutation($id: ID!) { upsertSweep(input: {id: $id, state: "PAUSED"}) { sweep { state } } }"""


def test_a_paused_sweep_goes_on(here, embedded):
    """Workers get runs again; what starts some is said."""
    ref, _ = embedded.sweep(0)
    found = embedded.wire.graphql(SWEEP_ID, sweep=ref.sweep_id)
    embedded.wire.graphql(SET_STATE, id=found["project"]["sweep"]["id"])
    agent = embedded.wire.agent(ref.sweep_id)
    assert embedded.wire.beat(agent) == {}
    done = here("resume", ref)
    assert done.stdout.splitlines() == [f"sweep {ref} is running", f"next: sweeper launch {ref}"], done.exception
    assert embedded.wire.beat(agent)["type"] == "run"


def test_a_sweep_that_has_made_all_its_runs_does_not_go_on(here, embedded):
    """Whatever its state is; what would give more is said, and the sweep is left as it is."""
    ref, _ = embedded.sweep(0, 1, text="method: random\nrun_cap: 2\nparameters: {lr: {min: 0.1, max: 1.0}}\n")
    for _ in range(2):
        error = here("resume", ref).exception
        assert isinstance(error, LaunchError)
        assert error.message == f"sweep {ref} has nothing to go on with: all 2 runs of its run_cap are done"
        assert f"`sweeper retry {ref}` hands out again what failed (1)" in error.hint
        assert "a higher `run_cap:`" in error.hint
        embedded.wire.beat(embedded.wire.agent(ref.sweep_id))  # who asks after the last run ends the sweep
    assert "state   finished" in here("status", ref).stdout


def test_what_runs_is_running_already_and_what_is_canceled_stays_so(here, embedded):
    """Neither is a promise that something has changed."""
    ref, _ = embedded.sweep(0)
    assert here("resume", ref).stdout.splitlines()[0] == f"sweep {ref} is running already"
    here("cancel", ref)
    error = here("resume", ref).exception
    assert isinstance(error, LaunchError)
    assert "it is canceled, and that is for good" in error.message
    assert here("cancel", ref).stdout == here("stop", ref).stdout == f"sweep {ref} is canceled already\n"
