"""Early termination: who is stopped by which rule, runs without a number, and decisions as records."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.definition.early_terminate import Asha, Hyperband, Median, Reached, StoppingRule
from sweeper.definition.metric import Metric
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import Run, RunState
from sweeper.search import stop_decision
from sweeper.search.stop_decision import Judged, judge

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


def test_an_aggregate_is_judged_as_it_was_at_the_rung():
    """By the mean of the values until then, say, and not by the value that came last."""
    early = Asha(type="asha", min_iter=2, eta=3)
    averaged = definition(early).model_copy(update={"metric": Metric(name="loss.mean", goal="minimize")})
    peers = [replace(run(str(n), 0.5, 0.5, 9.0), aggregate=3.3) for n in range(3)]
    dipped, risen = (replace(run("r", *values), aggregate=sum(values) / 2) for values in ((2.0, 0.1), (0.1, 0.6)))
    assert stop_decision(averaged, dipped, peers)
    assert stop_decision(averaged, risen, peers) is None


def test_asha_judges_at_rungs_only():
    """Between two rungs nobody is stopped, however bad; W&B's rule judges there by the rung before."""
    peers = [run(str(n), 0.1, 0.1) for n in range(6)]
    late = run("late", 9.0, 9.0)
    assert stop_decision(definition(HYPERBAND), late, peers)
    assert stop_decision(definition(ASHA), late, peers) is None
    assert stop_decision(definition(ASHA), run("late", 9.0), peers)


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


def test_without_a_rule_nobody_is_stopped():
    """However bad a run is, and if it logs NaN alone."""
    plain = SweepDefinition.model_validate(
        {"method": "random", "parameters": {"x": {"min": 0.0, "max": 1.0}}, "metric": {"name": "loss"}}
    )
    peers = [run(str(n), 0.1) for n in range(9)]
    assert stop_decision(plain, run("r", 9.0), peers) is None
    assert stop_decision(plain, run("r", nonfinite=99), peers) is None


def test_nan_of_every_kind_counts_towards_the_first_rung():
    """What the server counted apart and what a history still holds, together."""
    three = definition(Hyperband(type="hyperband", min_iter=3))
    assert stop_decision(three, run("r", math.nan, math.inf, nonfinite=1), [])
    assert stop_decision(three, run("r", math.nan, nonfinite=1), []) is None
    unheard = Judged(id="r", before=0, now=0, at=lambda _: pytest.fail("it has logged nothing"))
    assert judge(definition(HYPERBAND), unheard, lambda _: []) is None


def test_a_run_is_no_peer_of_its_own():
    """It counts once, in the list or not."""
    peers = [run("a", 0.1), run("b", 0.2), run("r", 0.9)]
    decisions = [stop_decision(definition(HYPERBAND), peers[2], some) for some in (peers, peers[:2])]
    assert decisions[0] == decisions[1]
    assert decisions[0].n == 3


@pytest.mark.parametrize("state", list(RunState))
def test_peers_count_in_every_state(state):
    """What a run had logged by the rung stays true, whatever became of it; one that came not so far does not count."""
    peers = [run(str(n), 0.1, 0.1, state=state) for n in range(3)]
    two = definition(Hyperband(type="hyperband", min_iter=2))
    assert stop_decision(two, run("r", 9.0, 9.0), peers).n == 4
    assert stop_decision(two, run("r", 9.0, 9.0), [run(str(n), 0.1, state=state) for n in range(3)]) is None


def test_every_rung_since_the_last_delivery_is_judged():
    """Several values may come at once: a run that was bad at a rung between is stopped by that one."""
    peers = [run(str(n), *[0.1] * 9) for n in range(6)]
    late = Judged(id="r", before=0, now=9, at=lambda n: _at([0.1, 0.1, 9.0, *[0.05] * 6], n))
    decision = judge(
        definition(Asha(type="asha", min_iter=1, eta=3)), late, lambda n: [_at(p.history, n) for p in peers]
    )
    assert decision is None  # its best value counts
    bad = Judged(id="r", before=0, now=9, at=lambda n: _at([*[9.0] * 3, *[0.05] * 6], n))
    decision = judge(
        definition(Asha(type="asha", min_iter=3, eta=3)), bad, lambda n: [_at(p.history, n) for p in peers]
    )
    assert (decision.rung, decision.value) == (3, 9.0)
    heard = Judged(id="r", before=3, now=8, at=bad.at)
    assert (
        judge(definition(Asha(type="asha", min_iter=3, eta=3)), heard, lambda n: [_at(p.history, n) for p in peers])
        is None
    )


