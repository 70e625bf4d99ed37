"""Failures in lines."""

from __future__ import annotations

from sweeper.cli.failure_rows import failure_blocks, failure_lines, why
from sweeper.results.status import FailureGroup, RunCounts, RunStatus, SweepFacts, SweepStatus
from sweeper.run import RunState, StopDecision, SweepState

FACTS = SweepFacts(sweep="e/p/s", name="", url="", state=SweepState.RUNNING, method="grid", metric="", goal="minimize")


def group(cause: str = "ValueError: x", count: int = 2, log: str = "/a.log") -> FailureGroup:
    runs = tuple(f"r{n}" for n in range(count))
    return FailureGroup(cause=cause, kind="", count=count, runs=runs, log=log, log_run="r0" if log else "")


def run(name: str, state: RunState, reason: str, **more) -> RunStatus:
    empty = {"params": {}, "best": None, "last": None, "duration_s": 1.0, "slot": "", "log": ""}
    return RunStatus(id=name, name=name, state=state, reason=reason, **{**empty, **more})


def status(*runs: RunStatus, failures: tuple[FailureGroup, ...] = ()) -> SweepStatus:
    counts = RunCounts(done=0, total=None, counts={}, elapsed_s=None)
    return SweepStatus(facts=FACTS, progress=counts, runs=runs, failures=failures)


def lines(*groups: FailureGroup, width: int = 60, most: int = 3) -> list[str]:
    return [line.plain for line in failure_lines(groups, width=width, most=most)]


def test_a_cause_its_count_and_its_log_are_one_line():
    """The path where it has room, else the command that shows the log; a long cause is cut, and never the rest."""
    assert lines(group(), most=1) == ["2 runs failed: ValueError: x  /a.log"]
    (line,) = lines(group("x" * 200, count=1), most=1)
    assert (len(line), line[-9:]) == (60, "…  /a.log")
    assert lines(group(log="/" + "b" * 60)) == ["2 runs failed: ValueError: x  sweeper logs r0"]
    assert lines(group(log="", count=1)) == ["1 run failed: ValueError: x  sweeper logs r0"]


def test_where_there_is_room_a_path_has_a_line_of_its_own():
    """To be copied; as long as every path has its line and fits into it."""
    long = "/" + "b" * 50
    assert lines(group(log=long), group(), most=4) == [
        "2 runs failed: ValueError: x",
        long,
        "2 runs failed: ValueError: x",
        "/a.log",
    ]
    assert lines(group(log="/" + "b" * 60), most=4) == ["2 runs failed: ValueError: x  sweeper logs r0"]


def test_what_has_no_room_is_counted():
    """In the last of the lines."""
    assert lines(*[group()] * 5)[1:] == ["2 runs failed: ValueError: x  /a.log", "… 6 more failed: sweeper runs"]
    assert lines(group(count=3), group(), most=1) == ["3 of 5 runs failed: ValueError: x  /a.log"]
    assert lines(group(), most=0) == lines() == []


def test_a_printed_status_has_the_logs_path_and_its_end():
    """The path on a line of its own; which runs failed so; once, however many groups name it."""
    failed = run(
        "r1", RunState.FAILED, "ValueError: x", log="/a.log", log_tail=("one", "two", "three", "ValueError: x")
    )
    told = [line.plain for line in failure_blocks(status(failed, failures=(group(count=4),)))]
    assert told == [
        "4 runs failed: ValueError: x (r0, r1, r2, …)",
        "/a.log",
        "the end of r1's log:",
        *("    two", "    three", "    ValueError: x"),
    ]
    assert failure_blocks(status()) == []


def test_who_was_stopped_or_is_tried_again_says_why():
    """The latest ones; a failure stands in its group."""
    stopped = [run(f"s{n}", RunState.KILLED, "too low", stop=StopDecision(f"s{n}", "too low")) for n in range(7)]
    again = run("r9", RunState.PENDING, "out of memory", policy="retried on the same slot")
    told = [line.plain for line in failure_blocks(status(*stopped, again))]
    assert told == [
        *(f"s{n}: too low" for n in range(3, 7)),
        "r9: out of memory; retried on the same slot",
        "… 3 earlier ones: sweeper runs",
    ]
    assert why(run("a", RunState.FAILED, "x", policy="failed")) == "a: x"
