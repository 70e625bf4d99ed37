"""The table of runs."""

from __future__ import annotations

from dataclasses import replace

from rich.cells import cell_len

from sweeper.cli.output import Terminal
from sweeper.cli.runs_table import cell_text, chosen_table, default_table, value_text
from sweeper.results.run_columns import RunColumns
from tests.unit.results.test_run_columns import BEGAN, RUNS, run


def drawn(view, width):
    terminal = Terminal()
    terminal.width = width
    with terminal.capture() as captured:
        terminal.print(view, crop=False)
    return captured.get().splitlines()


def known(runs):
    from sweeper.results.status import RunCounts, SweepFacts, SweepStatus
    from sweeper.run import SweepState

    facts = SweepFacts(
        sweep="e/p/s", name="", url="", state=SweepState.RUNNING, method="random", metric="acc", goal="maximize"
    )
    progress = RunCounts(done=3, total=None, counts={}, elapsed_s=None)
    return RunColumns(SweepStatus(facts=facts, progress=progress, runs=runs), {}, list)


def test_each_parameter_has_a_column_where_there_is_room():
    """What does not vary has none; where there is no room all share one, which gives way."""
    runs = tuple(
        run(f"run{at:05d}", 0.5, n=at, **{f"parameter_{name}": at / 7 for name in "abcdefg"}) for at in range(3)
    )
    wide = drawn(default_table(known(runs), runs, width=160), 160)
    assert wide[0].split() == [
        "run",
        "n",
        *(f"parameter_{name}" for name in "abcdefg"),
        "best",
        "last",
        "state",
        "time",
    ]
    narrow = drawn(default_table(known(runs), runs, width=80), 80)
    assert narrow[0].split() == ["run", "parameters", "best", "last", "state", "time"]
    assert max(map(len, narrow)) <= 80
    assert len(narrow) == 4
    assert "n=1 parameter_a=0.1429" in narrow[2]


def test_several_metrics_have_a_column_each():
    """Of the last values, which belong together."""
    runs = (replace(run("a", None), values={"acc": 0.5, "size": 3.0}), run("b", None))
    told = known(runs)
    told.status = replace(
        told.status, facts=replace(told.status.facts, metrics={"acc": "maximize", "size": "minimize"})
    )
    lines = drawn(default_table(told, runs, width=80), 80)
    assert lines[0].split()[2:4] == ["acc", "size"]
    assert lines[1].split()[2:4] == ["0.5", "3"]
    assert lines[2].split()[2:4] == ["-", "-"]


def test_chosen_columns_are_cut_by_nobody():
    """Whatever the terminal's width: whoever asks for a reason wants to read it."""
    told = known(RUNS)
    runs = (replace(RUNS[0], reason="x" * 200),)
    lines = drawn(chosen_table(runs, [told.find("id"), told.find("reason")]), 80)
    assert lines[1].split() == ["a", "x" * 200]


def test_cells_are_written_as_everywhere():
    """Durations, moments, texts of others as text."""
    assert cell_text("duration_s", 63.0) == "1m 03s"
    assert cell_text("created_at", BEGAN) == "2026-01-01 00:00:00"
    assert cell_text("x", 0.123456) == "0.1235"
    assert cell_text("x", True) == "true"
    assert cell_text("x", None) == value_text(None) == "-"
    assert value_text("two words") == "two words"
    assert value_text(1e-05) == "1e-05"
    hostile = (replace(run("a", 0.5, opt="[red]x[/]\x1b[31m"), name="x"), run("b", 0.4, opt="y"))
    shown = drawn(default_table(known(hostile), hostile, width=80), 80)
    assert "[red]x[/]" in shown[1]
    assert "\x1b" not in "".join(shown)


def test_long_values_and_equal_names():
    """A long value is cut in a column of its own; two parameters of one last name bear their groups; one line a run."""
    runs = tuple(
        run(letter, 0.5, text=f"{letter}\n{'語' * 30}", **{"a.n": at, "b.n": -at}) for at, letter in enumerate("xy")
    )
    lines = drawn(default_table(known(runs), runs, width=80), 80)
    assert lines[0].split()[:4] == ["run", "text", "a.n", "b.n"]
    assert len(lines) == 3
    assert "…" in lines[1]
    assert max(map(cell_len, lines)) <= 80
