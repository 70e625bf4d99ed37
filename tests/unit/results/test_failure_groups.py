"""Failures by cause."""

from __future__ import annotations

from dataclasses import replace

from sweeper.results.failure_groups import UNKNOWN, failure_groups
from sweeper.results.status import RunStatus
from sweeper.run import RunState

RUN = RunStatus(
    id="r", name="r", state=RunState.FAILED, params={}, best=None, last=None, duration_s=1.0, slot="", reason="", log=""
)  # fmt: skip


def failed(name: str, reason: str, **more) -> RunStatus:
    return replace(RUN, id=name, reason=reason, **more)


def test_alike_failures_are_one_group():
    """Sizes, addresses and values differ from run to run; the latest stands for all, with the latest log there is."""
    groups = failure_groups(
        [
            failed("a", "CUDA out of memory: 128.5 MiB at 0x7f00", kind="out of GPU memory", log="/a.log"),
            failed("b", "ValueError: no"),
            failed("c", "CUDA out of memory: 7 MiB at 0xbeef", kind="out of GPU memory", log="/c.log"),
            failed("d", "CUDA out of memory: 8 MiB at 0x1", kind="out of GPU memory"),
        ]
    )
    assert [(group.count, group.runs) for group in groups] == [(3, ("d", "c", "a")), (1, ("b",))]
    assert (groups[0].cause, groups[0].log, groups[0].log_run) == ("CUDA out of memory: 8 MiB at 0x1", "/c.log", "c")
    assert (groups[1].log, groups[1].log_run) == ("", "")


def test_only_what_failed_is_a_failure():
    """A stop has its reason too; what is tried again has not failed yet."""
    others = [replace(RUN, state=state, reason="x") for state in RunState if state not in {"failed", "crashed"}]
    assert failure_groups(others) == ()
    assert failure_groups([replace(RUN, state=RunState.CRASHED, reason="lost")])[0].cause == "lost"


def test_a_failure_without_a_reason_says_what_is_known():
    """Its kind, or that nothing is; of many lines the first."""
    assert failure_groups([failed("a", "")])[0].cause == UNKNOWN
    assert failure_groups([failed("a", "", kind="timeout")])[0].cause == "timeout"
    assert failure_groups([failed("a", "one\ntwo")])[0].cause == "one"
