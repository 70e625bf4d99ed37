"""Failures in groups."""

from __future__ import annotations

from sweeper.results.report.causes import causes
from sweeper.results.status import RunStatus
from sweeper.run import RunState


def failed(run: str, reason: str, state=RunState.FAILED, **more) -> RunStatus:
    common = {"params": {}, "best": None, "last": None, "duration_s": 1.0, "slot": "", "log": ""}
    return RunStatus(id=run, name=run, state=state, reason=reason, **common, **more)


def test_what_failed_for_one_reason_is_one_group():
    """Numbers and addresses in a reason make no other cause; the commonest comes first, with its last run."""
    runs = [
        failed("a", "needs a key"),
        failed("b", "tried to allocate 20.5 MiB at 0x7f", kind="out of GPU memory", log_tail=("old",)),
        failed("c", "tried to allocate 30 MiB at 0xaa", kind="out of GPU memory", log_tail=("new",)),
        failed("d", "", RunState.FINISHED),
    ]
    first, second = causes(runs)
    assert (first.kind, first.count, first.runs, first.log_tail) == ("out of GPU memory", 2, ("c", "b"), ("new",))
    assert first.reason == "tried to allocate 30 MiB at 0xaa"
    assert (second.kind, second.count) == ("failed", 1)


def test_a_crash_that_nobody_saw_has_no_reason():
    """It is a group of its own, named by its state."""
    (cause,) = causes([failed("a", "", RunState.CRASHED)])
    assert (cause.kind, cause.reason) == ("crashed", "")


def test_a_group_names_some_of_its_runs_and_the_end_of_a_log():
    """A thousand failures do not make a thousand names."""
    (cause,) = causes([failed(f"r{i}", "x", log_tail=tuple("abcdefghijkl")) for i in range(1000)])
    assert (cause.count, cause.runs[0], len(cause.runs), cause.log_tail) == (1000, "r999", 5, tuple("efghijkl"))
