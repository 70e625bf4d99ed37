"""Orders about single runs, given to the server past the SDK."""

from __future__ import annotations

import json
import subprocess

import pytest

from sweeper.backend import run_orders
from sweeper.errors import BackendError
from sweeper.processes import python
from sweeper.ref import RunRef

STATE = "query($p: String!, $r: String!) { project(name: $p) { run(name: $r) { state summaryMetrics } } }"


@pytest.fixture
def at(embedded, monkeypatch):
    """This process's SDK, pointed at the shared server."""
    monkeypatch.setenv("WANDB_BASE_URL", embedded.url)
    monkeypatch.setenv("WANDB_API_KEY", embedded.wire.key)


def state(embedded, run):
    found = embedded.wire.graphql(STATE, p=run.project, r=run.run_id)["project"]["run"]
    return found["state"], json.loads(found["summaryMetrics"]).get("_sweeper", {}).get("reason")


@pytest.mark.usefixtures("at")
def test_a_run_is_given_up_and_handed_out_again(embedded):
    """With the reason beside it, whatever letters it has; the SDK's version does not matter."""
    ref, (run_id,) = embedded.sweep(None)
    run = ref.run(run_id)
    run_orders.set_state(run, "failed", "the GPU fell off: 80 °C")
    assert state(embedded, run) == ("failed", "the GPU fell off: 80 °C")
    run_orders.set_state(run, "pending")
    assert state(embedded, run)[0] == "preempted"  # it waits, and began before


@pytest.mark.usefixtures("at")
def test_a_run_is_stopped_once(embedded):
    """It is told in which state it was; one that has ended is left alone."""
    ref, (run_id,) = embedded.sweep(None)
    run = ref.run(run_id)
    assert run_orders.stop(run) == "running"
    run_orders.set_state(run, "failed")
    assert run_orders.stop(run) == "killed"


@pytest.mark.usefixtures("at")
@pytest.mark.parametrize("act", [run_orders.stop, lambda run: run_orders.set_state(run, "pending")])
def test_a_run_that_is_not_there_is_refused_in_words(embedded, act):
    """As is one whose state the server does not change."""
    ref, _ = embedded.sweep(0)
    with pytest.raises(BackendError, match="there is no such run"):
        act(RunRef(ref.entity, ref.project, "nobody"))


WITHOUT_SDK = """
import sys
from sweeper.backend import run_orders
from sweeper.ref import SweepRef
run_orders.set_state(SweepRef.parse(sys.argv[1]).run(sys.argv[2]), "pending")
assert "wandb" not in sys.modules
"""


@pytest.mark.usefixtures("at")
def test_no_sdk_is_needed(embedded):
    """So it does not matter how old it is, or that the wandb-core of a launch was killed."""
    ref, (run,) = embedded.sweep(None)
    done = subprocess.run(python("-c", WITHOUT_SDK, ref.path, run), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert state(embedded, ref.run(run))[0] == "preempted"
