"""A sweep's state, changed: which sweep is meant, and what is said if it cannot be."""

from __future__ import annotations

import pytest

from sweeper.backend.choose import LastSweep, remember
from sweeper.errors import LaunchError, SweepNotFoundError
from sweeper.settings import Settings


def test_the_sweep_created_last_is_meant_where_none_is_named(here, embedded):
    """What is said names it, so that a person sees which one they changed."""
    ref, _ = embedded.sweep(0)
    remember(Settings.from_env({"SWEEPER_HOME": str(embedded.home)}), LastSweep(ref.path, "local", embedded.url))
    assert here("pause").stdout.splitlines()[0] == f"sweep {ref} is paused"


def test_a_finished_sweep_can_be_resumed_and_nothing_else(here, embedded):
    """It has runs left, which the next launch makes; whoever wants it paused or canceled is told what it is."""
    ref, _ = embedded.sweep(0)
    assert here("stop", ref).stdout.splitlines()[0] == f"sweep {ref} is stopped: running runs will finish"
    for command in ("pause", "cancel"):
        error = here(command, ref).exception
        assert isinstance(error, LaunchError)
        assert error.message == f"cannot {command} {ref}: it is finished already"
    assert here("stop", ref).stdout == f"sweep {ref} is finished already\n"
    assert here("resume", ref).stdout.splitlines()[0] == f"sweep {ref} is running"
    assert embedded.wire.beat(embedded.wire.agent(ref.sweep_id))["type"] == "run"


@pytest.mark.parametrize("command", ["pause", "cancel"])
def test_a_sweep_that_is_not_there_keeps_no_promise(here, command):
    """It is named, and nothing is on stdout that a script would take for success."""
    done = here(command, "local/p/nowhere")
    assert isinstance(done.exception, SweepNotFoundError)
    assert done.exception.message == "no sweep local/p/nowhere on this server"
    assert done.stdout == ""
