"""How many runs a sweep will have, known before the first."""

from __future__ import annotations

import pytest

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import Run, RunState
from sweeper.search import expected_runs, suggest

GRID = "method: grid\nmetric: {name: loss}\nparameters: {a: {values: [1, 2, 3]}, b: {values: [x, y]}}\n"


def prior(state: RunState = RunState.FINISHED, history: tuple[float, ...] = (0.5,), **params: object) -> Run:
    return Run(id=str(params), state=state, params=params, history=history, prior=True)


@pytest.mark.parametrize(
    ("more", "runs", "expected"),
    [
        ("", [], 6),
        ("", [prior(a=1, b="x")], 5),
        ("", [prior(a=1, b="x"), prior(a=1, b="x"), prior(a=9, b="x")], 5),
        ("run_cap: 4", [prior(a=1, b="x")], 4),
        ("sweeper: {repeats: 3}", [prior(a=1, b="x")], 15),
        ("", [prior(RunState.CRASHED, (), a=1, b="x")], 6),
        ("", [prior(RunState.CRASHED, (0.3,), a=1, b="x")], 5),
    ],
)
def test_prior_runs_spare_their_configurations(more, runs, expected):
    """What an earlier sweep tried is not run again, unless it failed without a value; then it gets another try."""
    definition = SweepDefinition.from_yaml(GRID + more)
    assert expected_runs(definition, runs) == expected
    made = list(runs)
    while suggestion := suggest(definition, made, seed=1):
        made.append(Run(id=str(len(made)), state=RunState.FINISHED, params=suggestion.params, history=(1.0,)))
    assert len(made) - len(runs) == expected


def test_a_continuous_sweep_goes_on():
    """Nobody knows how many runs it will have."""
    definition = SweepDefinition.from_yaml("method: random\nparameters: {a: {min: 0.0, max: 1.0}}")
    assert expected_runs(definition, [prior(a=0.5)]) is None
