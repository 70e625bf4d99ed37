"""Runs side by side."""

from __future__ import annotations

from datetime import UTC, datetime

from sweeper.backend.run_facts import RunFacts
from sweeper.ref import SweepRef
from sweeper.results.comparison import MISSING, ComparedRow, ComparedRun, compare
from sweeper.results.status import RunCounts, RunStatus, SweepFacts, SweepStatus
from sweeper.run import RunState, SweepState


def compared(id_, best, params, config, *, metric="acc", state=RunState.FINISHED, **summary):
    run = RunStatus(
        id=id_,
        name=id_,
        state=state,
        params=params,
        best=best,
        last=best,
        duration_s=1.0,
        slot="",
        reason="",
        log="",
    )
    facts = SweepFacts(
        sweep="e/p/s", name="", url="", state=SweepState.RUNNING, method="random", metric=metric, goal="maximize"
    )
    status = SweepStatus(facts=facts, progress=RunCounts(done=1, total=None, counts={}, elapsed_s=None))
    known = RunFacts(
        name=id_,
        sweep="s",
        created_at=datetime.now(UTC),
        heard_at=None,
        host="",
        user="",
        config=config,
        summary=summary,
        logged={},
    )
    return ComparedRun(SweepRef("e", "p", "s"), run, status, known)


def test_what_differs_comes_first_and_searched_parameters_before_the_rest():
    """A parameter that one run lacks differs; one that is `1` in one and `true` in the other too."""
    one = compared("a", 0.5, {"lr": 0.1, "n": 1}, {"lr": 0.1, "n": 1, "seed": 1, "flag": 1, "x": {"y": 2}})
    two = compared("b", 0.6, {"lr": 0.1}, {"lr": 0.1, "seed": 2, "flag": True, "x": {"y": 2}})
    told = compare([one, two])
    assert [(row.name, row.same) for row in told.config] == [
        ("n", False),
        ("seed", False),
        ("flag", False),
        ("lr", True),
        ("x.y", True),
    ]
    assert told.config[0].values == (1, MISSING)


def test_results_are_the_metric_and_what_else_was_logged():
    """Best and last of the metric; numbers of the summaries, the metric not once more."""
    one = compared("a", 0.5, {}, {}, acc=0.4, loss=1.5, note="text", flag=True)
    two = compared("b", None, {}, {}, loss=2.5, state=RunState.FAILED)
    told = compare([one, two])
    assert [(row.name, row.values) for row in told.results] == [
        ("best acc", (0.5, MISSING)),
        ("last acc", (0.5, MISSING)),
        ("loss", (1.5, 2.5)),
    ]
    assert [row.name for row in told.course] == ["state", "duration_s", "attempts"]


def test_runs_of_two_sweeps_have_the_metrics_of_both():
    """Each has a value of its own sweep's."""
    told = compare([compared("a", 0.5, {}, {}), compared("b", 9.0, {}, {}, metric="loss")])
    assert [(row.name, row.values) for row in told.results][::2] == [
        ("best acc", (0.5, MISSING)),
        ("best loss", (MISSING, 9.0)),
    ]


def test_json_has_the_runs_in_order():
    """What one lacks is null."""
    told = compare([compared("a", 0.5, {}, {"x": 1}), compared("b", 0.6, {}, {})]).to_json()
    assert [run["path"] for run in told["runs"]] == ["e/p/a", "e/p/b"]
    assert told["config"] == {"x": {"values": [1, None], "same": False}}
    assert told["results"]["best acc"] == {"values": [0.5, 0.6], "same": False}


def test_a_row_is_the_same_if_all_have_the_same():
    """Not a number that looks like another kind of value."""
    assert ComparedRow("x", (1.0, 1.0, 1.0)).same
    assert not ComparedRow("x", (1, 1.0)).same
    assert ComparedRow("x", (MISSING, MISSING)).same
