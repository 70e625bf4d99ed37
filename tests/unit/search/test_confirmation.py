"""What other seeds show: winners, noise, luck, and what cannot be said."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from sweeper.run import Goal, Run, RunState, SweepState
from sweeper.search.confirmation import Confirmation, ConfirmingRuns, Contender, confirmation

NARROW = (0.90, 0.91, 0.92, 0.91, 0.90)


def runs_of(a: Any, values: Sequence[float | None], first: int = 1001) -> list[Run]:
    """Runs of a configuration with seeds one after the other; None did not finish."""
    return [
        Run(
            id=f"{a}-{seed}",
            state=RunState.FAILED if value is None else RunState.FINISHED,
            params={"a": a, "seed": seed},
            history=() if value is None else (value,),
        )
        for seed, value in enumerate(values, start=first)
    ]


def shown(
    in_sweep: dict[Any, float],
    again: dict[Any, Sequence[float | None]],
    *,
    seeds: int = 5,
    goal: Goal = "maximize",
    state: SweepState = SweepState.RUNNING,
) -> Confirmation:
    """A sweep of one run for each configuration, and the runs of its confirmation that there are by now."""
    own = [
        Run(id=f"own-{a}", state=RunState.FINISHED, params={"a": a}, history=(value,)) for a, value in in_sweep.items()
    ]
    planned = [{"a": a, "seed": 1001 + number} for number in range(seeds) for a in again]
    made = [run for a, values in again.items() for run in runs_of(a, values)]
    one = ConfirmingRuns(sweep="c1", seed="seed", planned=planned, runs=made, state=state)
    return confirmation(sweep="s1", runs=own, confirming=[one], metric="acc", goal=goal)


def verdicts(found: Confirmation) -> dict[Any, str]:
    return {one.params["a"]: one.verdict for one in found.contenders}


def test_equal_configurations_are_noise_and_a_better_one_is_clear():
    """Two that differ by less than their seeds do cannot be told apart; what lies far behind is clearly worse."""
    found = shown(
        {1: 0.93, 2: 0.92, 3: 0.8}, {1: NARROW, 2: (0.91, 0.90, 0.91, 0.92, 0.89), 3: (0.8, 0.81, 0.8, 0.79, 0.8)}
    )
    assert verdicts(found) == {1: "first", 2: "noise", 3: "worse"}
    assert found.findings[:2] == (
        "No winner: 1 and 2 cannot be told apart, their difference may be noise.",
        "Clearly worse than 1: 3.",
    )
    found = shown({1: 0.91, 2: 0.8, 3: 0.7}, {1: NARROW, 2: [v - 0.1 for v in NARROW], 3: [v - 0.2 for v in NARROW]})
    assert verdicts(found) == {1: "best", 2: "worse", 3: "worse"}
    assert found.findings == ("1 is clearly better than 2 and 3: not by luck of the seed.",)


@pytest.mark.parametrize("state", [state for state in RunState if state is not RunState.FINISHED])
def test_only_what_finished_counts(state):
    """Whatever a run has logged so far; one that ended otherwise failed, one that goes on is to come."""
    planned = [{"a": 1, "seed": 1001}, {"a": 1, "seed": 1002}]
    runs = [replace(run, state=state) if run.id == "1-1002" else run for run in runs_of(1, (0.5, 0.9))]
    one = ConfirmingRuns(sweep="c1", seed="seed", planned=planned, runs=runs, state=SweepState.RUNNING)
    found = confirmation(sweep="s1", runs=[], confirming=[one], metric="acc", goal="maximize")
    (contender,) = found.contenders
    assert (contender.values, contender.seeds, contender.n, contender.planned) == ((0.5,), (1001,), 1, 2)
    assert (contender.failed, found.ended) == ((1, 2) if state.ended else (0, 1))


def test_low_values_are_good_where_the_goal_says_so():
    """The same numbers, turned."""
    found = shown({1: 0.1, 2: 0.2}, {1: [1 - v for v in NARROW], 2: [1.2 - v for v in NARROW]}, goal="minimize")
    assert [one.params["a"] for one in found.contenders] == [1, 2]
    assert verdicts(found) == {1: "best", 2: "worse"}


def test_a_lucky_best_is_told_from_a_good_one():
    """The best value of a sweep is the best of many draws: beside it stands what other seeds make of it."""
    found = shown({1: 0.99, 2: 0.97}, {1: NARROW, 2: [v + 0.06 for v in NARROW]})
    assert [(one.params["a"], one.in_sweep, one.lucky) for one in found.contenders] == [
        (2, 0.97, False),
        (1, 0.99, True),
    ]
    assert "The best of the sweep is 2 by its mean." in found.findings
    assert "Better in the sweep than other seeds make it, so a lucky run: 2." in found.findings


def test_there_are_hardly_ever_winners_among_equals():
    """Three configurations that differ in nothing: in at most one of 20 confirmations is one called better or worse."""
    rng = random.Random(7)
    wrong = 0
    for _ in range(400):
        again = {a: [rng.gauss(0, 1) for _ in range(5)] for a in (1, 2, 3)}
        wrong += "worse" in verdicts(shown(dict.fromkeys(again, 0.0), again)).values()
    assert wrong <= 400 * 0.06


def test_failures_and_numberless_runs_count_for_nothing():
    """Fewer seeds are left, which is said; one alone has no interval and no verdict."""
    found = shown({1: 0.9, 2: 0.8}, {1: NARROW, 2: (0.8, None, None, None, None)})
    second = found.contenders[1]
    assert (second.n, second.failed, second.mean, second.sd, second.low, second.verdict) == (
        1,
        4,
        0.8,
        None,
        None,
        "open",
    )
    assert "4 runs ended without a value and count for nothing here." in found.findings
    assert "Too few seeds to judge 2: it takes two that finished." in found.findings
    none_at_all = shown({1: 0.9}, {1: [None] * 5})
    assert (none_at_all.contenders[0].mean, none_at_all.contenders[0].verdict, none_at_all.ended) == (None, "open", 5)


def test_seeds_that_change_nothing_are_named():
    """A trainer that does not read its seed gives the same value again and again: that confirms nothing."""
    found = shown({1: 0.9, 2: 0.8}, {1: [0.9] * 5, 2: [0.8] * 5})
    assert found.findings[-1] == "Every seed gave exactly the same value: perhaps the trainer does not read `seed`."
    assert verdicts(found) == {1: "best", 2: "worse"}


def test_what_is_under_way_is_no_verdict_yet():
    """Runs to come are said, and which configurations wait for them is not taken for too few seeds."""
    found = shown({1: 0.9, 2: 0.8}, {1: (0.9,), 2: ()})
    assert (found.ended, found.planned, verdicts(found)) == (1, 10, {1: "open", 2: "open"})
    assert found.findings == ("9 of 10 runs are still to come: this may change.",)
    stopped = shown({1: 0.9, 2: 0.8}, {1: (0.9,), 2: ()}, state=SweepState.CANCELED)
    assert (stopped.ended, stopped.planned) == (1, 1)
    assert [one.params["a"] for one in stopped.contenders] == [1]


def test_one_configuration_alone_is_compared_with_nobody():
    """Its mean and interval are there."""
    found = shown({1: 0.91}, {1: NARROW})
    assert (verdicts(found), found.findings) == ({1: "alone"}, ())
    assert found.contenders[0].low < 0.908 < found.contenders[0].high


def test_seeds_of_several_confirmations_count_together():
    """A later confirmation adds to the first; a configuration whose runs are gone from the sweep stays one."""
    ended = {"seed": "seed", "state": SweepState.FINISHED}
    one = ConfirmingRuns(sweep="c1", planned=[{"a": 1, "seed": 1001}], runs=runs_of(1, [0.9]), **ended)
    two = ConfirmingRuns(sweep="c2", planned=[{"a": 1, "seed": 1002}], runs=runs_of(1, [0.8], first=1002), **ended)
    found = confirmation(sweep="s", runs=[], confirming=[one, two], metric="acc", goal="maximize")
    assert (found.sweeps, found.contenders[0].seeds, found.contenders[0].values) == (
        ("c1", "c2"),
        (1001, 1002),
        (0.9, 0.8),
    )
    assert (found.contenders[0].in_sweep, found.contenders[0].run) == (None, "")


@pytest.mark.parametrize("values", [NARROW, ()])
def test_it_is_plain_json(values):
    """For `--json` and the report."""
    told = shown({1: 0.9}, {1: values}).to_json()
    assert json.loads(json.dumps(told, allow_nan=False))["contenders"][0]["values"] == list(values)


def test_another_seed_parameter_is_another_confirmation():
    """What has run last counts, or what was registered last where nothing has run."""
    plan = {"planned": [{"a": 1, "seed": 1001}], "state": SweepState.RUNNING}
    ran = ConfirmingRuns(sweep="c1", seed="seed", runs=runs_of(1, [0.9]), **plan)
    waits = ConfirmingRuns(sweep="c2", seed="draw", runs=[], **plan)

    def weighed(*confirming: ConfirmingRuns) -> Confirmation | None:
        return confirmation(sweep="s", runs=[], confirming=confirming, metric="acc", goal="maximize")

    assert weighed(ran, waits).sweeps == ("c1",)
    assert weighed(waits).seed_parameter == "draw"
    assert weighed() is None
    assert weighed(replace(waits, state=SweepState.CANCELED)) is None


def sweep(state: SweepState, *ended: RunState) -> ConfirmingRuns:
    points = [{"a": 1, "seed": 1}, {"a": 1, "seed": 2}]
    runs = [Run(id=str(n), state=one, params=points[n]) for n, one in enumerate(ended)]
    return ConfirmingRuns(sweep="c1", seed="seed", planned=points, runs=runs, state=state)


@pytest.mark.parametrize(
    ("state", "ended", "goes_on"),
    [
        (SweepState.FINISHED, RunState.FINISHED, False),
        (SweepState.FINISHED, RunState.FAILED, False),
        (SweepState.FINISHED, RunState.CRASHED, True),
        (SweepState.FINISHED, RunState.RUNNING, True),
        (SweepState.RUNNING, RunState.FINISHED, False),
        (SweepState.CANCELED, RunState.CRASHED, False),
    ],
)
def test_a_launch_takes_up_what_lost_its_process(state, ended, goes_on):
    """A server may take a sweep for finished whose last run was killed; what failed waits for `sweeper retry`."""
    assert sweep(state, RunState.FINISHED, ended).goes_on is goes_on


@pytest.mark.parametrize("state", [SweepState.PENDING, SweepState.RUNNING, SweepState.PAUSED])
def test_runs_that_were_not_given_out_yet_are_to_come(state):
    """Of a sweep that was stopped or canceled they are not."""
    assert sweep(state, RunState.FINISHED).goes_on
    assert not sweep(SweepState.FINISHED, RunState.FINISHED).goes_on


def test_what_people_read_of_a_contender():
    """A dash for no interval, seeds of how many, and only what differs names them."""
    one = Contender(params={"a": 1, "b": 2}, n=2, planned=3, low=0.12345, high=0.5)
    assert (one.interval, one.of_seeds, one.words) == ("0.1235 to 0.5", "2 of 3", "too few seeds")
    assert (Contender(params={}).interval, Contender(params={}).of_seeds) == ("-", "0")
    assert shown({1: 0.9, 2: 0.8}, {1: NARROW, 2: NARROW}).varying == ("a",)
    assert shown({1: 0.9}, {1: NARROW}).varying == ("a",)
