"""A launch's progress as plain lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sweeper.cli.progress_log import ProgressLog, final_count
from sweeper.results.status import RunCounts, RunStatus, SweepFacts, SweepStatus
from sweeper.run import RunState, SweepState
from sweeper.search.missing_metric import MissingMetric

FACTS = SweepFacts(
    sweep="e/p/s", name="", url="", state=SweepState.RUNNING, method="random", metric="acc", goal="maximize"
)


def run(name: str, state: RunState, **more) -> RunStatus:
    empty = {"last": None, "duration_s": 5.0, "slot": "cpu0", "reason": "", "log": "", "best": None}
    return RunStatus(id=name, name=name, state=state, params={"opt.lr": 0.1}, **{**empty, **more})


def status(*runs: RunStatus, done: int = 0, total: int | None = None) -> SweepStatus:
    return SweepStatus(facts=FACTS, progress=RunCounts(done=done, total=total, counts={}, elapsed_s=None), runs=runs)


def test_a_metric_that_nobody_logs_is_told_once(capsys):
    """However often the status is read."""
    log = ProgressLog(status(), None)
    told = "run a never logged `acc`; it logged `ac`: did you mean `ac`?"
    missing = MissingMetric(metric="acc", run="a", logged=("ac",), meant="ac", message=told)
    for _ in range(2):
        log.tell(replace(status(), missing_metrics=(missing,)))
    assert capsys.readouterr().err == f"warning: {told}\n"


@pytest.mark.parametrize(
    ("total", "done", "count", "final"),
    [(10, 4, None, 10), (10, 4, 3, 7), (10, 8, 3, 10), (None, 4, 3, 7), (None, 4, None, None)],
)
def test_a_launch_knows_how_many_runs_there_will_be(total, done, count, final):
    """What the sweep has left, or what was asked for, whichever is less; unbounded if neither says."""
    assert final_count(status(total=total, done=done), count) == final


def test_a_run_that_starts_and_ends_is_two_lines(capsys):
    """Each once, however often the status is read; what was there before the launch is no news."""
    old = run("old", RunState.FINISHED, best=0.5)
    log = ProgressLog(status(old, done=1, total=3), None)
    log.tell(None)
    log.tell(status(old, run("a", RunState.PENDING)))
    for _ in range(2):
        log.tell(status(old, run("a", RunState.RUNNING)))
        log.tell(status(old, run("a", RunState.FINISHED, best=0.91234)))
        log.tell(status(old, run("a", RunState.FINISHED, best=0.91234)))
    said = capsys.readouterr()
    assert said.err.splitlines()[:2] == ["a running: lr=0.1", "a finished acc 0.9123 in 5.0s, 2/3 done"]
    assert said.out == ""


def test_a_failure_says_why(capsys):
    """On the same line; without a metric there is none, and without an end no total."""
    log = ProgressLog(status(), None)
    log.tell(status(run("a", RunState.FAILED, reason="[out of memory]")))
    assert capsys.readouterr().err == "a failed in 5.0s, 1/? done ([out of memory])\n"


def test_the_end_of_a_run_is_told_when_its_worker_has_told_it(capsys):
    """The server hears an exit code first; a moment later there are the cause, and the time it took."""
    log = ProgressLog(status(), None)
    ended = run("a", RunState.FAILED, reason="exit code 1", duration_s=0.0)
    log.tell(replace(status(ended), closing=frozenset({"a"})))
    assert capsys.readouterr().err == ""
    log.tell(status(run("a", RunState.FAILED, reason="ValueError: no")))
    assert capsys.readouterr().err == "a failed in 5.0s, 1/? done (ValueError: no)\n"


def test_several_metrics_are_told_side_by_side(capsys):
    """In the file's order."""
    told = status(run("a", RunState.FINISHED, values={"acc": 0.9, "size": 5.0}))
    facts = replace(FACTS, metric="", metrics={"acc": "maximize", "size": "minimize"})
    ProgressLog(status(), None).tell(replace(told, facts=facts))
    assert "a finished acc / size 0.9 / 5 in" in capsys.readouterr().err


def stands(state: SweepState, *runs: RunStatus, total: int | None = None) -> SweepStatus:
    done = sum(one.state.ended for one in runs)
    return replace(status(*runs, done=done, total=total), facts=replace(FACTS, state=state))


def test_a_server_that_is_away_is_told_once_and_so_is_its_return(capsys):
    """With what the runs do meanwhile."""
    log = ProgressLog(status(), None)
    for trouble in ("", "nobody answers", "nobody answers at all", "", ""):
        log.tell(status(), trouble)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("nobody answers: runs wait for it")
    assert lines[1:] == ["the server answers again"]


def test_what_others_do_to_the_sweep_is_told(capsys):
    """Paused, resumed, stopped or canceled under the launch; what ends by itself is no news."""
    log = ProgressLog(stands(SweepState.RUNNING), None)
    over = run("a", RunState.FINISHED)
    for state in (SweepState.PAUSED, SweepState.PAUSED, SweepState.RUNNING, SweepState.FINISHED):
        log.tell(stands(state, total=4))
    ProgressLog(stands(SweepState.RUNNING, over), None).tell(stands(SweepState.FINISHED, over, total=1))
    ProgressLog(stands(SweepState.RUNNING, over), None).tell(stands(SweepState.CANCELED, over))
    assert capsys.readouterr().err.splitlines() == [
        "the sweep was paused: no run starts until `sweeper resume e/p/s`",
        "the sweep goes on",
        "the sweep was stopped: 0 of 4 runs are done",
        "the sweep was canceled: 1 of ? runs are done",
    ]
