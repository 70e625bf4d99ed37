"""`sweeper retry` of a real sweep's runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from sweeper.errors import LaunchError, ResultError, UsageError


def states(here, ref) -> dict[str, str]:
    """Read the state of each of a sweep's runs; one that waits once more is `preempted`."""
    return {run["id"]: run["state"] for run in json.loads(here("status", ref, "--json").stdout)["runs"]}


def test_all_that_failed_wait_again(here, embedded):
    """Those that finished do not; the next command is said."""
    ref, (finished, failed) = embedded.sweep(0, 1)
    done = here("retry", ref)
    assert done.exit_code == 0, done.exception
    assert done.stdout.splitlines() == [f"1 run waits for a slot: {failed}", f"next: sweeper launch {ref}"]
    assert states(here, ref) == {finished: "finished", failed: "preempted"}


def test_the_page_says_who_asked_and_why(embedded, environ):
    """Of a retry, of a run that is stopped, and of a sweep that is paused, as if a button had been pressed."""
    ref, (failed, running) = embedded.sweep(1, None)
    environ |= {"SWEEPER_HOME": str(embedded.home)}
    for words in (["retry", ref, failed], ["stop", ref, "--run", running], ["pause", ref]):
        command = [sys.executable, "-m", "sweeper", *map(str, words), "--reason", "größer disk"]
        subprocess.run(command, env={**os.environ, **environ}, check=True, capture_output=True, timeout=60)
    told = json.loads(embedded.wire.send("GET", f"/-/data/{ref.entity}/{ref.project}/sweeps/{ref.sweep_id}/actions"))
    assert [(one["name"], one["user_name"], one["reason"], one["run"]) for one in told["said"]] == [
        ("pause", "local", "größer disk", None),
        ("stop", "local", "größer disk", running),
        ("retry", "local", "größer disk", failed),
    ]


def test_a_run_that_is_refused_is_named_and_the_others_wait(here, embedded):
    """A run that has finished is not handed out: exit code 1, and no launch is called for in vain."""
    ref, (finished, failed) = embedded.sweep(0, 1)
    both = here("retry", ref, finished, failed)
    assert both.exit_code == 1
    assert f"run {finished} is not tried again" in both.stderr
    assert states(here, ref) == {finished: "finished", failed: "preempted"}
    alone = here("retry", ref, finished)
    assert (alone.exit_code, alone.stdout) == (1, "")


def test_nothing_to_retry_is_no_success(here, embedded):
    """Nobody launches in the belief that something waits; neither for a run that is not the sweep's."""
    ref, _ = embedded.sweep(0)
    nothing = here("retry", ref).exception
    assert isinstance(nothing, LaunchError)
    assert "nothing to retry" in nothing.message
    unknown = here("retry", ref, "run-2").exception
    assert isinstance(unknown, ResultError)
    assert unknown.message == f"sweep {ref} has no run run-2"
    assert "(run-1)?" in unknown.hint


def test_all_and_some_exclude_each_other(sweeper, home):
    """Said before any server is asked."""
    error = sweeper("retry", "e/p/s", "r1", "--failed").exception
    assert isinstance(error, UsageError)
    assert "exclude each other" in error.message
    assert not (home / "server").exists()


def test_a_run_at_work_is_left_to_its_process(here, embedded):
    """It would lose what it still does; how to stop it first is said."""
    ref, (run,) = embedded.sweep(None)
    done = here("retry", ref, run)
    assert done.exit_code == 1
    assert f"run {run} is not tried again: it is running" in done.stderr
    assert f"sweeper stop {ref} --run {run}" in done.stderr
    assert states(here, ref) == {run: "running"}
