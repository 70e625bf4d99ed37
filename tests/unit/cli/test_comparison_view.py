"""Runs side by side, laid out."""

from __future__ import annotations

from sweeper.cli.comparison_view import comparison_view
from sweeper.cli.output import Terminal
from sweeper.results.comparison import compare
from sweeper.run import RunState
from tests.unit.results.test_comparison import compared


def lines_of(*runs, width=80, everything=False, colour=False):
    terminal = Terminal()
    terminal.width = width
    if colour:
        terminal._color_system, terminal._force_terminal = terminal._color_system, True
    with terminal.capture() as captured:
        terminal.print(comparison_view(compare(runs), width=width, everything=everything), crop=False)
    return captured.get().splitlines()


CONFIG = {"seed": 7, "data": "/x", "note": "two words"}


def test_what_is_the_same_is_folded():
    """Until somebody asks."""
    runs = [compared(name, at / 10, {"lr": at}, {"lr": at, **CONFIG}) for at, name in enumerate(["a", "b"])]
    folded, whole = lines_of(*runs), lines_of(*runs, everything=True)
    assert [line.split()[0] for line in folded[:2]] == ["config", "lr"]
    assert folded[-1] == "3 values of the config are the same: --all"
    assert any(line.split() == ["note", "two", "words", "two", "words"] for line in whole)
    assert "the same" not in "".join(whole)
    twins = lines_of(*[compared(name, 0.5, {}, {"lr": 1}) for name in "ab"])
    assert twins[-2:] == ["their configs are the same", "1 value of the config is the same: --all"]


def test_many_runs_become_blocks():
    """Where there is no room for a column each: a line for each run below each value."""
    runs = [compared(f"run{at:05d}", at / 10, {"lr": at}, {"lr": at}) for at in range(6)]
    blocks = lines_of(*runs)
    assert blocks[:3] == ["lr", "  run00000  0", "  run00001  1"]
    assert "state  finished  in all" in blocks
    assert max(map(len, blocks)) <= 80
    assert lines_of(*runs, width=200)[0].split() == ["config", *(f"run{at:05d}" for at in range(6))]


def test_a_run_that_failed_is_not_the_best():
    """Of those that may lead, the best stands out."""
    good, bad = compared("good", 0.5, {"x": 1}, {}), compared("bad", 0.9, {"x": 2}, {}, state=RunState.FAILED)
    from sweeper.cli.comparison_view import _cells

    third = compared("third", 0.4, {"x": 2}, {})
    told = compare([good, bad, third])
    best = next(row for row in told.results if row.name == "best acc")
    assert [bool(cell.style) for cell in _cells(best, told)] == [True, False, False]
