"""Early termination: rungs, thresholds, and who is stopped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import Run, RunState
from sweeper.search import stop_decision


def definition(goal: str = "minimize", **rule: object) -> SweepDefinition:
    return SweepDefinition.model_validate(
        {
            "method": "random",
            "parameters": {"x": {"min": 0.0, "max": 1.0}},
            "metric": {"name": "loss", "goal": goal},
            "early_terminate": {"type": "hyperband", **(rule or {"min_iter": 1})},
        }
    )


def run(name: str, *history: float, state: RunState = RunState.RUNNING) -> Run:
    return Run(id=name, state=state, history=history)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"min_iter": 3}, (3, 9, 27, 81)),
        ({"max_iter": 27, "s": 2}, (3, 9)),
        ({"max_iter": 10, "s": 3, "eta": 2}, (1, 2, 5)),
        ({"min_iter": 2, "eta": 1.5}, (2, 3, 4, 6)),
    ],
)
def test_rungs_are_those_of_wandb(rule, expected):
    """The figures of W&B's own engine (`sweeps` 0.3.0), lowest first."""
    assert definition(**rule).early_terminate.rungs()[: len(expected)] == expected


@pytest.mark.parametrize(("runs", "kept"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 2), (6, 3), (7, 3)])
def test_the_best_third_and_one_more_are_kept(runs, kept):
    """At eta 3, floor(n / 3) + 1 of n runs go on."""
    peers = [run(str(value), float(value)) for value in range(runs)]
    stopped = [peer for peer in peers if stop_decision(definition(), peer, peers)]
    assert len(stopped) == runs - kept
    assert {peer.id for peer in stopped} == {str(value) for value in range(kept, runs)}


def test_maximizing_keeps_the_largest():
    """The threshold is negated with the goal."""
    peers = [run("low", 0.1), run("mid", 0.5), run("high", 0.9), run("top", 0.95)]
    stopped = {peer.id for peer in peers if stop_decision(definition("maximize"), peer, peers)}
    assert stopped == {"low", "mid"}


def test_strict_judges_the_value_at_the_rung():
    """A run that dips at the rung is stopped when strict, kept on its best when not."""
    good = [run(f"g{n}", 0.4, 0.3 + n / 100, state=RunState.FINISHED) for n in range(3)]
    dipped = run("d", 0.1, 0.9)
    assert stop_decision(definition(min_iter=2, strict=True), dipped, good)
    assert not stop_decision(definition(min_iter=2, strict=False), dipped, good)


def test_a_decision_gives_its_reason_in_numbers():
    """Rung, value, threshold and the number of runs are all there."""
    peers = [run("a", 1.0, 0.25), run("b", 1.0, 0.5), run("c", 1.0, 0.75)]
    decision = stop_decision(definition(min_iter=2), peers[2], peers)
    assert decision is not None
    assert decision.run_id == "c"
    assert all(part in decision.reason for part in ("rung 2", "loss 0.75", "> 0.5", "3 runs"))


@pytest.mark.parametrize("state", [state for state in RunState if state is not RunState.RUNNING])
def test_only_running_runs_are_stopped(state):
    """A run in any other state is left alone, however bad."""
    peers = [run("a", 0.1), run("b", 0.2), run("c", 0.3)]
    assert stop_decision(definition(), run("d", 9.0, state=state), peers) is None


def test_nobody_is_stopped_before_the_first_rung():
    """Two values do not reach min_iter 3."""
    peers = [run("a", 0.1, 0.1), run("b", 9.0, 9.0)]
    assert stop_decision(definition(min_iter=3), peers[1], peers) is None


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=12))
def test_a_better_run_is_never_stopped_before_a_worse_one(values):
    """At the same rung, whoever is stopped is worse than everyone who is not."""
    peers = [run(str(n), value) for n, value in enumerate(values)]
    stopped = [p.history[0] for p in peers if stop_decision(definition(), p, peers)]
    kept = [p.history[0] for p in peers if not stop_decision(definition(), p, peers)]
    assert kept
    assert max(kept) < min(stopped, default=float("inf"))


@pytest.mark.parametrize(
    ("rule", "count", "last"),
    [
        ({"min_iter": 3, "eta": 2000.0}, 5, 48_000_000_000_000),
        ({"min_iter": 1, "eta": 1.0e300}, 1, 1),
        ({"min_iter": 5, "eta": 1.0000000001}, 1, 5),
        ({"max_iter": 27, "s": 10**18, "eta": 3}, 3, 9),
        ({"max_iter": 10**18, "s": 10**18, "eta": 1.0000000001}, 10_000, 999999999900000000),
        ({"max_iter": 10, "s": 5, "eta": 1.1}, 4, 9),
    ],
)
def test_extreme_rules_have_few_rungs(rule, count, last):
    """No rule of a file makes the server count for ever or overflow."""
    found = definition(**rule).early_terminate.rungs()
    assert len(found) == count
    assert found[-1] == pytest.approx(last, rel=1e-9)
