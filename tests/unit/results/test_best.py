"""Which run is the best, and where its files go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sweeper.errors import ResultError, SweeperError
from sweeper.ref import SweepRef
from sweeper.results.best import _is_media, _own, check_folder, find_best
from sweeper.results.status import RunCounts, RunStatus, SweepFacts, SweepStatus
from sweeper.run import RunState, SweepState
from sweeper.search.missing_metric import MissingMetric

REF = SweepRef("e", "p", "s")
FACTS = SweepFacts(
    sweep="e/p/s", name="", url="", state=SweepState.RUNNING, method="bayes", metric="acc", goal="maximize"
)
STATUS = SweepStatus(facts=FACTS, progress=RunCounts(done=0, total=None, counts={}, elapsed_s=None))


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        (FACTS, "no run of sweep e/p/s has logged acc yet"),
        (replace(FACTS, metric=""), "has no `metric:`"),
        (replace(FACTS, metric="", metrics={"a": "maximize", "b": "minimize"}), "has 2 metrics"),
    ],
)
def test_where_no_run_is_the_best_it_is_said_why(facts, says):
    """Nothing was logged, nothing is optimised, or several things are; each with what to do."""
    with pytest.raises(ResultError) as caught:
        find_best(replace(STATUS, facts=facts), REF)
    assert says in caught.value.message
    assert caught.value.hint


def test_a_sweep_that_only_failed_runs_have_values_of_has_no_best():
    """The error names one of them, to be taken all the same; a name that nobody logs is told with what was logged."""
    failed = RunStatus(
        id="r1",
        name="",
        state=RunState.FAILED,
        params={},
        best=0.5,
        last=0.5,
        duration_s=1.0,
        slot="",
        reason="",
        log="",
    )
    with pytest.raises(ResultError, match="none is the best") as caught:
        find_best(replace(STATUS, runs=(failed,)), REF)
    assert "sweeper best e/p/s --run r1" in caught.value.hint
    missing = MissingMetric(metric="acc", run="r1", logged=("ac",), meant="ac", message="run r1 never logged `acc`")
    with pytest.raises(ResultError, match="run r1 never logged `acc`"):
        find_best(replace(STATUS, missing_metrics=(missing,)), REF)


def test_a_run_that_is_not_the_sweeps_is_refused():
    """The server might have one of that id elsewhere in the project."""
    with pytest.raises(ResultError, match="has no run nope"):
        find_best(STATUS, REF, run="nope")


def test_a_folder_is_made_and_tried(tmp_path):
    """Before anything is downloaded; a file in its place is an error, and nothing is left in a good one."""
    check_folder(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(SweeperError, match="cannot write into") as caught:
        check_folder(tmp_path / "file" / "b")
    assert "--download" in caught.value.hint


def test_what_wandb_keeps_for_itself_is_left_out():
    """Its own keys, and in summaries pictures, tables and histograms, which are files elsewhere."""
    assert list(_own({"b": 1, "_wandb": 2, "a": 3})) == ["a", "b"]
    assert _is_media({"_type": "histogram"})
    assert not _is_media({"type": "a dictionary of the user's"})
