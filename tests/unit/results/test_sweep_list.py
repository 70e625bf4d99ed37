"""The list of sweeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sweeper.backend.sweep_lists import SweepList, SweepSummary
from sweeper.backend.sweep_view import AgentSeen
from sweeper.journal.directories import SweepDir
from sweeper.ref import SweepRef
from sweeper.results.sweep_list import lines
from sweeper.run import SweepState
from sweeper.settings import Settings

NOW = datetime.now(UTC)
REF = SweepRef("e", "p", "s")


def summary(state=SweepState.RUNNING, counts=None, agents=()):
    return SweepSummary(
        ref=REF,
        name="try",
        state=state,
        method="grid",
        metrics={"loss": "minimize"},
        made=3,
        done=3,
        total=4,
        best=0.5,
        best_run="r",
        created_at=NOW,
        active_at=NOW,
        counts=counts or {"finished": 3},
        agents=agents,
    )


@pytest.mark.parametrize(
    ("sweep", "state"),
    [
        (summary(), "idle"),
        (summary(counts={"running": 1}), "running"),
        (summary(agents=(AgentSeen("h", NOW - timedelta(seconds=5)),)), "running"),
        (summary(agents=(AgentSeen("h", NOW - timedelta(seconds=50)),)), "idle"),
        (summary(SweepState.FINISHED), "finished"),
        (summary(SweepState.PAUSED), "paused"),
        (summary(SweepState.PENDING), "idle"),
        (summary(agents=None), "running"),  # nobody tells
    ],
)
def test_a_sweep_on_which_nobody_works_is_idle(tmp_path, sweep, state):
    """As far as its runs and its agents tell."""
    (line,) = lines(SweepList((sweep,), "e", told=True), Settings(home=tmp_path), now=NOW)
    assert line.state == state
    assert line.to_json()["state"] == sweep.state.value.lower()
    assert line.to_json()["idle"] is (None if sweep.agents is None else state == "idle")


def test_a_launch_of_this_machine_works(tmp_path):
    """Before its agents are heard."""
    launch = SweepDir.of(tmp_path, REF).new_launch()
    with launch.held():
        (line,) = lines(SweepList((summary(),), "e", told=True), Settings(home=tmp_path), now=NOW)
    assert line.state == "running"
