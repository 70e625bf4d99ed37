"""What a launch says of itself before and while it works."""

from __future__ import annotations

from sweeper.cli.launch_watch import paused
from sweeper.ref import SweepRef


def test_a_paused_sweep_is_told_with_what_resumes_it():
    """Its workers would wait without a word."""
    assert "`sweeper resume local/p/abc`" in paused(SweepRef("local", "p", "abc"))
