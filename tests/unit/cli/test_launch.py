"""The options of `sweeper launch`, and its progress as plain lines."""

from __future__ import annotations

import pytest

from sweeper.cli.launch import seconds
from sweeper.errors import SweeperError, UsageError


@pytest.mark.parametrize(
    ("text", "time_s"),
    [(None, None), ("90", 90), ("90s", 90), ("30m", 1800), ("1.5h", 5400), ("1d", 86400), ("1h30m", 5400)],
)
def test_times_are_written_as_people_do(text, time_s):
    """A number alone is seconds."""
    assert seconds(text, "--timeout") == time_s


@pytest.mark.parametrize("text", ["", "2 h", "h", "0", "1w", "-3s"])
def test_what_is_no_time_is_refused(text):
    """The error names the option and shows the forms."""
    with pytest.raises(UsageError, match="--timeout"):
        seconds(text, "--timeout")


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
