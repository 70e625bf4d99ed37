"""Sweeps to report on, made without a server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sweeper.backend.sweep_view import SweepView
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.journal.attempt import Attempt
from sweeper.ref import SweepRef
from sweeper.results.report.assembly import SweepReading, assemble
from sweeper.results.report.facts import Report
from sweeper.run import Run, RunState, SweepState, thinned

START = datetime(2026, 1, 1, tzinfo=UTC)
HOSTILE = "</title></svg><script>alert(1)</script><img src=x onerror=alert(1)>\"'`|[a](http://x) @you \x1b[31m\u202e"
PLAIN = SweepDefinition.from_yaml("""
name: a sweep
method: random
program: train.py
metric: {name: acc, goal: maximize}
early_terminate: {type: hyperband, min_iter: 2, eta: 3}
parameters:
  lr: {distribution: log_uniform_values, min: 0.00001, max: 1.0}
  kind: {values: [a, b, [1, 2], true]}
  epochs: {value: 5}
""")


def make_run(number: int, state: RunState = RunState.FINISHED, *history: float, **more) -> Run:
    """Make a run whose parameters follow from its number."""
    params = {"lr": 10.0 ** -(number % 5 + 1), "kind": ["a", "b", [1, 2], True][number % 4], "epochs": 5}
    more = {"params": params, "created_at": START + timedelta(minutes=number), "duration_s": 30.0, **more}
    return Run(id=f"r{number}", name=f"name-{number}", state=state, history=history, **more)


def make_report(
    *runs: Run, definition: SweepDefinition = PLAIN, history: Sequence[Attempt] = (), local: bool = True, **more
) -> Report:
    """Put a report of some runs together."""
    view = SweepView(
        ref=SweepRef("e", "p", "s1"), url="http://x", definition=definition, state=SweepState.RUNNING, runs=runs
    )
    curves = {run.id: thinned(run.history, 60) for run in runs if run.history}
    at = START + timedelta(hours=1)
    return assemble(SweepReading(view=view, history=history, curves=curves, local=local, at=at, **more))


def many(count: int) -> list[Run]:
    """Make runs of every fate."""
    states = (RunState.FINISHED, RunState.KILLED, RunState.FAILED, RunState.RUNNING, RunState.FINISHED)
    return [
        make_run(i, states[i % 5], *(0.5 + (i % 17) / 40 + step / 100 for step in range(20)), reason="why" * (i % 3))
        for i in range(count)
    ]
