"""Failed runs by what went wrong."""

from __future__ import annotations

from sweeper.plots.failure_causes import UNKNOWN, alike, failure_causes
from sweeper.run import Run, RunState


def run(number: int, state: RunState = RunState.FAILED, reason: str = "", **params: object) -> Run:
    return Run(id=f"r{number}", state=state, reason=reason, params=params)


def test_failures_that_differ_in_numbers_are_one_cause():
    """Told in the words of the latest, in one line; the most frequent cause comes first."""
    runs = [
        run(1, reason="KeyError: 'x'"),
        run(2, reason="out of memory: 2.5 GiB at 0x7f01"),
        run(3, RunState.CRASHED, "out of memory: 3 GiB at 0x8a"),
        run(4, RunState.FINISHED),
        run(5, RunState.RUNNING, "out of memory: 9 GiB at 0x1"),
    ]
    first, second = failure_causes(runs)
    assert (first.cause, first.runs) == ("out of memory: 3 GiB at 0x8a", ("r3", "r2"))
    assert (second.cause, second.runs, second.traits) == ("KeyError: 'x'", ("r1",), ())
    assert alike("step 12 of 1e5") == "step # of #"


def test_what_they_have_in_common_is_told_against_those_that_did_not_fail():
    """Other failures are no measure of what goes well."""
    fine = [run(i, RunState.FINISHED, batch=i % 3) for i in range(30)]
    runs = [
        *fine,
        *(run(40 + i, reason="oom", batch=7) for i in range(5)),
        *(run(50 + i, reason="?", batch=7) for i in range(9)),
    ]
    runs += [run(80, RunState.RUNNING, batch=7)]  # nobody knows yet how it ends
    causes = {one.cause: one for one in failure_causes(runs)}
    (trait,) = causes["oom"].traits
    assert (trait.name, trait.value, trait.of_outside) == ("batch", 7, 30)


def test_a_failure_nobody_explained_says_so():
    """Its reason is empty."""
    assert [one.cause for one in failure_causes([run(1)])] == [UNKNOWN]
    assert failure_causes([run(1, RunState.FINISHED)]) == []
