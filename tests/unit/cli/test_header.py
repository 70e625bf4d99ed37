"""What a sweep is and how it stands, in lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sweeper.cli.header import about, header
from sweeper.results.status import RunCounts, RunStatus, SearchStatus, Standing, SweepFacts, SweepStatus
from sweeper.run import RunState, SweepState
from sweeper.search.missing_metric import MissingMetric

NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
RUN = RunStatus(
    id="aaaaaaaa", name="run-1", state=RunState.FINISHED, params={"lr": 0.1}, best=0.9, last=0.8, duration_s=5.0,
    slot="gpu0", reason="", log="", ended_at=NOW - timedelta(minutes=5),
)  # fmt: skip
GOING = replace(RUN, id="bbbbbbbb", state=RunState.RUNNING, ended_at=None)
STATUS = SweepStatus(
    facts=SweepFacts(
        sweep="e/p/s", name="", url="http://x", state=SweepState.RUNNING, method="bayes", metric="acc", goal="maximize"
    ),
    progress=RunCounts(done=2, total=6, counts={"finished": 2, "running": 1}, elapsed_s=63.0),
    standing=Standing(best=RUN, best_since=RUN.ended_at, climb=(0.1, 0.5, 0.9)),
    runs=(RUN, GOING),
    read_at=NOW,
)


def told(status: SweepStatus, width: int = 100, folded: int | None = None) -> dict[str, str]:
    lines = [line.plain for line in header(status, width=width, folded=folded)]
    return {line.split()[0]: line[8:] for line in lines if line[:1].strip()}


def progress(**more) -> SweepStatus:
    return replace(STATUS, progress=replace(STATUS.progress, **more))


def facts(**more) -> SweepStatus:
    return replace(STATUS, facts=replace(STATUS.facts, **more))


def test_a_header_tells_all_that_a_sweep_is():
    """Method and goal, state, progress, time, and the best run with since when and how it came about."""
    lines = told(progress(eta_s=400.0, gpu_hours_used=0.05))
    assert lines["method"] == "bayes, maximize acc"
    assert lines["state"] == "running"
    assert lines["runs"] == "2/6 ━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌ 2 finished, 1 running"
    clock = (NOW + timedelta(seconds=400)).astimezone()
    assert lines["time"] == f"1m 03s so far, ETA ~7m ({clock:%H:%M}), 3m 00s of GPU time used"
    assert lines["best"] == f"acc 0.9  run-1 (aaaaaaaa), since {RUN.ended_at.astimezone():%H:%M}  ▁▅█"


def test_the_count_of_a_launch_is_the_total():
    """What the sweep has in all is told besides; without an end there is none to be told."""
    assert told(progress(planned=4))["runs"].startswith("2/4 ━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌ ")
    assert told(progress(planned=4))["runs"].endswith(", of 6 in all")
    assert told(progress(planned=4, total=None))["runs"].endswith("1 running")
    assert told(progress(total=None))["runs"] == "2/? 2 finished, 1 running"


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (progress(), "ETA unknown until a run has ended"),
        (progress(total=None), "no end in sight: it goes on until it is stopped"),
        (progress(eta_s=0.0), "ETA ~5s"),
        (facts(state=SweepState.FINISHED), "1m 03s"),
        (facts(state=SweepState.PAUSED), "1m 03s"),
        (replace(STATUS, runs=(RUN,)), "1m 03s"),
    ],
)
def test_no_end_is_told_that_nobody_knows(status, says):
    """Of a sweep that has ended, is paused or has nobody at work, only how long it took."""
    assert says in told(status)["time"]
    assert ("ETA" in told(status)["time"]) == ("ETA" in says)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "~5s"), (12, "~10s"), (54, "~55s"), (58, "~1m"), (400, "~7m"), (3599, "~1h 00m"), (12_000, "~3h 20m"),
     (200_000, "~2d")],
)  # fmt: skip
def test_an_estimate_has_no_more_digits_than_it_deserves(seconds, text):
    """It is one."""
    assert about(seconds) == text


def test_runs_that_were_stopped_early_are_not_said_to_be_killed():
    """By a person, one would think."""
    status = replace(progress(counts={"killed": 3, "running": 1}), search=SearchStatus(stopped_early=2, saved_s=7200.0))
    assert told(status)["runs"].endswith("1 killed, 1 running, 2 stopped early")
    assert told(status)["stopped"] == "2 runs early, about 2h 00m of GPU time saved"


def test_a_sweep_on_which_nobody_works_is_idle():
    """Running is what it says of itself; a person takes it for work."""
    idle = replace(STATUS, idle=True)
    assert told(idle)["state"] == "idle (running, but nobody works on it): sweeper launch e/p/s"
    assert told(facts(state=SweepState.PAUSED))["state"] == "paused: sweeper resume e/p/s"
    assert "idle" not in told(replace(STATUS, idle=None))["state"]


def test_a_best_run_that_goes_on_is_best_for_now():
    """Nobody knows since when; a day other than today is named."""
    running = replace(STATUS, standing=Standing(best=GOING))
    assert told(running)["best"] == "acc 0.9  run-1 (bbbbbbbb), still running"
    waits = replace(STATUS, standing=Standing(best=replace(GOING, state=RunState.PREEMPTED)))
    assert told(waits)["best"].endswith(", not over yet")
    before = replace(STATUS, standing=replace(STATUS.standing, best_since=NOW - timedelta(days=3)))
    assert f"since {(NOW - timedelta(days=3)).astimezone():%b %d %H:%M}" in told(before)["best"]


def test_where_no_gpu_is_used_its_time_is_a_slots():
    """Who trains on the CPU has used no GPU."""
    status = replace(progress(gpu_hours_used=1.0), runs=(replace(RUN, slot="cpu0"), replace(GOING, slot="cpu1")))
    assert told(status)["time"].endswith("1h 00m of slot time used")


def test_what_is_long_is_folded_where_every_line_counts():
    """Else it is whole: a person may copy it."""
    best = replace(RUN, params={f"parameter_{n}": n for n in range(40)})
    status = replace(STATUS, standing=replace(STATUS.standing, best=best))
    folded, whole = header(status, width=80, folded=2), header(status, width=80)
    assert len(folded) == 9
    assert folded[-1].plain.endswith(" …")
    assert "parameter_39=39" in whole[-1].plain
    assert len(header(status, width=80, params=1)) == 8


def test_a_gap_is_warned_of():
    """How many runs have one and what the latest lacks; what a missing metric says already is not said twice."""
    first, last = replace(RUN, gap="one"), replace(RUN, id="cccccccc", gap="no rows between step 3 and 5")
    said = "2 runs finished with a gap (sweeper runs --columns gap); cccccccc: no rows between step 3 and 5"
    assert said in _all_said(replace(STATUS, runs=(first, last, GOING)))
    assert "with a gap" not in _all_said(STATUS)
    lacking = replace(RUN, lacks=("acc",), gap="finished without a value of `acc`")
    assert "1 run finished with a gap" in _all_said(replace(STATUS, runs=(lacking, GOING)))
    missing = MissingMetric(metric="acc", run=RUN.id, logged=(), meant="", message="nobody logs it")
    assert "nobody logs it" in (said := _all_said(replace(STATUS, runs=(lacking,), missing_metrics=(missing,))))
    assert "with a gap" not in said
    assert "with a gap" in _all_said(replace(STATUS, runs=(first, lacking), missing_metrics=(missing,)))


def _all_said(status: SweepStatus) -> str:
    return "\n".join(line.plain for line in header(status, width=200))
