"""Options that commands which run sweeps share: how times are written."""

from __future__ import annotations

import pytest

from sweeper.cli.launch_options import seconds
from sweeper.errors import UsageError


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
