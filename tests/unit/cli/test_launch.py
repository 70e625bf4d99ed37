"""The options of `sweeper launch`, and its progress as plain lines."""

from __future__ import annotations

import pytest

from sweeper.errors import SweeperError


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--timeout", "soon"], "--timeout"),
        (["--workers", "1", "--gpus", "0"], "exclude each other"),
        (["--gpus", "0", "1"], "would be the sweep's id"),
        (["grid.yaml"], "is a sweep file"),
    ],
)
def test_options_that_cannot_be_meant_start_no_server(sweeper, home, options, says):
    """They are read before anything is asked."""
    error = sweeper("launch", *options).exception
    assert isinstance(error, SweeperError)
    assert says in error.message
    assert not (home / "server").exists()
