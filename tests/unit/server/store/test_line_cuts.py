"""Lines that go, move, are copied, or come again as others."""

from __future__ import annotations

import json
import math

from sweeper.server.store import line_cuts, lines
from sweeper.server.store.lines import HistoryLine, Stream


def texts(*rows: dict) -> list[HistoryLine]:
    """Lines of a history, numbered from 0."""
    return [HistoryLine(number, json.dumps(row), row) for number, row in enumerate(rows)]


def test_a_history_is_cut_behind_a_step_and_copied_up_to_it(db, make_run):
    """The step itself stays and comes along; a line without a step stays where it is and is not copied."""
    run, fork = make_run("r"), make_run("s")
    lines.put_history(db, run.id, texts({"_step": 1}, {"a": 1}, {"_step": 2}, {"_step": 3}))
    line_cuts.copy_history(db, run.id, fork.id, 2)
    assert [line.row for line in lines.history(db, fork.id)] == [{"_step": 1}, {"_step": 2}]
    assert [line.number for line in lines.history(db, fork.id)] == [0, 1]
    line_cuts.cut_history(db, run.id, 2)
    assert [line.row for line in lines.history(db, run.id)] == [{"_step": 1}, {"a": 1}, {"_step": 2}]


def test_a_run_that_begins_anew_has_logged_nothing(db, make_sweep, make_run):
    """All its streams and its values in all sweeps go; another run's stay."""
    sweep, run, other = make_sweep(), make_run("r"), make_run("s")
    for logging in (run, other):
        history = texts({"loss": 1.0}, {"loss": math.nan})
        lines.put_history(db, logging.id, history)
        lines.put_metric(db, sweep.id, logging.id, "loss", history)
        db.execute("INSERT INTO writer_lines VALUES (?, 'history', 'w', 0, 0)", (logging.id,))
    line_cuts.clear(db, run.id)
    assert [row["run_id"] for row in db.execute("SELECT run_id FROM writer_lines")] == [other.id]
    assert (lines.count(db, run.id, Stream.HISTORY), lines.nonfinite(db, sweep.id, run.id)) == (0, 0)
    assert lines.metric_histories(db, sweep.id) == {other.id: (1.0,)}


def test_a_stream_begins_later(db, make_run):
    """What lies before a line goes, the others count from 0, and other streams stay."""
    run_id = make_run("r").id
    for stream in (Stream.CONSOLE, Stream.EVENTS):
        lines.put(db, run_id, stream, 0, ["a", "b", "c", "d"])
    line_cuts.cut_before(db, run_id, Stream.CONSOLE, 2)
    assert lines.texts(db, run_id, Stream.CONSOLE) == ["c", "d"]
    assert lines.count(db, run_id, Stream.CONSOLE) == 2
    assert lines.count(db, run_id, Stream.EVENTS) == 4


def test_lines_sent_again_are_told_from_others_of_their_numbers(db, make_run):
    """The same lines are none, another text is, and so is a line that was not there."""
    run, (first, second) = make_run("r"), texts({"a": 1}, {"a": 2})
    lines.put_history(db, run.id, [first])
    assert not line_cuts.are_others(db, run.id, [first])
    assert line_cuts.are_others(db, run.id, [first, second])
    assert line_cuts.are_others(db, run.id, [HistoryLine(0, '{"a": 3}', {"a": 3})])
