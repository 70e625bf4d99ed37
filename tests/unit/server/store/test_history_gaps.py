"""Where attempts went on, and what lies around there."""

from __future__ import annotations

import json

import pytest

from sweeper.run import RunState
from sweeper.server.store import history_gaps, lines, runs
from sweeper.server.store.history_gaps import ends_of, note_join, was_interrupted
from sweeper.server.store.lines import HistoryLine


@pytest.fixture
def run(db, project):
    """A run without a row."""
    return runs.create(db, project.id, "r", state=RunState.RUNNING, now=0)


def log(db, run, *numbers: int) -> None:
    """Log a row at each line."""
    rows = [{"_step": 10 * number} for number in numbers]
    lines.put_history(
        db, run.id, [HistoryLine(number, json.dumps(row), row) for number, row in zip(numbers, rows, strict=True)]
    )


def test_a_join_is_noted_once_at_the_end_of_what_is_there(db, run):
    """A process that says twice that it resumes has resumed once."""
    assert (run.joins, was_interrupted(run)) == ("", False)
    run = note_join(db, note_join(db, run))
    log(db, run, 0, 1)
    run = note_join(db, note_join(db, run))
    assert (json.loads(run.joins), was_interrupted(run)) == ([0, 2], True)
    assert runs.get(db, run.id) == run


def test_a_run_that_began_anew_was_interrupted_too(db, run):
    """How far an attempt had come is all that is left of it."""
    assert was_interrupted(runs.update(db, run.id, reached=1))


@pytest.mark.parametrize(
    ("first", "behind", "ends"),
    [
        (0, 10, [[0, 10, 20], [70, 80, 90]]),
        (0, 6, [[0, 10, 20, 30, 40, 50]]),
        (0, 7, [[0, 10, 20], [40, 50, 60]]),
        (0, 5, [[0, 10, 20, 30, 40]]),
        (0, 3, [[0, 10, 20]]),
        (2, 4, [[20, 30]]),
        (4, 4, []),
        (10, 20, []),
    ],
)
def test_a_part_is_read_at_its_ends(db, run, first, behind, ends):
    """No row twice and none of another part; where the ends meet they are one."""
    log(db, run, *range(10))
    found = ends_of(db, run.id, first, behind, 3)
    assert [[row["_step"] for row in rows] for rows in found] == ends


def test_another_runs_rows_are_none_of_it(db, project, run):
    """Nor are its console's lines."""
    other = runs.create(db, project.id, "s", state=RunState.RUNNING, now=0)
    log(db, other, 0, 1)
    lines.put(db, run.id, lines.Stream.CONSOLE, 0, ["said"])
    assert history_gaps.ends_of(db, run.id, 0, 10, 3) == ()
