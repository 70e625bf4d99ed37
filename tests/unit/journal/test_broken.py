"""When a launch ends by itself because its runs fail."""

from __future__ import annotations

import pytest

from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.broken import WHATEVER_THEY_SHARE, Ending, FailureLimits, broken
from sweeper.journal.failures import Kind

WELL = Ending()


def failed(cause="E", kind=Kind.EXCEPTION, **params) -> Ending:
    return Ending(cause, kind, params)


def endings(*causes) -> list[Ending]:
    return [failed(cause) if cause else WELL for cause in causes]


@pytest.mark.parametrize(
    ("causes", "limits", "why"),
    [
        ([], FailureLimits(), ""),
        (["E: 1", "E: 2"], FailureLimits(), ""),
        (["E: 1", "E: 2", "E: 0x3f"], FailureLimits(), "the first 3 runs failed in the same way: E: 1"),
        (["E", "F", "E"], FailureLimits(), ""),
        ([None, "E", "E", "E"], FailureLimits(), ""),
        ([None, "E", "E", "E"], FailureLimits(max_failures=3), "3 runs failed in a row (--max-failures)"),
        ([None, "E", None, "E"], FailureLimits(max_failures=2), ""),
        (["E", "E", "E"], FailureLimits(max_failures=99), ""),
        (["E", "E", "E"], FailureLimits(guess=False), ""),
        (["E", "F"], FailureLimits(initial_failures=2), "the first 2 runs failed (WANDB_AGENT_MAX_INITIAL_FAILURES)"),
        (["E", "E", "E"], FailureLimits(initial_failures=5), ""),
        ([None, "E", "E"], FailureLimits(initial_failures=2), ""),
    ],
)
def test_a_broken_set_up_is_told_from_bad_luck(causes, limits, why):
    """Three equal failures with nothing better before end a launch; its user's own limits end all guessing."""
    assert broken(endings(*causes), limits) == why


@pytest.mark.parametrize("kind", [Kind.GPU_MEMORY, Kind.HOST_MEMORY, Kind.TIMEOUT, Kind.NAN])
def test_what_parameters_decide_ends_no_launch(kind):
    """A grid may begin with what is too big; what else fails is still counted."""
    too_big = [failed("out of memory", kind)] * 50
    assert broken(too_big, FailureLimits()) == ""
    assert "the first 3 runs" in broken([*too_big, *[failed("E")] * 3], FailureLimits())


def test_a_value_that_all_failed_runs_share_may_be_why_they_failed():
    """As long as other values wait, the launch goes on; what fails with every value ends it."""
    small = [failed(model="big", lr=lr) for lr in range(9)]
    assert broken(small, FailureLimits(), ["model", "lr"]) == ""
    assert broken(small, FailureLimits(), ["lr"]) != ""  # the sweep has one model: that is no reason
    assert broken([*small, failed(model="small", lr=9)], FailureLimits(), ["model", "lr"]) != ""
    assert broken([*small, WELL, *small], FailureLimits(), ["model", "lr"]) == ""


def test_so_many_equal_failures_are_no_corner_of_a_grid():
    """A trainer that is broken for all ends its launch, although a slow axis of the grid has not moved yet."""
    all_alike = [failed(model="big", lr=lr) for lr in range(WHATEVER_THEY_SHARE)]
    assert broken(all_alike[:-1], FailureLimits(), ["model", "lr"]) == ""
    assert f"the first {WHATEVER_THEY_SHARE} runs" in broken(all_alike, FailureLimits(), ["model", "lr"])


def test_nested_parameters_and_those_nobody_noted_are_compared_as_well():
    """A dotted name is found in a nested config; a journal of an older version names none, and nothing is shared."""
    nested = [failed(optimizer={"name": "sgd", "lr": lr}) for lr in (1, 2, 3)]
    assert broken(nested, FailureLimits(), ["optimizer.name", "optimizer.lr"]) == ""
    assert broken(endings("E", "E", "E"), FailureLimits(), ["optimizer.name"]) != ""


def test_the_same_missing_module_twice_would_fail_every_run():
    """Once may be one configuration's."""
    missing = failed("ModuleNotFoundError: No module named 'x'", Kind.IMPORT)
    assert broken([missing], FailureLimits()) == ""
    assert broken([missing] * 2, FailureLimits()) == "every run would fail: ModuleNotFoundError: No module named 'x'"
    assert broken([WELL, missing, missing], FailureLimits()) == ""


def test_two_runs_in_a_row_that_never_began_end_a_launch():
    """Whatever ran before them: a function that never calls wandb.init would go on for ever."""
    unbegun = failed("the function returned without calling wandb.init", Kind.UNBEGUN)
    assert broken([unbegun], FailureLimits()) == ""
    assert broken([unbegun, WELL, unbegun], FailureLimits()) == ""
    assert "2 runs in a row never began: the function returned" in broken([WELL, unbegun, unbegun], FailureLimits())


@pytest.mark.parametrize(
    ("outcome", "counts"), [(AttemptOutcome.FAILED, True), (AttemptOutcome.DIED, True), (AttemptOutcome.STOPPED, False)]
)
def test_an_attempt_that_failed_counts(outcome, counts):
    """A run that the server stopped has not failed."""
    attempt = Attempt(run_id="r", slot="cpu0", outcome=outcome, reason="why", kind=Kind.EXIT, params={"lr": 1})
    assert Ending.of(attempt) == (Ending("why", Kind.EXIT, {"lr": 1}) if counts else Ending("", None, {"lr": 1}))
