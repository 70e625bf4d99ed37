"""When a launch whose runs log no metric ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sweeper.journal.directories import SweepDir
from sweeper.launch.missing_metric import ENOUGH, verdict
from sweeper.launch.prepare import Launch
from sweeper.ref import SweepRef
from sweeper.results.status import RunCounts, RunStatus, SweepFacts, SweepStatus
from sweeper.run import RunState, SweepState
from sweeper.search.missing_metric import MissingMetric
from sweeper.worker.spec import Rules

FACTS = SweepFacts(
    sweep="e/p/s",
    name="",
    url="",
    state=SweepState.RUNNING,
    method="bayes",
    metric="loss",
    goal="minimize",
    steered=True,
)
MISSING = MissingMetric(metric="loss", run="r0", logged=("los",), meant="los", message="run r0 never logged `loss`")


def finished(number: int) -> RunStatus:
    empty = {"best": None, "last": None, "duration_s": 1.0, "slot": "", "reason": "", "log": "", "lacks": ("loss",)}
    return RunStatus(id=f"r{number}", name="", state=RunState.FINISHED, params={}, **empty)


def status(runs: int, **facts) -> SweepStatus:
    progress = RunCounts(done=runs, total=None, counts={}, elapsed_s=None)
    own = tuple(map(finished, range(runs)))
    return SweepStatus(facts=replace(FACTS, **facts), progress=progress, runs=own, missing_metrics=(MISSING,))


@pytest.fixture
def launch(tmp_path) -> Launch:
    """A launch that found a sweep without runs."""
    ref = SweepRef("e", "p", "s")
    return Launch(
        ref=ref, trainer="a:b", script=False, slots=(), directory=SweepDir.of(tmp_path, ref).new_launch(), count=None,
        rules=Rules(), environ={}, before=status(0),
    )  # fmt: skip


def test_the_third_run_without_the_metric_ends_a_launch_that_goes_by_it(launch):
    """Two may be chance; the reason names the metric, the run, and the way to go on."""
    assert verdict(launch, status(ENOUGH - 1)) == ""
    why = verdict(launch, status(ENOUGH))
    for part in ("the first 3 runs finished without a value of `loss`", "--without-metric", MISSING.message):
        assert part in why


def test_a_launch_that_needs_no_metric_or_is_told_so_goes_on(launch):
    """A grid does all its runs, whatever they log; so does every sweep with the option."""
    assert verdict(launch, status(9, steered=False)) == ""
    assert verdict(replace(launch, rules=Rules(without_metric=True)), status(9)) == ""
    assert verdict(launch, replace(status(9), missing_metrics=())) == ""


def test_runs_from_before_the_launch_do_not_count(launch):
    """The trainer may have been mended since."""
    later = replace(launch, before=status(5))
    assert verdict(later, status(5 + ENOUGH - 1)) == ""
    assert verdict(later, status(5 + ENOUGH))
