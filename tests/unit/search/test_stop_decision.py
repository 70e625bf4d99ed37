"""Early termination beyond W&B's rule: ASHA, the median, runs without a number, and decisions as records."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sweeper.definition.early_terminate import Asha, BeyondWandb, Hyperband, Median, StoppingRule
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import Run, RunState
from sweeper.search import stop_decision

ASHA = Asha(type="asha", min_iter=1, eta=3)
MEDIAN = Median(type="median", warm_up=1, min_runs=3, percentile=50)
HYPERBAND = Hyperband(type="hyperband", min_iter=1)


def definition(rule: StoppingRule, goal: str = "minimize") -> SweepDefinition:
    given = {"early_terminate": rule.model_dump(exclude_unset=True)}
    return SweepDefinition.model_validate(
        {
            "method": "random",
            "parameters": {"x": {"min": 0.0, "max": 1.0}},
            "metric": {"name": "loss", "goal": goal},
            **(given if isinstance(rule, Hyperband) else {"sweeper": given}),
        }
    )


def run(name: str, *history: float, state: RunState = RunState.RUNNING, nonfinite: int = 0) -> Run:
    return Run(id=name, state=state, history=history, nonfinite=nonfinite)


@pytest.mark.parametrize(("runs", "kept"), [(1, 1), (2, 1), (4, 1), (5, 2), (7, 2), (9, 3), (10, 3)])
def test_asha_keeps_the_best_third_and_not_one_more(runs, kept):
    """At eta 3, as many of n runs as come nearest to n / 3 pass a rung, at least one."""
    peers = [run(str(value), float(value)) for value in range(runs)]
    stopped = {peer.id for peer in peers if stop_decision(definition(ASHA), peer, peers)}
    assert stopped == {str(value) for value in range(kept, runs)}


def test_asha_judges_at_rungs_only():
    """Between two rungs nobody is stopped, however bad; W&B's rule judges there by the rung before."""
    peers = [run(str(n), 0.1, 0.1) for n in range(6)]
    late = run("late", 9.0, 9.0)
    assert stop_decision(definition(HYPERBAND), late, peers)
    assert stop_decision(definition(ASHA), late, peers) is None
    assert stop_decision(definition(ASHA), run("late", 9.0), peers)


def test_asha_has_no_rung_at_the_length_of_a_whole_run():
    """The last value of a whole run is not worth a judgement."""
    assert Asha(type="asha", min_iter=1, max_iter=27, eta=3).rungs() == (1, 3, 9)
    assert Asha(type="asha", min_iter=1, eta=3).rungs()[:4] == (1, 3, 9, 27)
    assert Asha(type="asha", min_iter=1, eta=1.2).rungs()[:4] == (1, 2, 3, 4)


@pytest.mark.parametrize("goal", ["minimize", "maximize"])
def test_the_median_stops_the_worse_half(goal):
    """By the best values so far, worse than the better half is stopped; as good as its worst goes on."""
    worse = 9.0 if goal == "minimize" else -9.0
    peers = [run(str(n), float(n), worse) for n in range(6)]
    stopped = {peer.id for peer in peers if stop_decision(definition(MEDIAN, goal), peer, peers)}
    assert stopped == ({"3", "4", "5"} if goal == "minimize" else {"0", "1", "2"})


def test_the_median_waits_for_iterations_and_for_runs():
    """In the warm-up, or with too few others to compare with, nobody is stopped."""
    peers = [run(str(n), 0.1, 0.1) for n in range(3)]
    assert stop_decision(definition(MEDIAN), run("r", 9.0), peers) is None
    assert stop_decision(definition(MEDIAN), run("r", 9.0, 9.0), peers[:2]) is None
    assert stop_decision(definition(MEDIAN), run("r", 9.0, 9.0), peers)


@pytest.mark.parametrize("rule", [ASHA, MEDIAN], ids=["asha", "median"])
def test_a_dip_stops_nobody_beyond_wandbs_rule(rule):
    """A run that was best and is bad at the rung goes on, for its best value is what counts."""
    peers = [run(str(n), 0.5, 0.5, 0.5) for n in range(6)]
    dipped = run("r", 0.1, 0.1, 9.0)
    assert stop_decision(definition(rule), dipped, peers) is None
    assert stop_decision(definition(Hyperband(type="hyperband", min_iter=3)), dipped, peers)


