"""Which of many runs are shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from sweeper.backend.sweep_view import SweepView
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.ref import SweepRef
from sweeper.results.foremost import AT_WORK, BEST, LATEST, MOST, foremost
from sweeper.results.summarise import LocalView, summarise
from sweeper.run import Run, RunState, SweepState

ONE = "method: random\nmetric: {name: acc, goal: maximize}\nparameters: {lr: {min: 0.0, max: 1.0}}"
TWO = "method: bayes\nmetrics: [{name: acc, goal: maximize}, {name: loss, goal: minimize}]\n" + ONE.splitlines()[-1]


def ended(count: int) -> list[Run]:
    """Runs of which the tenth was the best and the ninth the next to it."""
    return [Run(id=f"r{n}", state=RunState.FINISHED, history=(-abs(n - 10.1),)) for n in range(count)]


def ids(runs: list[Run], text: str = ONE) -> list[str]:
    view = SweepView(
        ref=SweepRef("e", "p", "s"),
        url="",
        definition=SweepDefinition.from_yaml(text),
        state=SweepState.RUNNING,
        runs=tuple(runs),
    )
    return [run.id for run in foremost(summarise(view, LocalView(), now=datetime(2026, 1, 1, tzinfo=UTC)))]


def test_of_few_runs_each_is_shown():
    """In their order."""
    assert ids(ended(MOST)) == [f"r{n}" for n in range(MOST)]


def test_of_many_runs_the_ones_at_work_come_first_then_the_best_then_the_latest():
    """Each once: a best run may be the latest as well."""
    running = [Run(id=f"w{n}", state=RunState.RUNNING) for n in range(3)]
    shown = ids(ended(1000) + running)
    assert shown[:3] == ["w2", "w1", "w0"]
    assert shown[3 : 3 + BEST] == ["r10", "r11", "r9", "r12", "r8"]
    assert shown[3 + BEST :] == [f"r{999 - n}" for n in range(LATEST)]


def test_a_thousand_at_work_leave_room_for_the_best():
    """The newest of them are shown."""
    running = [Run(id=f"w{n}", state=RunState.RUNNING) for n in range(1000)]
    shown = ids(ended(20) + running)
    assert (shown[0], len(shown)) == ("w999", AT_WORK + BEST + LATEST)


def test_who_may_not_lead_is_no_best_run():
    """Whatever it logged before it failed."""
    failed = [replace(run, state=RunState.FAILED) for run in ended(MOST)]
    assert ids([*failed, Run(id="good", state=RunState.FINISHED, history=(-99.0,))])[0] == "good"


def test_of_several_metrics_the_front_is_shown():
    """None of its runs is better than another."""
    runs = [Run(id=f"r{n}", state=RunState.FINISHED, values=(float(n % 7), float(n % 5))) for n in range(100)]
    assert ids(runs, TWO)[0] in {f"r{n}" for n in range(100) if n % 5 == 0}
