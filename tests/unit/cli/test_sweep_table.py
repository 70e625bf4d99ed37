"""The table of sweeps."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sweeper.cli.output import Terminal
from sweeper.cli.sweep_table import ago, best_of, runs_of, sweep_table
from sweeper.ref import SweepRef
from sweeper.results.sweep_list import SweepLine
from tests.unit.results.test_sweep_list import NOW, summary


def drawn(width, *lines, user="e"):
    terminal = Terminal()
    terminal.width = width
    with terminal.capture() as captured:
        terminal.print(sweep_table(lines, user=user, now=NOW + timedelta(hours=3), width=width), crop=False)
    return captured.get().splitlines()


def test_what_is_copied_stands_whole():
    """A name and a metric give way, an id and a count do not; one line a sweep."""
    long = replace(
        summary(),
        name="a name that goes on and on",
        ref=SweepRef("e", "a-long-project-name", "abcd1234"),
        metrics={"validation/a-long-name": "minimize"},
        made=10_000,
        done=10_000,
        total=10_000,
    )
    for width in (80, 160):
        lines = drawn(width, SweepLine(long, True))
        assert len(lines) == 2
        assert max(map(len, lines)) <= width
        assert "a-long-project-name/abcd1234" in lines[1]
        assert "10000/10000" in lines[1]
        assert lines[1].rstrip().endswith("3h ago")


def test_the_sweeps_of_others_bear_their_entity():
    """What can be typed as it stands there."""
    assert drawn(80, SweepLine(summary(), False))[1].startswith("p/s ")
    assert drawn(80, SweepLine(summary(), False), user="other")[1].startswith("e/p/s ")


def test_what_is_not_known_is_not_made_up():
    """A count without an end; how many were made where nobody tells which ended; several metrics or none."""
    line = SweepLine(replace(summary(), total=None), None)
    assert runs_of(line) == "3/?"
    assert runs_of(SweepLine(replace(summary(), done=None), None)) == "3 made/4"
    assert best_of(line) == "0.5 loss"
    assert best_of(SweepLine(replace(summary(), metrics={"a": "minimize", "b": "minimize"}), None)) == "2 metrics"
    assert best_of(SweepLine(replace(summary(), metrics={}), None)) == "-"


@pytest.mark.parametrize(
    ("seconds", "text"), [(-5, "now"), (59, "now"), (60, "1m ago"), (7300, "2h ago"), (200_000, "2d ago")]
)
def test_how_long_ago_is_one_number(seconds, text):
    """With its unit."""
    assert ago(seconds) == text
