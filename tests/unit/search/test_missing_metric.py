"""Metrics that nobody logs, and what is said of them."""

from __future__ import annotations

import pytest

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import Run, RunState
from sweeper.search.missing_metric import SHOWN, missing_metrics, why_no_value

SPACE = "\nparameters: {lr: {min: 0.0, max: 1.0}}"
ONE = SweepDefinition.from_yaml("method: random\nmetric: {name: loss}" + SPACE)
TWO = SweepDefinition.from_yaml("method: bayes\nmetrics: [{name: loss}, {name: size.max}]" + SPACE)


def without(name: str = "a", *, lacks=("loss",), **kinds: str) -> Run:
    """Make a run that finished without a value."""
    return Run(id=name, state=RunState.FINISHED, lacks=lacks, logged=kinds)


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        (
            {"los": "number", "epoch": "number"},
            "run a never logged `loss`; it logged `los`, `epoch`: did you mean `los`?",
        ),
        (
            {"epoch": "number", "acc": "number"},
            "run a never logged `loss`; it logged `epoch`, `acc`: log `loss`, or name one of these as the metric",
        ),
        ({}, 'run a never logged `loss`; it logged nothing: call `run.log({"loss": value})`'),
        ({"loss": "text"}, "run a logged `loss` as text, never as a number: log `float(value)`"),
    ],
)
def test_a_missing_metric_is_told_with_what_there_is(kinds, message):
    """In one line: which run, which name, what it logged instead, and which of these was meant."""
    (missing,) = missing_metrics(ONE, [without(**kinds), without("b")])
    assert (missing.metric, missing.run, missing.message, missing.logged) == ("loss", "a", message, tuple(kinds))


def test_of_many_keys_the_one_that_was_meant_is_shown():
    """Trainers log dozens."""
    (missing,) = missing_metrics(ONE, [without(**{f"k{i}": "number" for i in range(20)}, Loss="number")])
    assert missing.meant == "Loss"
    assert (
        f"it logged `Loss`, `k0`, {', '.join(f'`k{i}`' for i in range(1, SHOWN - 1))} and 13 more: did"
        in missing.message
    )


@pytest.mark.parametrize(
    "other",
    [
        Run(id="b", state=RunState.RUNNING, history=(1.0,)),
        Run(id="b", state=RunState.FAILED, history=(1.0,)),
        Run(id="b", state=RunState.FINISHED, nonfinite=2),
    ],
)
def test_a_metric_that_somebody_has_logged_is_not_missing(other):
    """Then the name is right, and a run without it is a case of its own; an attached run proves nothing."""
    assert missing_metrics(ONE, [without(los="number"), other]) == ()
    prior = Run(id="b", state=RunState.FINISHED, history=(1.0,), prior=True)
    assert len(missing_metrics(ONE, [without(los="number"), prior])) == 1


def test_nothing_is_missing_before_a_run_has_finished():
    """Many trainers log at their end; one that failed may not have come to it."""
    assert missing_metrics(ONE, [Run(id="a", state=RunState.RUNNING), Run(id="b", state=RunState.FAILED)]) == ()


def test_of_several_metrics_each_is_named():
    """Only those that no run has; one that is summed up otherwise is told how."""
    lacking = without(lacks=("loss", "size.max"), los="number", size="number")
    missing = missing_metrics(TWO, [lacking])
    assert [entry.metric for entry in missing] == ["loss", "size.max"]
    assert missing[1].message == (
        'run a has no `size.max` in its summary: add `run.define_metric("size", summary="max")`'
    )
    assert [entry.metric for entry in missing_metrics(TWO, [lacking, without("b", lacks=("loss",), x="number")])] == [
        "loss"
    ]
    assert missing_metrics(TWO, [lacking, Run(id="b", state=RunState.FINISHED, values=(1.0, 2.0))]) == ()


def test_a_run_without_a_value_says_so():
    """With what it was, if it was no number; one that all was well with says nothing."""
    assert why_no_value(without(los="number")) == "finished without a value of `loss`"
    assert why_no_value(without(loss="text")) == "finished without a value of `loss`: it was text, no number"
    assert why_no_value(without(lacks=("a", "b"))) == "finished without a value of `a` and `b`"
    assert "NaN" in why_no_value(Run(id="a", state=RunState.FINISHED, nonfinite=1))
    assert why_no_value(Run(id="a", state=RunState.FINISHED, nonfinite=1, history=(1.0,))) == ""
