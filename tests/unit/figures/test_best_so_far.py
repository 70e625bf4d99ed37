"""The curve of the best value so far."""

from __future__ import annotations

import math

from sweeper.figures.best_so_far import best_so_far, records_of
from tests.unit.figures.conftest import HOSTILE, drawn, make_run

RUNS = [make_run(1, 0.5), make_run(2, 0.4), make_run(3, 0.99, "failed"), make_run(4, 0.7, "stopped"), make_run(5)]


def test_the_line_climbs_from_record_to_record():
    """A failed run is a cross and no record; the line goes on to the last run."""
    assert [run.number for run in records_of(RUNS, "maximize")] == [1, 4]
    assert [run.number for run in records_of(RUNS, "minimize")] == [1, 2]


def test_a_run_that_only_drew_level_is_no_record():
    """Nor one of NaN; the first run with a value is always one."""
    runs = [make_run(1, math.nan), make_run(2, 0.5), make_run(3, 0.5), make_run(4, 0.4), make_run(5, 0.6)]
    assert [run.number for run in records_of(runs, "maximize")] == [2, 5]
    assert [run.number for run in records_of(runs, "minimize")] == [2, 4]
    assert records_of([], "maximize") == []


def test_what_is_drawn(read):
    """Dots, a cross for what failed, a circle for every record, one line."""
    root = read(best_so_far(RUNS, HOSTILE, "maximize"))
    assert len(drawn(root, "hole")) == 2
    assert len(drawn(root, "cross")) == 1
    assert len(drawn(root, "best")) == 1


def test_one_run_none_and_runs_without_values(read):
    """Nothing is drawn of nothing; one run is a dot; where all failed there is no line."""
    assert best_so_far([], "acc", "maximize") is None
    assert best_so_far([make_run(1), make_run(2)], "acc", "maximize") is None
    assert len(drawn(read(best_so_far([make_run(1, 0.5)], "acc", "maximize")), "hole")) == 1
    failed = best_so_far([make_run(1, 0.5, "failed")], "acc", "maximize")
    assert drawn(read(failed), "best") == []


def test_what_lies_beyond_is_counted():
    """A run whose loss exploded is not drawn, and that is said."""
    figure = best_so_far([*(make_run(i, i / 100) for i in range(1, 100)), make_run(100, 1e30)], "loss", "minimize")
    assert figure.note == "1 values lie beyond the picture."


def test_the_best_is_always_within(read):
    """However far it lies from all others: it is what people look for."""
    runs = [*(make_run(i, i / 100) for i in range(1, 100)), make_run(100, 1e6)]
    figure = best_so_far(runs, "reward", "maximize")
    assert figure.note == ""
    assert drawn(read(figure), "hole")[-1].find("{*}title").text.startswith("r100")


def test_ten_thousand_runs_are_thinned():
    """The line is of all of them; the dots are some, evenly chosen, and that is said."""
    runs = [make_run(i, (i * 7919 % 10_007) / 10_007, "failed" if i % 3 else "finished") for i in range(1, 10_001)]
    figure = best_so_far(runs, "acc", "maximize")
    assert figure.note.startswith("2000 of 10000 runs")
    assert len(figure.body) < 200_000