@pytest.mark.parametrize(
    ("rule", "before", "now", "at"),
    [
        (ASHA, 0, 1, (1,)),
        (ASHA, 1, 2, ()),
        (ASHA, 0, 10, (1, 3, 9)),
        (ASHA, 3, 3, ()),
        (MEDIAN, 2, 5, (5,)),
        (MEDIAN, 5, 5, ()),
        (HYPERBAND, 2, 5, (5,)),
        (HYPERBAND, 5, 5, (5,)),
    ],
)
def test_each_rung_is_judged_once_even_if_several_arrive_together(rule, before, now, at):
    """A delivery may hold several rungs, each judged by itself; only W&B's rule looks again without a new value."""
    assert rule.judged_at(before, now) == at


@given(st.lists(st.integers(0, 5), max_size=12))
def test_however_values_are_delivered_asha_judges_the_same_iterations(sizes):
    """Cut into deliveries in any way, the judged iterations are the rungs, each once."""
    seen, before = [], 0
    for size in sizes:
        seen += ASHA.judged_at(before, before + size)
        before += size
    assert seen == [rung for rung in ASHA.rungs() if rung <= before]


@pytest.mark.parametrize(
    ("rule", "first"),
    [(Hyperband(type="hyperband", min_iter=3), 3), (Asha(type="asha", min_iter=3), 3), (MEDIAN, 2)],
    ids=["hyperband", "asha", "median"],
)
def test_a_run_that_logs_only_nan_is_stopped_at_its_first_rung(rule, first):
    """As many values as the first rung and no finite one: the run goes; one finite number keeps it."""
    assert stop_decision(definition(rule), run("r", nonfinite=first - 1), []) is None
    decision = stop_decision(definition(rule), run("r", nonfinite=first), [])
    assert decision is not None
    assert (decision.rung, decision.value, decision.threshold) == (first, None, None)
    assert f"loss was NaN or infinite all {first} times" in decision.reason
    assert stop_decision(definition(rule), run("r", 1.0, nonfinite=100), []) is None
    assert stop_decision(definition(rule), run("r", nonfinite=100, state=RunState.FINISHED), []) is None


def test_nan_in_a_history_counts_as_no_iteration():
    """A history that was not cleaned is judged like one that was."""
    nan = math.nan
    peers = [run("a", nan, 1.0), run("b", 2.0, nan), run("c", nan, nan)]
    stopped = {peer.id: stop_decision(definition(HYPERBAND), peer, peers) for peer in peers}
    assert [name for name, decision in stopped.items() if decision] == ["b", "c"]
    assert stopped["b"].n == 2


def test_a_decision_is_a_record():
    """Rule, rung, value, threshold and number of runs are there as numbers, in the metric's own sign."""
    peers = [run(str(n), float(n)) for n in range(6)]
    decision = stop_decision(definition(ASHA, "maximize"), peers[1], peers)
    assert decision is not None
    assert (decision.rule, decision.rung, decision.value, decision.threshold, decision.n) == ("asha", 1, 1.0, 4.0, 6)
    assert decision.reason == "asha rung 1: loss 1 < 4, the best 1/3 of 6 runs"


@pytest.mark.parametrize(
    "rule",
    [
        {"type": "asha"},
        {"type": "asha", "min_iter": 0},
        {"type": "asha", "min_iter": 9, "max_iter": 9},
        {"type": "asha", "min_iter": 1, "eta": 1},
        {"type": "median", "min_runs": 0},
        {"type": "median", "percentile": 100},
        {"type": "median", "min_iter": 1},
        {"type": "hyperband", "min_iter": 1},
    ],
)
def test_a_rule_that_cannot_work_is_refused(rule):
    """Missing first rung, no rung at all, no survivors, unknown keys, and W&B's own rule under our key."""
    with pytest.raises(ValidationError):
        TypeAdapter(BeyondWandb).validate_python(rule)
