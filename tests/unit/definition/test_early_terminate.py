"""The rules of early termination: their rungs, when they judge, and what is no rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sweeper.definition.early_terminate import Asha, BeyondWandb, Hyperband, Median, Missed, Reached, StoppingRule

ASHA = Asha(type="asha", min_iter=1, eta=3)
MEDIAN = Median(type="median", warm_up=1, min_runs=3, percentile=50)
HYPERBAND = Hyperband(type="hyperband", min_iter=1)


def test_asha_has_no_rung_at_the_length_of_a_whole_run():
    """The last value of a whole run is not worth a judgement."""
    assert Asha(type="asha", min_iter=1, max_iter=27, eta=3).rungs() == (1, 3, 9)
    assert Asha(type="asha", min_iter=1, eta=3).rungs()[:4] == (1, 3, 9, 27)
    assert Asha(type="asha", min_iter=1, eta=1.2).rungs()[:4] == (1, 2, 3, 4)


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
    assert Hyperband(type="hyperband", **rule).rungs()[: len(expected)] == expected


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
    found = Hyperband(type="hyperband", **rule).rungs()
    assert len(found) == count
    assert found[-1] == pytest.approx(last, rel=1e-9)


def test_a_rule_that_judges_at_every_value_has_no_rungs():
    """The median waits for its warm-up, and then looks at each value; its table shows no ladder."""
    assert (MEDIAN.rungs(), MEDIAN.first_judged(), MEDIAN.rungs_text()) == ((), 2, "")


class AtEveryValue(StoppingRule):
    """A rule that says no more than it must."""

    type: str = "at-every-value"

    def rungs(self) -> tuple[int, ...]:
        """None."""
        return ()


def test_a_rule_without_rungs_judges_from_the_first_value_on():
    """Whoever adds one need not say so: a run that logs nothing but NaN would find no rung to stop at."""
    assert AtEveryValue().first_judged() == 1


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (HYPERBAND, ", ... logged values; about 1 in 3 goes on"),
        (Hyperband(type="hyperband", max_iter=27, s=2), " logged values; about 1 in 3 goes on"),
        (Asha(type="asha", min_iter=1, max_iter=9, eta=2.5), " logged values; about 1 in 2.5 goes on"),
    ],
)
def test_a_ladder_says_whether_it_ends_and_who_goes_on(rule, text):
    """Only a ladder without a top is shown as going on."""
    assert rule.rungs_text() == text


def at(value: float, best: float | None = None):
    """A run that had this value, and this best one, wherever it is looked at."""
    return lambda _: Reached(value, value if best is None else best)


@pytest.mark.parametrize("rule", [HYPERBAND, ASHA, MEDIAN], ids=["hyperband", "asha", "median"])
@pytest.mark.parametrize("worse", [0.0, 5e-324, 1e-9])
def test_a_tie_goes_on(rule, worse):
    """What is as good as the worst that may go on goes on; what is the least bit worse does not."""
    others = [Reached(0.0, 0.0)] * 9
    assert (rule.missed(3, at(worse), lambda _: others) is None) is (worse == 0.0)


def test_wandbs_rule_compares_values_at_the_highest_rung_that_was_reached():
    """The others are looked up there, the run's own best only where the file says so."""
    asked: list[int] = []

    def others_at(rung: int) -> list[Reached]:
        asked.append(rung)
        return [Reached(1.0, 0.0)] * 5

    ladder = Hyperband(type="hyperband", min_iter=2, eta=3)
    assert ladder.missed(1, at(9.0), others_at) is None
    assert asked == []
    assert ladder.missed(17, at(9.0, 0.5), others_at) == Missed(6, 9.0, 1.0, 6, "the best 1/3 of 6 runs")
    assert ladder.missed(18, at(0.9, 0.5), others_at) is None
    assert asked == [6, 18]
    lenient = Hyperband(type="hyperband", min_iter=2, strict=False)
    assert lenient.missed(6, at(9.0, 1.0), others_at) is None
    assert lenient.missed(6, at(9.0, 1.5), others_at).value == 1.5


def test_the_median_waits_for_its_warm_up_and_for_company():
    """At the last value of the warm-up nobody is judged; with one run less than wanted neither."""
    others = [Reached(0.0, 0.0)] * 3
    patient = Median(type="median", warm_up=4, min_runs=3, percentile=50)
    assert patient.missed(4, at(9.0), lambda _: others) is None
    assert patient.missed(5, at(9.0), lambda _: others[:2]) is None
    assert patient.missed(5, at(9.0), lambda _: others) == Missed(5, 9.0, 0.0, 4, "the best 50% of 4 runs")
    assert patient.first_judged() == 5


def test_what_is_not_written_is_what_was_measured():
    """W&B's own defaults for its rule, and ours for ours."""
    assert (HYPERBAND.eta, HYPERBAND.strict, HYPERBAND.s) == (3, True, None)
    assert (Asha(type="asha", min_iter=1).eta, Asha(type="asha", min_iter=1).max_iter) == (5, None)
    median = Median(type="median")
    assert (median.warm_up, median.min_runs, median.percentile) == (1, 5, 33)


@pytest.mark.parametrize(
    ("rule", "well"),
    [
        ({"type": "hyperband", "min_iter": 1, "eta": 1}, False),
        ({"type": "hyperband", "min_iter": 1, "eta": 1.01}, True),
        ({"type": "hyperband"}, False),
        ({"type": "hyperband", "max_iter": 9}, False),
        ({"type": "hyperband", "max_iter": 3, "s": 1, "eta": 3}, True),
        ({"type": "hyperband", "max_iter": 2, "s": 1, "eta": 3}, False),
        ({"type": "asha", "min_iter": 8, "max_iter": 9}, True),
        ({"type": "asha", "min_iter": 10, "max_iter": 9}, False),
        ({"type": "median", "percentile": 0}, False),
        ({"type": "median", "percentile": 0.1}, True),
        ({"type": "median", "percentile": 99.9}, True),
        ({"type": "median", "warm_up": 0}, True),
        ({"type": "median", "warm_up": -1}, False),
        ({"type": "median", "min_runs": 1}, True),
    ],
)
def test_limits_of_the_keys(rule, well):
    """Each with the value beside it that is taken."""
    try:
        TypeAdapter(BeyondWandb | Hyperband).validate_python(rule)
    except ValidationError:
        assert not well
    else:
        assert well


@pytest.mark.parametrize("rule", [HYPERBAND, ASHA, MEDIAN], ids=["hyperband", "asha", "median"])
def test_a_rule_compares_losses_with_those_of_the_others(rule):
    """The best of nine goes on and the worst is stopped, with the comparison that it failed."""
    others = [Reached(float(value), float(value)) for value in range(1, 9)]
    assert rule.missed(3, lambda _: Reached(0.0, 0.0), lambda _: others) is None
    missed = rule.missed(3, lambda _: Reached(9.0, 9.0), lambda _: others)
    assert isinstance(missed, Missed)
    assert (missed.rung, missed.value, missed.n) == (3, 9.0, 9)
    assert missed.threshold < missed.value
