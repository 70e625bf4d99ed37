"""Which of many runs are shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sweeper.backend.sweep_view import SweepView
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.ref import SweepRef
from sweeper.results.foremost import AT_WORK, BEST, ENDED, ROWS, foremost, rows_wanted
from sweeper.results.status import SweepStatus
from sweeper.results.summarise import LocalView, summarise
from sweeper.run import Run, RunState, SweepState

ONE = "method: random\nmetric: {name: acc, goal: maximize}\nparameters: {lr: {min: 0.0, max: 1.0}}"
TWO = "method: bayes\nmetrics: [{name: acc, goal: maximize}, {name: loss, goal: minimize}]\n" + ONE.splitlines()[-1]


def ended(count: int) -> list[Run]:
    """Runs of which the tenth was the best and the ninth the next to it."""
    return [Run(id=f"r{n}", state=RunState.FINISHED, history=(-abs(n - 10.1),)) for n in range(count)]


def ids(runs: list[Run], text: str = ONE, rows: int = 20) -> list[str]:
    return [run.id for run in foremost(shown(runs, text), rows)]


def shown(runs: list[Run], text: str = ONE) -> SweepStatus:
    view = SweepView(
        ref=SweepRef("e", "p", "s"),
        url="",
        definition=SweepDefinition.from_yaml(text),
        state=SweepState.RUNNING,
        runs=tuple(runs),
    )
    return summarise(view, LocalView(), now=datetime(2026, 1, 1, tzinfo=UTC))


def test_those_at_work_come_first_then_the_best_then_what_ended_last():
    """Each once: a best run may be the latest as well. When a run ended counts, not when it began."""
    start = datetime(2025, 1, 1, tzinfo=UTC)
    runs = [replace(run, created_at=start + timedelta(seconds=n), duration_s=1.0) for n, run in enumerate(ended(1000))]
    runs[500] = replace(runs[500], duration_s=10_000.0)
    running = [Run(id=f"w{n}", state=RunState.RUNNING) for n in range(3)]
    found = ids(runs + running)
    assert found[:3] == ["w2", "w1", "w0"]
    assert found[3 : 3 + BEST] == ["r10", "r11", "r9", "r12", "r8"]
    assert found[3 + BEST :] == ["r500", *(f"r{999 - n}" for n in range(11))]


@pytest.mark.parametrize("rows", [0, 1, 2, 5, 12])
def test_no_more_are_shown_than_there_are_rows(rows):
    """Runs at work take them all if need be."""
    running = [Run(id=f"w{n}", state=RunState.RUNNING) for n in range(4)]
    found = ids(ended(30) + running, rows=rows)
    assert len(found) == rows
    assert found[:4] == ["w3", "w2", "w1", "w0"][:rows]


def test_a_run_at_work_keeps_its_row():
    """Slot by slot, whichever began last; what waits for a slot comes behind."""
    status = shown([Run(id=f"w{n}", state=RunState.RUNNING) for n in range(3)] + [Run(id="p", state=RunState.PENDING)])
    slots = dict(zip(("w0", "w1", "w2", "p"), ("gpu10", "gpu9", "", ""), strict=True))
    status = replace(status, runs=tuple(replace(run, slot=slots[run.id]) for run in status.runs))
    assert [run.id for run in foremost(status, 9)] == ["w1", "w0", "w2", "p"]


def test_a_thousand_at_work_leave_room_for_the_best():
    """Where nothing says how many lines there are, so many are wanted; the newest of them are shown."""
    running = [Run(id=f"w{n}", state=RunState.RUNNING) for n in range(1000)]
    assert rows_wanted(shown(ended(20) + running)) == AT_WORK + ENDED
    assert rows_wanted(shown(ended(20))) == ROWS
    assert ids(ended(20) + running)[0] == "w999"


def test_who_may_not_lead_is_no_best_run():
    """Whatever it logged before it failed."""
    failed = [replace(run, state=RunState.FAILED) for run in ended(50)]
    assert ids([*failed, Run(id="good", state=RunState.FINISHED, history=(-99.0,))])[0] == "good"


def test_of_several_metrics_the_front_is_shown():
    """None of its runs is better than another."""
    runs = [Run(id=f"r{n}", state=RunState.FINISHED, values=(float(n % 7), float(n % 5))) for n in range(100)]
    assert ids(runs, TWO)[0] in {f"r{n}" for n in range(100) if n % 5 == 0}
