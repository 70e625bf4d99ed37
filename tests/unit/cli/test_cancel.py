"""`sweeper cancel` of a real sweep."""

from __future__ import annotations

import json


def test_a_canceled_sweep_ends_its_runs(here, embedded):
    """Those at work are told to stop; those that ended stay as they are."""
    ref, (finished, running) = embedded.sweep(0, None)
    done = here("cancel", ref)
    assert done.stdout == f"sweep {ref} is canceled: running runs are being killed\n", done.exception
    told = json.loads(here("status", ref, "--json").stdout)
    assert told["state"] == "canceled"
    assert {run["id"]: run["told_to_stop"] for run in told["runs"]} == {finished: False, running: True}
