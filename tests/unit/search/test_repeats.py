"""Several runs of each configuration: their counts and their mean."""

from __future__ import annotations

from typing import Any

import pytest

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import Run, RunState
from sweeper.search import repeats
from sweeper.search.repeats import averaged

PARAMETERS = "parameters: {a: {values: [1, 2, 3]}, b: {values: [x, y]}, c: {min: 1, max: 4}}\n"


def define(method: str, beyond: str) -> SweepDefinition:
    return SweepDefinition.from_yaml(f"method: {method}\nmetric: {{name: m}}\n{PARAMETERS}sweeper: {beyond}\n")


def run(number: object, value: float | None = 0.5, *, prior: bool = False, **params: Any) -> Run:
    state = RunState.RUNNING if value is None else RunState.FINISHED
    return Run(id=str(number), state=state, params=params, history=() if value is None else (value,), prior=prior)


@pytest.mark.parametrize("count", ["", ", repeat_parameter: fold"])
def test_a_search_learns_from_the_mean_of_the_repeats(count):
    """One lucky run does not make a configuration the best; a failed one does not make it the worst."""
    definition = define("bayes", "{repeats: 3" + count + "}")
    fold = [{"fold": n} if count else {} for n in (1, 2, 3)]
    runs = [run(n, value, a=1, **fold[n]) for n, value in enumerate([0.0, 4.0, 5.0])]
    runs += [run(3, 2.0, a=2, **fold[0]), Run(id="4", state=RunState.FAILED, params={"a": 2, **fold[1]})]
    runs += [run(5, 1.0, a=3, **fold[0]), run(6, None, a=3, **fold[1])]
    assert [(run.params, run.state, run.history) for run in averaged(definition, runs)] == [
        ({"a": 1}, RunState.FINISHED, (3.0,)),
        ({"a": 2}, RunState.FINISHED, (2.0,)),
        ({"a": 3}, RunState.FINISHED, (1.0,)),
    ]


def test_repeats_without_any_value_keep_the_search_away():
    """Running, they are a pending place; failed, a failure."""
    definition = define("bayes", "{repeats: 2}")
    failed = Run(id="0", state=RunState.FAILED, params={"a": 1})
    assert [r.state for r in averaged(definition, [failed, run(1, None, a=1)])] == [RunState.RUNNING]
    assert [r.state for r in averaged(definition, [failed, failed])] == [RunState.FAILED]


def test_of_several_metrics_each_counts_with_its_mean():
    """A configuration that was run twice counts as one run with the mean of each metric."""
    twice = SweepDefinition.from_yaml(
        "method: custom\nmetrics: [{name: a}, {name: b, goal: maximize}]\nsweeper: {repeats: 2}\n"
        "parameters: {x: {min: 0.0, max: 1.0}, y: {min: 0.0, max: 1.0}}"
    )
    point = {"x": 0.5, "y": 0.5}
    pair = [Run(id=str(n), state=RunState.FINISHED, params=point, values=(n, 2.0 * n)) for n in (1, 2)]
    (run,) = repeats.averaged(twice, pair)
    assert run.values == (1.5, 3.0)


def test_the_first_configuration_that_lacks_runs_comes_next():
    """With the next count; a run under way has its count already."""
    definition = define("random", "{repeats: 2, repeat_parameter: fold}")
    rest = {"b": "x", "c": 2}
    runs = [run(0, a=1, fold=1, **rest), run(1, a=2, fold=1, **rest), run(2, None, a=1, fold=2, **rest)]
    assert repeats.next_repeat(definition, runs) == {"a": 2, "fold": 2, **rest}
    assert repeats.next_repeat(definition, [*runs, run(3, None, a=2, fold=2, **rest)]) is None


def test_a_count_that_was_freed_is_given_again_and_no_other_twice():
    """A run that was deleted leaves its count to the next one."""
    definition = define("random", "{repeats: 3, repeat_parameter: fold}")
    rest = {"a": 1, "b": "x", "c": 2}
    assert repeats.next_repeat(definition, [run(0, fold=1, **rest), run(1, fold=3, **rest)]) == {"fold": 2, **rest}


def test_what_an_edited_file_holds_no_more_gets_no_further_run():
    """A configuration with a dropped value, or one that has had its runs: they stay, and do not count."""
    definition = define("random", "{repeats: 2}")
    rest = {"b": "x", "c": 2}
    runs = [run(0, a=9, **rest), run(1, a=1, **rest), run(2, a=1, **rest), run(3, a=1, **rest)]
    assert repeats.next_repeat(definition, runs) is None
    assert repeats.beyond(definition, runs) == [True, False, False, True]


def test_every_run_that_was_asked_for_is_no_more_than_asked():
    """As many of each configuration as the file says; a prior name for the count is no part of it."""
    definition = define("random", "{repeats: 2, repeat_parameter: fold}")
    rest = {"b": "x", "c": 2}
    runs = [run(n, a=a, fold=fold, **rest) for n, (a, fold) in enumerate([(1, 1), (2, 1), (1, 2), (2, 2), (1, 1)])]
    assert repeats.beyond(definition, runs) == [False, False, False, False, True]
    assert repeats.beyond(define("random", "{}"), [run(0, a=1, **rest), run(1, a=1, **rest)]) == [False, True]
    assert repeats.next_repeat(definition, []) is None
    grouped = repeats.groups(definition, runs)
    assert [[one.id for one in group] for group in grouped] == [["0", "2", "4"], ["1", "3"]]
    assert [group[0].params for group in grouped] == [{"a": 1, **rest}, {"a": 2, **rest}]


def test_a_first_count_that_was_freed_comes_before_a_new_one():
    """Counts begin with 1, and end with the number of repeats."""
    definition = define("random", "{repeats: 3, repeat_parameter: fold}")
    rest = {"a": 1, "b": "x", "c": 2}
    assert repeats.next_repeat(definition, [run(0, fold=2, **rest)]) == {"fold": 1, **rest}
    assert repeats.next_repeat(definition, [run(0, fold=1, **rest), run(1, fold=2, **rest)]) == {"fold": 3, **rest}
    assert repeats.counted(definition, {"a": 1}, 2) == {"a": 1, "fold": 2}


def test_only_what_has_ended_is_averaged():
    """A value that may still change is none; a stopped run's counts, several metrics too."""
    definition = define("bayes", "{repeats: 3}")
    killed = Run(id="k", state=RunState.KILLED, params={"a": 1}, history=(3.0,))
    running = Run(id="r", state=RunState.RUNNING, params={"a": 1}, history=(100.0,))
    (mean,) = averaged(definition, [running, killed, run(1, 1.0, a=1)])
    assert (mean.id, mean.state, mean.history) == ("r", RunState.FINISHED, (2.0,))
    (alone,) = averaged(definition, [running])
    assert alone == running
    pair = [
        Run(id=str(n), state=state, params={"a": 1}, values=(n, 1.0))
        for n, state in enumerate([RunState.RUNNING, RunState.FINISHED])
    ]
    assert averaged(definition, pair)[0].values == (1.0, 1.0)


def test_without_a_name_for_the_count_nothing_is_written():
    """The trainer gets the same parameters each time."""
    assert repeats.counted(define("random", "{repeats: 2}"), {"a": 1}, 2) == {"a": 1}
