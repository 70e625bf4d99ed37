"""The keys of a sweep file: which go together, each pair judged by itself."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sweeper.definition.sweep_definition import SweepDefinition

SPACE = {"parameters": {"x": {"min": 0.0, "max": 1.0}}}


def faults(**keys: object) -> set[str]:
    with pytest.raises(ValidationError) as caught:
        SweepDefinition.model_validate({**SPACE, **keys})
    return {error["msg"] for error in caught.value.errors()}


def test_everything_that_a_scheduler_excludes_comes_at_once():
    """Its method, a rule of W&B's or of ours, and a second place to search in."""
    scheduler = {"engine": "ax"}
    stopping = {"type": "hyperband", "min_iter": 1}
    ours = {"early_terminate": {"type": "asha", "min_iter": 1}}
    found = faults(
        method="random",
        metric={"name": "m"},
        scheduler=scheduler,
        early_terminate=stopping,
        sweeper=ours,
        controller={"type": "local"},
    )
    assert found == {
        "engine ax does not go with method random",
        "a scheduler does its own early termination",
        "there is an `early_terminate:` of W&B's already",
        "`controller: local` and `scheduler` exclude each other",
    }


@pytest.mark.parametrize("wrong", ["early_terminate", "sweeper", "controller"])
def test_a_fault_in_one_key_hides_no_other_pair(wrong):
    """Whoever mends one thing sees the rest at the same time."""
    assert "engine ax does not go with method random" in faults(
        method="random", metric={"name": "m"}, scheduler={"engine": "ax"}, **{wrong: 3}
    )


def test_metrics_stand_alone_differ_and_have_their_methods():
    """Three rules over `metrics`, of which a fault in `metric` or `method` skips one."""
    metrics = [{"name": "a"}, {"name": "a"}]
    assert faults(method="random", metrics=metrics, metric={"name": "b"}) == {
        "`metric` and `metrics` exclude each other",
        "several metrics need `method: custom` or `bayes`",
        "a is there twice",
    }
    assert faults(method="randm", metrics=metrics, metric={"name": "b"}) == {
        "'randm' is not known",
        "`metric` and `metrics` exclude each other",
        "a is there twice",
    }


@pytest.mark.parametrize("rule", ["hyperband", "asha"])
@pytest.mark.parametrize(("metrics", "reason"), [(None, "needs a `metric:`"), (2, "judges a run by one metric")])
def test_a_rule_of_early_termination_judges_by_one_metric(rule, metrics, reason):
    """W&B's or ours, without any metric or with several."""
    stopping = {"early_terminate": {"type": rule, "min_iter": 1}}
    keys = stopping if rule == "hyperband" else {"sweeper": stopping}
    several = {"metrics": [{"name": "a"}, {"name": "b"}]} if metrics else {}
    [found] = faults(method="custom" if metrics else "random", **several, **keys)
    assert found.startswith(f"{rule} {reason}")
