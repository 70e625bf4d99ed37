"""The status as scripts and launches read it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sweeper.results.status import RunCounts, RunStatus, SearchStatus, Standing, SweepFacts, SweepStatus
from sweeper.run import RunState, SweepState

RUN = RunStatus(
    id="r1", name="run-1", state=RunState.FINISHED, params={"lr": 0.1}, best=0.9, last=0.8, duration_s=5.0,
    slot="gpu0", reason="", log="",
)  # fmt: skip
FACTS = SweepFacts(
    sweep="e/p/s", name="", url="http://x", state=SweepState.RUNNING, method="bayes", metric="acc", goal="maximize"
)
STATUS = SweepStatus(
    facts=FACTS,
    progress=RunCounts(done=1, total=4, counts={"finished": 1}, elapsed_s=5.0),
    standing=Standing(best=RUN),
    runs=(RUN,),
    launchers={7: ("gpu0",)},
)


def test_the_json_is_flat_and_its_keys_are_a_promise():
    """Scripts read it: no key goes, moves into another or changes its name."""
    told = json.loads(json.dumps(STATUS.to_json(), default=str))
    assert list(told) == [
        *("sweep", "name", "url", "state", "method", "metric", "goal", "done", "total", "counts", "best", "model"),
        *("elapsed_s", "runs", "stopped_early", "saved_s", "fallbacks", "importance", "prior", "prior_best"),
        *("target", "launchers", "scheduler", "scheduler_at_work", "metrics", "front", "idle", "missing_metrics"),
        *("planned", "eta_s", "best_since", "gpu_hours_used", "gpu_hours_saved", "failures", "slots"),
        "confirmation",
    ]
    assert list(told["runs"][0]) == [
        *("id", "name", "state", "params", "best", "last", "duration_s", "slot", "reason", "log", "kind", "policy"),
        *("attempts", "log_tail", "told_to_stop", "stop", "losses", "values", "lacks"),
        *("iterations", "created_at", "ended_at", "heard_at", "gap"),
    ]
    assert told["best"] == told["runs"][0]
    assert (told["sweep"], told["state"], told["done"], told["total"]) == ("e/p/s", "running", 1, 4)
    assert told["launchers"] == {"7": ["gpu0"]}


@pytest.mark.parametrize(
    ("goal", "target", "reached"),
    [("maximize", 0.9, True), ("maximize", 0.95, False), ("minimize", 0.8, False), ("maximize", None, False)],
)
def test_a_target_is_reached_by_the_best_value(goal, target, reached):
    """In the direction of the goal; a value that equals it has reached it."""
    assert replace(STATUS, facts=replace(FACTS, goal=goal, target=target)).reached_target is reached


@pytest.mark.parametrize("state", [RunState.RUNNING, RunState.FINISHED])
def test_an_aggregate_reaches_the_target_at_its_runs_end(state):
    """What `acc.min` is, the last value decides: until then it may only have come by."""
    best = replace(RUN, state=state)
    now = replace(STATUS, facts=replace(FACTS, metric="acc.min", target=0.9), standing=Standing(best=best))
    assert now.reached_target is state.ended
    assert replace(now, facts=replace(FACTS, target=0.9)).reached_target


def test_without_a_value_no_target_is_reached():
    """Before the first run has logged there is no best run."""
    facts = replace(FACTS, target=0.0)
    assert not replace(STATUS, facts=facts, standing=Standing()).reached_target


def test_what_a_sweep_is_after_is_said_in_words():
    """One metric, several, or none."""
    several = replace(FACTS, metric="", metrics={"acc": "maximize", "size": "minimize"})
    assert (FACTS.aim, FACTS.metric_names) == ("maximize acc", "acc")
    assert (several.aim, several.metric_names) == ("maximize acc, minimize size", "acc / size")
    assert (replace(FACTS, metric="").aim, replace(FACTS, metric="").metric_names) == ("", "")


def test_times_in_the_json_are_iso_8601():
    """Of runs and of the best, so that a script reads them as it reads every other time."""
    when = datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC)
    ended = replace(RUN, created_at=when, ended_at=when)
    told = replace(STATUS, runs=(ended,), standing=Standing(best=ended, best_since=when)).to_json()
    text = "2026-01-02T03:04:05.678+00:00"
    assert (told["best_since"], told["best"]["ended_at"], told["runs"][0]["created_at"]) == (text, text, text)
    assert told["runs"][0]["heard_at"] is None


def test_saved_gpu_hours_count_every_gpu_of_a_run():
    """Runs of 5 s that used four GPUs: of the half hour of a slot that a stop saved, two are GPU hours."""
    saved = replace(STATUS, search=SearchStatus(saved_s=1800.0))
    assert saved.gpu_hours_saved == pytest.approx(0.5)
    assert replace(saved, progress=replace(STATUS.progress, gpu_hours_used=20 / 3600)).gpu_hours_saved == pytest.approx(
        2.0
    )
    assert replace(STATUS, search=SearchStatus()).gpu_hours_saved is None
