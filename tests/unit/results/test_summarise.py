"""What server and workers say, put together."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sweeper.backend.sweep_reader import SweepView
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.ref import SweepRef
from sweeper.results.living import LivingLaunch
from sweeper.results.status import SweepStatus
from sweeper.results.summarise import SCHEDULER_HEARD, LocalView, summarise
from sweeper.run import Run, RunState, StopDecision, SweepState

START = datetime(2026, 1, 1, tzinfo=UTC)
DEFINITION = SweepDefinition.from_yaml(
    "method: random\nrun_cap: 4\nmetric: {name: acc, goal: maximize}\n"
    "parameters: {lr: {min: 0.0, max: 1.0}, data: {value: digits}}"
)


def run(name: str, state: RunState, *history: float, reason: str = "", at_s: float = 0) -> Run:
    created = START + timedelta(seconds=at_s)
    params = {"lr": 0.5, "data": "digits"}
    return Run(id=name, state=state, params=params, history=history, reason=reason, created_at=created, duration_s=5.0)


def summary(*runs: Run, attempts=(), models=None, now_s: float = 60, definition=DEFINITION, **more) -> SweepStatus:
    view = SweepView(
        ref=SweepRef("e", "p", "s"), url="http://x", definition=definition, state=SweepState.RUNNING, runs=runs, **more
    )
    here = LocalView(attempts={attempt.run_id: attempt for attempt in attempts}, models=models or {})
    return summarise(view, here, now=START + timedelta(seconds=now_s))


def test_progress_counts_ended_runs_against_the_expected():
    """Three of four have ended, in whatever way; one runs."""
    states = (RunState.FINISHED, RunState.FAILED, RunState.KILLED, RunState.RUNNING)
    progress = summary(*(run(str(n), state) for n, state in enumerate(states))).progress
    assert (progress.done, progress.total) == (3, 4)
    assert progress.counts == {"finished": 1, "failed": 1, "killed": 1, "running": 1}


def test_the_best_run_is_best_by_history():
    """A run that reached 0.9 and fell to 0.5 beats one that ended at 0.8."""
    best = summary(run("a", RunState.FINISHED, 0.9, 0.5), run("b", RunState.FINISHED, 0.8)).standing.best
    assert (best.id, best.best, best.last) == ("a", 0.9, 0.5)


def test_the_model_shown_is_the_best_runs():
    """A model that was downloaded when another run was best is not shown for this one."""
    runs = (run("a", RunState.FINISHED, 0.9), run("b", RunState.FINISHED, 0.8))
    assert summary(*runs, models={"a": "/a.onnx", "b": "/b.onnx"}).model == "/a.onnx"
    assert summary(*runs, models={"b": "/b.onnx"}).model == ""


def test_only_varied_parameters_are_shown():
    """Constants are the same in every row."""
    assert summary(run("a", RunState.RUNNING)).runs[0].params == {"lr": 0.5}


def test_workers_attempts_give_slot_wall_time_and_cause():
    """The server cannot know that a process died of SIGKILL; the worker does."""
    attempt = Attempt(run_id="a", slot="gpu1", outcome=AttemptOutcome.DIED, reason="ended by SIGKILL", wall_s=7.5)
    shown = summary(run("a", RunState.CRASHED, reason="no heartbeat for 60 s"), attempts=[attempt]).runs[0]
    assert (shown.slot, shown.duration_s, shown.reason) == ("gpu1", 7.5, "ended by SIGKILL")


def test_what_lies_between_two_attempts_is_none_of_a_runs_time():
    """A night, perhaps; while an attempt is under way its time counts, as soon as the launch has died it does not."""
    ended = Attempt(run_id="a", slot="gpu1", outcome=AttemptOutcome.FINISHED, wall_s=9.0, trainer_s=7.5)
    here = LocalView(attempts={"a": ended}, spent={"a": 100.0})
    assert here.seconds_of("a", START) == 100.0
    under_way = Attempt(run_id="a", slot="gpu1", at=START.timestamp() - 3)
    here = replace(here, attempts={"a": under_way}, launchers={7: ("gpu0", "gpu1")})
    assert here.seconds_of("a", START) == 103.0
    assert replace(here, launchers={}).seconds_of("a", START) == 100.0
    assert replace(here, launchers={}, spent={}).seconds_of("a", START) is None


@pytest.mark.parametrize(
    ("state", "launchers", "closing"),
    [(RunState.FAILED, {7: ("gpu1",)}, True), (RunState.FAILED, {}, False), (RunState.RUNNING, {7: ("gpu1",)}, False)],
)
def test_a_run_is_closing_until_its_worker_has_said_how_it_ended(state, launchers, closing):
    """One whose launch was killed waits for no word."""
    view = SweepView(
        ref=SweepRef("e", "p", "s"), url="", definition=DEFINITION, state=SweepState.RUNNING, runs=(run("a", state),)
    )
    here = LocalView(attempts={"a": Attempt(run_id="a", slot="gpu1")}, launchers=launchers)
    assert ("a" in summarise(view, here, now=START).closing) is closing


def test_the_servers_reason_counts_for_a_stopped_run():
    """Why a run was stopped early only the server knows."""
    attempt = Attempt(run_id="a", slot="gpu1", outcome=AttemptOutcome.STOPPED, wall_s=7.5)
    shown = summary(run("a", RunState.KILLED, reason="hyperband rung 3"), attempts=[attempt]).runs[0]
    assert shown.reason == "hyperband rung 3"


def test_elapsed_time_stops_with_the_last_run():
    """While a run runs the clock runs; afterwards it shows how long the sweep took."""
    first = run("a", RunState.FINISHED)
    assert summary(first, run("b", RunState.RUNNING, at_s=10)).progress.elapsed_s == 60
    assert summary(first, run("b", RunState.FINISHED, at_s=10)).progress.elapsed_s == 15
    long = replace(first, duration_s=30.0)
    assert summary(long, run("b", RunState.FINISHED, at_s=10)).progress.elapsed_s == 30
    assert summary(run("b", RunState.FINISHED, at_s=10), long).progress.elapsed_s == 30
    timeless = replace(first, created_at=None, duration_s=99.0)
    assert summary(timeless, first, run("b", RunState.FAILED, at_s=40)).progress.elapsed_s == 45
    assert summary(replace(first, duration_s=None)).progress.elapsed_s == 0
    assert summary(timeless).progress.elapsed_s is None
    assert summary().progress.elapsed_s is None


def stopped(name: str, iterations: int, rung: int) -> Run:
    decision = StopDecision(name, "asha rung 1: ...", "asha", rung, 0.1, 0.5, 4)
    return replace(run(name, RunState.KILLED, *[0.1] * iterations), stop=decision)


def test_gpu_seconds_saved_are_the_iterations_not_done():
    """Finished runs take 5 s for 10 iterations: one stopped after 2 saves 4 s, one that logged only NaN 4.5 s."""
    whole = run("a", RunState.FINISHED, *[0.5] * 10)
    status = summary(whole, stopped("b", 2, 1), stopped("c", 0, 1), run("d", RunState.KILLED, 0.1))
    assert status.search.stopped_early == 2
    assert status.search.saved_s == pytest.approx(4.0 + 4.5)
    assert status.runs[1].stop.rung == 1


def test_random_draws_in_place_of_suggestions_are_counted_by_their_reason():
    """Runs for which the search had nothing ready are added up, each reason by itself."""
    late = replace(run("a", RunState.FINISHED, 0.5), fallback="the search takes longer")
    dead = replace(run("b", RunState.RUNNING), fallback="the search process died (exit code -9)")
    status = summary(late, dead, replace(late, id="c"), run("d", RunState.FINISHED, 0.1))
    assert status.search.fallbacks == {"the search takes longer": 2, "the search process died (exit code -9)": 1}


def test_gpu_seconds_saved_are_unknown_until_a_run_has_finished():
    """Without a whole run to compare with there is no estimate; without a stopped one, nothing was saved."""
    assert summary(stopped("b", 2, 1)).search.saved_s is None
    assert summary(run("a", RunState.FINISHED, 0.5)).search.saved_s == 0
    assert summary(run("a", RunState.FINISHED, 0.5), stopped("b", 3, 1)).search.saved_s == 0


def test_a_launch_under_way_here_is_told():
    """By its process, with its slots: what this machine knows goes through as it is."""
    view = SweepView(
        ref=SweepRef("e", "p", "s"), url="http://x", definition=DEFINITION, state=SweepState.RUNNING, runs=()
    )
    status = summarise(view, LocalView(launchers={7: ("gpu0", "gpu1")}), now=START)
    assert status.launchers == {7: ("gpu0", "gpu1")}


def test_runs_of_earlier_sweeps_count_apart():
    """They are not among the runs, not in the progress and never the best; their own best is told."""
    old = replace(run("old", RunState.FINISHED, 0.99), prior=True)
    status = summary(old, run("a", RunState.FINISHED, 0.5))
    assert (status.standing.prior, status.standing.prior_best, status.standing.best.id) == (1, 0.99, "a")
    assert [shown.id for shown in status.runs] == ["a"]
    assert status.progress.done == 1


SEVERAL = SweepDefinition.from_yaml(
    "method: bayes\nmetrics: [{name: acc, goal: maximize}, {name: size, goal: minimize}]\n"
    "parameters: {lr: {min: 0.0, max: 1.0}}"
)


def test_the_front_has_the_runs_that_none_beats():
    """In the order of the first metric; a finished run without a value of both says so and is not on it."""
    valued = [("good", (0.9, 5.0)), ("small", (0.7, 1.0)), ("worse", (0.6, 6.0))]
    runs = [replace(run(name, RunState.FINISHED), values=values) for name, values in valued]
    runs.append(replace(run("blind", RunState.FINISHED), lacks=("acc", "size")))
    status = summary(*runs, definition=SEVERAL)
    assert [shown.id for shown in status.standing.front] == ["small", "good"]
    assert status.runs[3].reason == "finished without a value of `acc` and `size`"
    assert status.facts.metrics == {"acc": "maximize", "size": "minimize"}


def test_a_scheduler_that_fell_silent_is_not_at_work():
    """It reports every 30 s; what was heard longer ago than it may be late for is over."""
    now = START + timedelta(seconds=60)
    late = now - SCHEDULER_HEARD
    assert summary(scheduler_heard_at=late + timedelta(seconds=1)).search.scheduler_at_work
    assert not summary(scheduler_heard_at=late).search.scheduler_at_work
    assert not summary().search.scheduler_at_work


def test_a_run_that_logged_only_nan_says_so():
    """It finished, and without a reason nobody would see why it has no value."""
    shown = summary(replace(run("a", RunState.FINISHED), nonfinite=3)).runs[0]
    assert (shown.kind, shown.reason) == ("no finite metric", "every value of its metric was NaN or infinite")


def test_when_a_run_ended_is_its_workers_word_or_else_its_servers():
    """Since then the best run is the best; one that goes on is it for now."""
    attempt = Attempt(run_id="b", slot="gpu1", outcome=AttemptOutcome.FINISHED, at=START.timestamp() + 40)
    runs = (run("a", RunState.FINISHED, 0.5), run("b", RunState.FINISHED, 0.7), run("c", RunState.RUNNING, 0.6))
    status = summary(*runs, attempts=[attempt])
    assert [shown.ended_at for shown in status.runs] == [
        START + timedelta(seconds=5),
        START + timedelta(seconds=40),
        None,
    ]
    assert status.standing.best_since == START + timedelta(seconds=40)
    under_way = Attempt(run_id="a", slot="gpu0", at=START.timestamp() + 7)  # of which nobody has told the end
    assert summary(run("a", RunState.FINISHED, 0.5), attempts=[under_way]).runs[0].ended_at == START + timedelta(
        seconds=5
    )
    assert status.standing.climb == (0.5, 0.7, 0.7)
    assert summary(run("c", RunState.RUNNING, 0.6)).standing.best_since is None


def test_the_end_is_estimated_as_long_as_the_sweep_goes_on():
    """Two of four runs have ended after 5 s each, one has begun: one slot has 5 s left of it and 5 s of the last."""
    going = replace(run("c", RunState.RUNNING, at_s=60), duration_s=None)
    made = (run("a", RunState.FINISHED, 0.5), run("b", RunState.FINISHED, 0.7), going)
    assert summary(*made).progress.eta_s == pytest.approx(10.0)
    view = SweepView(ref=SweepRef("e", "p", "s"), url="", definition=DEFINITION, state=SweepState.PAUSED, runs=made)
    assert summarise(view, LocalView(), now=START).progress.eta_s is None


def test_a_launch_under_way_says_how_many_runs_there_will_be_and_what_its_slots_are_at():
    """Its `--count` ends it before the run_cap does."""
    going = replace(run("b", RunState.RUNNING, 0.1, 0.2), heard_at=START + timedelta(seconds=50))
    launch = LivingLaunch(pid=7, devices={"cpu0": ""}, count=1, runs=frozenset({"b"}))
    here = LocalView(attempts={"b": Attempt(run_id="b", slot="cpu0")}, launchers={7: ("cpu0",)}, living=(launch,))
    view = SweepView(
        ref=SweepRef("e", "p", "s"), url="", definition=DEFINITION, state=SweepState.RUNNING,
        runs=(run("a", RunState.FINISHED), going),
    )  # fmt: skip
    status = summarise(view, here, now=START + timedelta(seconds=60))
    assert (status.progress.total, status.progress.planned) == (4, 2)
    assert [(slot.name, slot.run, slot.step, slot.heard_s) for slot in status.slots] == [("cpu0", "b", 2, 10.0)]


def test_gpu_hours_are_the_time_of_all_runs_on_all_their_gpus():
    """Five seconds on one, and five on four."""
    attempt = Attempt(run_id="b", slot="gpu0-3", outcome=AttemptOutcome.FINISHED, trainer_s=5.0)
    status = summary(run("a", RunState.FINISHED), run("b", RunState.FINISHED), attempts=[attempt])
    assert status.progress.gpu_hours_used == pytest.approx(25 / 3600)


def test_failures_are_told_by_their_cause():
    """With the run that failed, and nothing of those that went well."""
    status = summary(run("a", RunState.FAILED, reason="ValueError: x"), run("b", RunState.FINISHED))
    assert [(group.cause, group.runs) for group in status.failures] == [("ValueError: x", ("a",))]
