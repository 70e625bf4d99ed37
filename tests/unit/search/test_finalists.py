"""Which configurations of a sweep are its best."""

from __future__ import annotations

from typing import Any

from sweeper.run import Run, RunState, StopDecision
from sweeper.search.finalists import bare, finalists


def run(id_: str, value: float | None, state: RunState = RunState.FINISHED, **more: Any) -> Run:
    params = more.pop("params", {"a": id_})
    return Run(id=id_, state=state, params=params, history=() if value is None else (value,), **more)


def test_the_best_come_first_and_the_earliest_of_equals():
    """By the goal of the metric."""
    runs = [run("x", 2.0), run("y", 1.0), run("z", 2.0)]
    assert [one.run for one in finalists(runs, "minimize", "seed")] == ["y", "x", "z"]
    assert [one.run for one in finalists(runs, "maximize", "seed")] == ["x", "z", "y"]


def test_only_what_may_be_the_best_and_has_ended_counts():
    """A failed, a killed, a running or an attached run is none; one that early termination ended did its part."""
    stop = StopDecision("stopped", "band 1")
    runs = [
        run("finished", 1.0),
        run("stopped", 2.0, RunState.KILLED, stop=stop),
        run("killed", 3.0, RunState.KILLED),
        run("failed", 4.0, RunState.FAILED),
        run("crashed", 5.0, RunState.CRASHED),
        run("running", 6.0, RunState.RUNNING),
        run("prior", 7.0, prior=True),
        run("empty", None),
    ]
    assert [one.run for one in finalists(runs, "maximize", "seed")] == ["stopped", "finished"]


def test_runs_that_differ_in_their_seed_are_one_configuration():
    """Their mean counts, so that one lucky seed is no winner; the best of them stands for it."""
    runs = [
        run("1", 0.9, params={"a": 1, "seed": 1}),
        run("2", 0.5, params={"a": 1, "seed": 2}),
        run("3", 0.8, params={"a": 2, "seed": 1}),
    ]
    first, second = finalists(runs, "maximize", "seed")
    assert (first.params, first.value, first.runs, first.run) == ({"a": 2}, 0.8, 1, "3")
    assert (second.params, second.value, second.runs, second.run) == ({"a": 1}, 0.7, 2, "1")


def test_the_leader_of_a_configuration_has_its_best_value():
    """Whichever of its runs that is; of equal ones the earliest."""
    values = [(0.5, 1), (0.9, 2), (0.9, 3), (0.1, 4)]
    runs = [run(str(seed), value, params={"a": 1, "seed": seed}) for value, seed in values]
    for goal, leader in (("maximize", "2"), ("minimize", "4")):
        (one,) = finalists(runs, goal, "seed")
        assert (one.run, one.runs, one.params) == (leader, 4, {"a": 1})
        assert one.value == sum(value for value, _ in values) / 4


def test_a_seed_is_no_part_of_a_configuration():
    """Nested ones neither."""
    assert bare({"a": 1, "train.seed": 3}, "train.seed") == {"a": 1}
