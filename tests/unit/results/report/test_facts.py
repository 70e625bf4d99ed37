"""What a report says of runs, parameters and times."""

from __future__ import annotations

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.results.report import facts
from sweeper.run import Run, RunState
from tests.unit.results.report.conftest import START, make_report, make_run

LOG = SweepDefinition.from_yaml("""
method: random
metric: {name: acc, goal: maximize}
parameters:
  a: {distribution: q_log_uniform_values, min: 1, max: 1000, q: 1}
  b: {distribution: log_normal, mu: 0, sigma: 1}
  c: {min: 0.0, max: 1.0}
  d: {distribution: int_uniform, min: 1, max: 4}
  e: {value: 1}
""")


def test_log_axes_come_from_the_distributions():
    """What was searched by its logarithm is drawn by it; few values are listed; what is constant is no axis."""
    runs = [Run(id=f"r{i}", state=RunState.FINISHED, params=dict.fromkeys("abcd", i + 1) | {"e": 1}) for i in range(3)]
    axes = {axis.name: axis for axis in make_report(*runs, definition=LOG).axes}
    assert {name: axis.log for name, axis in axes.items()} == {"a": True, "b": True, "c": False, "d": False}
    assert axes["d"].listed == (1, 2, 3, 4)
    assert axes["a"].listed is None


def test_the_fate_of_each_run():
    """What ended a run decides how it is drawn, and whether it may lead; attached runs are not drawn."""
    states = list(RunState)
    report = make_report(*(make_run(i, state, 0.5) for i, state in enumerate(states)), make_run(99, prior=True))
    fates = {state.value: run.fate for state, run in zip(states, report.runs, strict=True)}
    assert fates["killed"] == "stopped"
    assert fates["crashed"] == fates["failed"] == "failed"
    assert fates["pending"] == fates["preempted"] == "waiting"
    assert [run.number for run in report.runs] == list(range(1, len(states) + 1))
    assert {run.id for run in report.runs if run.leads} >= {"r4", "r1"}
    assert all(run.may_lead is state.may_lead for run, state in zip(report.runs, map(_run, states), strict=True))


def _run(state: RunState) -> Run:
    return Run(id="x", state=state)


def test_several_metrics_are_drawn_by_the_first():
    """Colour needs one value; the front needs all."""
    several = SweepDefinition.from_yaml("""
method: bayes
metrics: [{name: loss, goal: minimize}, {name: acc, goal: maximize}]
parameters: {lr: {min: 0.0, max: 1.0}}
""")
    report = make_report(make_run(1, values=(0.5, 0.9), params={"lr": 0.1}), make_run(2), definition=several)
    assert (report.metric, report.goal) == ("loss", "minimize")
    assert [run.value for run in report.runs] == [0.5, None]


def test_attempts_become_stretches():
    """A start and its end are one stretch; the second attempt at a run is a retry; one that goes on ends now."""
    at = START.timestamp()
    history = [
        Attempt(run_id="r1", slot="gpu0", at=at),
        Attempt(run_id="r1", slot="gpu0", at=at + 10, outcome=AttemptOutcome.DIED, reason="killed"),
        Attempt(run_id="r2", slot="gpu1", at=at + 5, outcome=AttemptOutcome.FINISHED, trainer_s=5.0),
        Attempt(run_id="r1", slot="gpu1", at=at + 20),
        Attempt(run_id="r3", slot="gpu2", at=at + 20),
    ]
    report = make_report(make_run(1), make_run(2))
    found = facts.stretches_of(history, report.runs, report.at, frozenset({"r1"}))
    assert [(one.row, one.start - at, one.end - at, one.fate, one.attempt) for one in found] == [
        ("gpu0", 0, 10, "failed", 1),
        ("gpu1", 0, 5, "finished", 1),
        ("gpu1", 20, 3600, "running", 2),
    ]
    assert "(killed)" in found[0].told


def test_without_a_journal_the_timeline_is_by_run():
    """A sweep that ran elsewhere has times all the same: when each run was made, and how long it took."""
    report = make_report(make_run(1), make_run(2, RunState.RUNNING), make_run(3, RunState.PENDING))
    assert not report.by_slot
    assert [(one.end - one.start, one.fate) for one in report.stretches] == [(30.0, "finished"), (3480.0, "running")]
