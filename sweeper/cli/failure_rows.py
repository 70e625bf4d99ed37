"""Why runs failed, as lines of text: alike failures are one."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from sweeper.readable import runs_word
from sweeper.results.status import FailureGroup, RunStatus, SweepStatus

GROUPS = 5
"""Causes that are told where there is room for all; the rest is counted."""
EARLY = 5
"""Runs of which it is told why they ended early."""
TAIL = 3
"""Lines of the end of a log."""


def failure_lines(groups: Sequence[FailureGroup], *, width: int, most: int) -> list[Text]:
    """Tell the causes of failures in few lines, each with the log of the latest run or what shows it.

    Args:
        groups: The failures.
        width: Columns of a line, which may cut the cause short.
        most: Lines at most.
    """
    if 2 * len(groups) <= most and all(0 < len(group.log) <= width for group in groups):
        return [line for group in groups for line in (_cause(group, width), _path(group.log))]
    if most == 1 and len(groups) > 1:  # the most frequent says more than a number of them all
        return [_line(groups[0], width, of=sum(group.count for group in groups))]
    shown = groups if len(groups) <= most else groups[: max(0, most - 1)]
    lines = [_line(group, width) for group in shown]
    if left := sum(group.count for group in groups[len(shown) :]):
        lines.append(Text(f"… {left:,} more failed: sweeper runs", style="dim"))
    return lines[:most]


def _line(group: FailureGroup, width: int, *, of: int | None = None) -> Text:
    log = f"  {group.log}"
    if not group.log or len(log) > width // 2:
        log = f"  sweeper logs {group.log_run or group.runs[0]}"
    return _cause(group, width - len(log), of=of).append(log, style="dim")


def _cause(group: FailureGroup, width: int, *, of: int | None = None) -> Text:
    how_many = runs_word(group.count) if of is None else f"{group.count} of {runs_word(of)}"
    text = Text.assemble((f"{how_many} failed: ", "red"), group.cause)
    text.truncate(max(1, width), overflow="ellipsis")
    return text


def failure_blocks(status: SweepStatus) -> list[Text]:
    """Tell the causes of failures, each with the path of a log, the end of the latest, and why others ended early."""
    lines: list[Text] = []
    for group in status.failures[:GROUPS]:
        lines.append(Text.assemble((f"{runs_word(group.count)} failed: ", "red"), group.cause, f" ({_some(group)})"))
        if group.log:
            lines.append(_path(group.log))
    if left := sum(group.count for group in status.failures[GROUPS:]):
        lines.append(Text(f"… {left:,} more failed: sweeper runs", style="dim"))
    if logged := next((run for run in reversed(status.runs) if run.log_tail), None):
        lines.append(Text(f"the end of {logged.id}'s log:", style="dim"))
        if logged.log not in {group.log for group in status.failures[:GROUPS]}:
            lines.append(_path(logged.log))
        lines += [Text(f"    {line}", style="dim") for line in logged.log_tail[-TAIL:]]
    return lines + _early(status)


def _some(group: FailureGroup) -> str:
    return ", ".join(group.runs[:3]) + (", …" if group.count > 3 else "")


def _path(path: str) -> Text:
    """Write a path in a line of its own that is never broken: it is there to be copied."""
    return Text(path, style="dim", no_wrap=True, overflow="ignore")


def _early(status: SweepStatus) -> list[Text]:
    """Say why the latest runs ended early that did not fail: who stopped them, or what has them start again."""
    failed = {run for group in status.failures for run in group.runs}
    told = [run for run in status.runs if run.reason and run.id not in failed]
    lines = [Text(why(run), style="dim") for run in told[-EARLY:]]
    if left := len(told) - len(lines):
        lines.append(Text(f"… {left:,} earlier ones: sweeper runs", style="dim"))
    return lines


def why(run: RunStatus) -> str:
    """Write a run's reason; of one that is tried again, that it is."""
    again = f"; {run.policy}" if run.policy and not run.state.ended and run.policy != "failed" else ""
    return f"{run.id}: {run.reason}{again}"