def _at(history, n: int) -> Reached:
    return Reached(history[n - 1], min(history[:n]))


def test_a_decision_is_a_record():
    """Rule, rung, value, threshold and number of runs are there as numbers, in the metric's own sign."""
    peers = [run(str(n), float(n)) for n in range(6)]
    decision = stop_decision(definition(ASHA, "maximize"), peers[1], peers)
    assert decision is not None
    assert (decision.rule, decision.rung, decision.value, decision.threshold, decision.n) == ("asha", 1, 1.0, 4.0, 6)
    assert decision.reason == "asha rung 1: loss 1 < 4, the best 1/3 of 6 runs"


@pytest.mark.parametrize(("runs", "kept"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 2), (6, 3), (7, 3)])
def test_the_best_third_and_one_more_are_kept(runs, kept):
    """At eta 3, floor(n / 3) + 1 of n runs go on."""
    peers = [run(str(value), float(value)) for value in range(runs)]
    stopped = [peer for peer in peers if stop_decision(definition(HYPERBAND), peer, peers)]
    assert len(stopped) == runs - kept
    assert {peer.id for peer in stopped} == {str(value) for value in range(kept, runs)}


def test_maximizing_keeps_the_largest():
    """The threshold is negated with the goal."""
    peers = [run("low", 0.1), run("mid", 0.5), run("high", 0.9), run("top", 0.95)]
    stopped = {
        peer.id
        for peer in peers
        if stop_decision(definition(Hyperband(type="hyperband", min_iter=1), "maximize"), peer, peers)
    }
    assert stopped == {"low", "mid"}


def test_strict_judges_the_value_at_the_rung():
    """A run that dips at the rung is stopped when strict, kept on its best when not."""
    good = [run(f"g{n}", 0.4, 0.3 + n / 100, state=RunState.FINISHED) for n in range(3)]
    dipped = run("d", 0.1, 0.9)
    assert stop_decision(definition(Hyperband(type="hyperband", min_iter=2, strict=True)), dipped, good)
    assert not stop_decision(definition(Hyperband(type="hyperband", min_iter=2, strict=False)), dipped, good)


def test_a_decision_gives_its_reason_in_numbers():
    """Rung, value, threshold and the number of runs are all there."""
    peers = [run("a", 1.0, 0.25), run("b", 1.0, 0.5), run("c", 1.0, 0.75)]
    decision = stop_decision(definition(Hyperband(type="hyperband", min_iter=2)), peers[2], peers)
    assert decision is not None
    assert decision.run_id == "c"
    assert all(part in decision.reason for part in ("rung 2", "loss 0.75", "> 0.5", "3 runs"))


@pytest.mark.parametrize("state", [state for state in RunState if state is not RunState.RUNNING])
def test_only_running_runs_are_stopped(state):
    """A run in any other state is left alone, however bad."""
    peers = [run("a", 0.1), run("b", 0.2), run("c", 0.3)]
    assert stop_decision(definition(HYPERBAND), run("d", 9.0, state=state), peers) is None


def test_nobody_is_stopped_before_the_first_rung():
    """Two values do not reach min_iter 3."""
    peers = [run("a", 0.1, 0.1), run("b", 9.0, 9.0)]
    assert stop_decision(definition(Hyperband(type="hyperband", min_iter=3)), peers[1], peers) is None


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=12))
def test_a_better_run_is_never_stopped_before_a_worse_one(values):
    """At the same rung, whoever is stopped is worse than everyone who is not."""
    peers = [run(str(n), value) for n, value in enumerate(values)]
    stopped = [p.history[0] for p in peers if stop_decision(definition(HYPERBAND), p, peers)]
    kept = [p.history[0] for p in peers if not stop_decision(definition(HYPERBAND), p, peers)]
    assert kept
    assert max(kept) < min(stopped, default=float("inf"))
