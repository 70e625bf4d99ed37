"""`sweeper launch --on ray` where it cannot be: told before a server starts. Where it can: tests/ray."""

from __future__ import annotations

import importlib.util

import pytest

from sweeper.errors import LaunchError


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is installed here")
def test_ray_is_not_needed_until_it_is_asked_for(sweeper, home):
    """Then the error says how to get it, and nothing was started."""
    error = sweeper("launch", "--on", "ray", "--gpus", "2").exception
    assert isinstance(error, LaunchError)
    assert "pip install 'sweeper[ray]'" in error.hint
    assert not (home / "server").exists()


@pytest.mark.parametrize("option", [["--partition", "gpu"], ["--keep", "2"], ["--share"]])
def test_what_ray_does_not_have_is_refused(sweeper, option):
    """It is Slurm's, or this machine's."""
    done = sweeper("launch", "--on", "ray", "--gpus", "2", *option)
    assert f"{option[0]} says nothing to --on ray" in str(done.exception)
