"""`sweeper stop` of a real sweep, and of one run."""

from __future__ import annotations

import json

from sweeper.errors import ResultError


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
    """With the nearest, and nothing is stopped: not even what was named before it."""
    ref, (run,) = embedded.sweep(None)
    wrong = run[:-1] + ("x" if run[-1] != "x" else "y")
    done = here("stop", ref, "--run", run, "--run", wrong)
    assert isinstance(done.exception, ResultError)
    assert done.exception.message == f"sweep {ref} has no run {wrong}"
    assert done.exception.hint.startswith(f"did you mean {run} (run-1)?")
    assert done.stdout == ""
    assert not json.loads(here("status", ref, "--json").stdout)["runs"][0]["told_to_stop"]


def test_a_display_name_is_enough(here, embedded):
    """Where one run alone is called so."""
    ref, (run,) = embedded.sweep(None)
    assert here("stop", ref, "--run", "run-1").stdout == f"run {run} is being stopped\n"


def test_a_run_that_has_ended_is_not_said_to_be_stopped(here, embedded):
    """How it ended is said."""
    ref, (run,) = embedded.sweep(1)
    assert here("stop", ref, "--run", run).stdout == f"run {run} has ended already: it is failed\n"
