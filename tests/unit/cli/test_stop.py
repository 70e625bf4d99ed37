"""`sweeper stop` of a real sweep, and of one run."""

from __future__ import annotations

import json

from sweeper.errors import BackendError


def test_a_stopped_sweep_lets_its_runs_finish(here, embedded):
    """No new one starts; those at work are not told to end."""
    ref, (run,) = embedded.sweep(None)
    done = here("stop", ref)
    assert done.stdout == f"sweep {ref} is stopped: running runs will finish\n", done.exception
    told = json.loads(here("status", ref, "--json").stdout)
    assert told["state"] == "finished"
    assert [(shown["id"], shown["told_to_stop"]) for shown in told["runs"]] == [(run, False)]


def test_one_run_is_stopped_and_the_sweep_goes_on(here, embedded):
    """Each that is named, and no other."""
    ref, (first, second, third) = embedded.sweep(None, None, None)
    done = here("stop", ref, "--run", first, "--run", third)
    assert done.stdout.splitlines() == [f"run {first} is being stopped", f"run {third} is being stopped"]
    told = json.loads(here("status", ref, "--json").stdout)
    assert told["state"] == "running"
    assert {run["id"] for run in told["runs"] if run["told_to_stop"]} == {first, third}
    assert second in {run["id"] for run in told["runs"] if run["state"] == "running"}


def test_a_run_that_is_not_there_is_named(here, embedded):
    """And nothing is said to be stopped."""
    ref, _ = embedded.sweep(0)
    done = here("stop", ref, "--run", "nobody")
    assert isinstance(done.exception, BackendError)
    assert done.exception.message == f"{ref.entity}/{ref.project} has no run nobody"
    assert done.stdout == ""


def test_a_run_that_has_ended_is_not_said_to_be_stopped(here, embedded):
    """How it ended is said."""
    ref, (run,) = embedded.sweep(1)
    assert here("stop", ref, "--run", run).stdout == f"run {run} has ended already: it is failed\n"
