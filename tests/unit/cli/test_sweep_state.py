"""A sweep's state, changed: which sweep is meant, and what is said if it cannot be."""

from __future__ import annotations

import pytest

from sweeper.backend.choose import LastSweep, remember
from sweeper.errors import SweepNotFoundError
from sweeper.settings import Settings


def test_the_sweep_created_last_is_meant_where_none_is_named(here, embedded):
    """What is said names it, so that a person sees which one they changed."""
    ref, _ = embedded.sweep(0)
    remember(Settings.from_env({"SWEEPER_HOME": str(embedded.home)}), LastSweep(ref.path, "local", embedded.url))
    assert here("pause").stdout.splitlines()[0] == f"sweep {ref} is paused"


@pytest.mark.parametrize("command", ["pause", "cancel"])
def test_a_sweep_that_is_not_there_keeps_no_promise(here, command):
    """It is named, and nothing is on stdout that a script would take for success."""
    done = here(command, "local/p/nowhere")
    assert isinstance(done.exception, SweepNotFoundError)
    assert done.exception.message == "no sweep local/p/nowhere on this server"
    assert done.stdout == ""
