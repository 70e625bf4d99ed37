"""Which runs are missing until a sweep is confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from sweeper.backend.sweep_view import SweepView
from sweeper.definition.confirming import planned
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import ResultError
from sweeper.ref import SweepRef
from sweeper.results.confirm_plan import ConfirmPlan, check, plan
from sweeper.run import Run, RunState, SweepState
from sweeper.search.confirmation import ConfirmingRuns

FILE = SweepDefinition.from_yaml(
    "method: random\nmetric: {name: loss}\nparameters: {a: {min: 1, max: 9}, b: {value: x}}"
)


def run(params: dict[str, Any], value: float = 0.5, state: RunState = RunState.FINISHED) -> Run:
    return Run(id="-".join(map(str, params.values())), state=state, params=params, history=(value,))


def view(runs: Sequence[Run], state: SweepState = SweepState.FINISHED, sweep: str = "s1", **more: Any) -> SweepView:
    ref = SweepRef("local", "p", sweep)
    return SweepView(ref=ref, definition=FILE, url="", state=state, runs=tuple(runs), **more)


RUNS = [run({"a": 1, "b": "x"}, 0.3), run({"a": 2, "b": "x"}, 0.1), run({"a": 3, "b": "x"}, 0.2)]


def asked(runs: Sequence[Run] = RUNS, earlier: Sequence[ConfirmingRuns] = (), **more: Any) -> ConfirmPlan:
    given = {"seed": "seed", "top": 2, "seeds": 2, "config": {}, "together": True, **more}
    return plan(view(runs), given.pop("definition", FILE), earlier, **given)


def points(found: ConfirmPlan) -> list[tuple[int, int]]:
    return [(point["a"], point["seed"]) for new in found.new for point in planned(new)]


def registered(found: ConfirmPlan, ran: int, state: SweepState = SweepState.RUNNING) -> ConfirmingRuns:
    """The sweep of a plan, of which the first runs are made."""
    every = planned(found.new[0])
    made = [run(dict(one)) for one in every[:ran]]
    return ConfirmingRuns(sweep="c1", seed="seed", planned=every, runs=made, state=state)


def test_the_best_get_seeds_that_they_have_not_had():
    """Each configuration with each seed once, a round of all after the other; nothing is open yet."""
    found = asked()
    assert points(found) == [(2, 1001), (3, 1001), (2, 1002), (3, 1002)]
    assert ([one.params["a"] for one in found.finalists], found.seeds, found.open) == ([2, 3], (2, 2), ())


def test_seeds_that_were_seen_are_not_given_again():
    """Neither those of the sweep's own runs nor what their trainer wrote into the config."""
    runs = [run({**one.params, "seed": 1001}) for one in RUNS]
    definition = SweepDefinition.from_yaml(
        "method: random\nmetric: {name: loss}\nparameters: {a: {min: 1, max: 9}, b: {value: x}, seed: {value: 1001}}"
    )
    assert points(asked(runs, definition=definition, top=1)) == [(1, 1002), (1, 1003)]
    assert points(asked(config={"seed": 1002}, top=1)) == [(2, 1001), (2, 1003)]


def test_where_nobody_knows_our_keys_each_configuration_gets_a_grid():
    """The same runs, in one sweep for each."""
    found = asked(together=False)
    assert [new.method for new in found.new] == ["grid", "grid"]
    assert points(found) == [(2, 1001), (2, 1002), (3, 1001), (3, 1002)]


@pytest.mark.parametrize("ran", [0, 1, 4])
def test_the_same_question_again_registers_nothing(ran):
    """A command that was killed goes on with what it had registered; when all is done, nothing is left to do."""
    before = registered(asked(), ran, SweepState.RUNNING if ran < 4 else SweepState.FINISHED)
    found = asked(earlier=[before])
    assert (found.new, found.seeds, found.open) == ((), (0, 0), () if ran == 4 else (before,))


def test_more_seeds_and_more_configurations_are_added():
    """What ran counts; only the difference is registered."""
    done = registered(asked(), 4, SweepState.FINISHED)
    assert points(asked(earlier=[done], seeds=3)) == [(2, 1003), (3, 1003)]
    assert points(asked(earlier=[done], top=3)) == [(1, 1001), (1, 1002)]


def test_what_a_canceled_confirmation_never_ran_is_made_up_for():
    """Its runs count, and its seeds are not given again."""
    canceled = registered(asked(), 1, SweepState.CANCELED)
    assert points(asked(earlier=[canceled])) == [(2, 1003), (3, 1003), (3, 1004)]


def test_what_the_file_no_longer_holds_is_not_run():
    """A sweep of our server has to have the parameters in its space; a grid of constants does not care."""
    runs = [run({"a": 50, "b": "x"}, 0.0), *RUNS]
    assert [one.params["a"] for one in asked(runs).finalists] == [2, 3]
    assert [one.params["a"] for one in asked(runs, together=False).finalists] == [50, 2]
    with pytest.raises(ResultError, match="no longer has what its runs were given"):
        asked(runs[:1])


SCHEDULED = "method: custom\nrun_cap: 2\nscheduler: {engine: optuna}\nmetric: {name: m}\n"


@pytest.mark.parametrize(
    ("text", "more", "words"),
    [
        ("method: grid\n", {}, "has no metric"),
        ("method: bayes\nmetrics: [{name: one}, {name: two}]\n", {}, "has several metrics (one, two)"),
        (SCHEDULED, {}, "has a scheduler of its own"),
        ("method: grid\nmetric: {name: m}\n", {"confirms": "s0"}, "itself confirms sweep s0"),
        (
            "method: grid\nmetric: {name: m}\n",
            {"runs": []},
            "no run of sweep local/p/s1 has finished with a value of m",
        ),
    ],
)
def test_what_cannot_be_confirmed_is_refused_with_a_way_out(text, more, words):
    """Before anything is registered."""
    definition = SweepDefinition.from_yaml(text + "parameters: {a: {values: [1, 2]}}")
    with pytest.raises(ResultError) as caught:
        check(view(more.pop("runs", RUNS), **more), definition)
    assert words in caught.value.message
    assert caught.value.hint
    check(view(RUNS), FILE)
