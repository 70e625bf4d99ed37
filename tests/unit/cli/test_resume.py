"""`sweeper resume` of a real sweep."""

from __future__ import annotations

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
    assert done.stdout.splitlines() == [f"sweep {ref} is running", "next: sweeper launch"], done.exception
    assert embedded.wire.beat(agent)["type"] == "run"
