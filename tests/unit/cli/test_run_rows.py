"""Runs as rows."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from sweeper.cli.run_rows import run_table, starred, state_word
from sweeper.results.status import RunCounts, RunStatus, Standing, SweepFacts, SweepStatus
from sweeper.run import RunState, StopDecision, SweepState

RUN = RunStatus(
    id="aaaaaaaa", name="run-1", state=RunState.FINISHED, best=0.97654321,
    params={"opt.learning_rate": 0.00123456, "batch_size": 64, "seed": 3},
    last=0.97, duration_s=185.0, slot="cpu0", reason="", log="", iterations=12,
)  # fmt: skip
OTHER = replace(RUN, id="bbbbbbbb", params={"opt.learning_rate": 0.5, "batch_size": 128, "seed": 3}, best=0.5, last=0.5)


def status(*runs: RunStatus, **more) -> SweepStatus:
    facts = SweepFacts(
        sweep="e/p/s", name="", url="", state=SweepState.RUNNING, method="random", metric="acc", goal="maximize"
    )
    counts = RunCounts(done=0, total=None, counts={}, elapsed_s=None)
    curves = {run.id: ((1, 0.1), (2, 0.5), (3, 0.9)) for run in runs}
    made = SweepStatus(facts=facts, progress=counts, runs=runs, curves=curves, standing=Standing(best=runs[0]))
    return replace(made, **more)


def drawn(shown: SweepStatus, width: int = 80) -> list[str]:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(run_table(shown, shown.runs, width))
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]
    assert max(map(len, lines)) <= width
    assert len(lines) == len(shown.runs) + 1
    return lines


def test_a_run_is_one_line():
    """Id, what varies among the runs, last and best value, curve, step, state, time and slot, the best one starred."""
    heading, first, second = drawn(status(RUN, OTHER))
    assert heading.split() == ["run", "parameters", "last", "best", "curve", "step", "state", "time", "slot"]
    assert first.split()[:3] == ["aaaaaaaa", "lr=0.001235", "bs=64"]
    assert first.split()[3:] == ["0.97", "0.9765", "*", "▁▅█", "12", "finished", "3m", "05s", "cpu0"]
    assert second.split()[3:] == ["0.5", "0.5", "▁▅█", "12", "finished", "3m", "05s", "cpu0"]
    assert first.index("0.9765 *") + len("0.9765") == second.rindex("0.5") + len("0.5")


def test_a_wide_terminal_has_room_for_whole_names():
    """Of the same line."""
    _, first, _ = drawn(status(RUN, OTHER), width=160)
    assert "learning_rate=0.001235 batch_size=64" in first


def test_what_is_too_long_is_cut_in_the_name_alone():
    """However many parameters there are, the values and the state stay."""
    runs = [
        replace(RUN, id=f"run0000{k}", params={f"p{n}": n * k for n in range(50)}, best=-1.2345e-05, last=-1.2345e-05)
        for k in range(2)
    ]
    for line in drawn(status(*runs))[1:]:
        assert "…" in line
        assert line.endswith(" 12 finished 3m 05s cpu0")
        assert line.count("-1.234e-05") == 2


@pytest.mark.parametrize(
    ("run", "word"),
    [
        (replace(RUN, state=RunState.KILLED, stop=StopDecision("a", "low")), "stopped"),
        (replace(RUN, state=RunState.KILLED), "killed"),
        (replace(RUN, state=RunState.RUNNING, told_to_stop=True), "stopping"),
        (replace(RUN, state=RunState.RUNNING), "running"),
        (replace(RUN, stop=StopDecision("a", "low")), "finished"),
        (replace(RUN, gap="its history has a gap"), "finished (gap)"),
    ],
)
def test_a_state_tells_who_ended_a_run(run, word):
    """Early termination, or somebody."""
    assert state_word(run) == word


def test_who_failed_is_never_starred():
    """Whatever it logged: the star is the standing's, of which it cannot be a part."""
    failed = replace(RUN, state=RunState.FAILED)
    shown = status(failed, OTHER, standing=Standing(best=OTHER))
    assert starred(shown) == {"bbbbbbbb"}
    assert ["*" in line for line in drawn(shown)] == [False, False, True]


def test_with_several_metrics_the_values_stand_together():
    """And each run of the front is marked."""
    facts = replace(status(RUN).facts, metric="", metrics={"acc": "maximize", "size": "minimize"})
    runs = [replace(run, values={"acc": 0.9, "size": 5.0}, best=None, last=None) for run in (RUN, OTHER)]
    lines = drawn(status(*runs, facts=facts, curves={}, standing=Standing(front=(runs[1],))))
    assert "acc / size" in lines[0]
    assert ["0.9 / 5 *" in line for line in lines[1:]] == [False, True]


def test_without_a_metric_there_is_nothing_to_compare():
    """No columns for it."""
    lines = drawn(status(RUN, facts=replace(status(RUN).facts, metric=""), curves={}, standing=Standing()))
    assert lines[0].split() == ["run", "parameters", "step", "state", "time", "slot"]
