"""When a launch is of no use: its runs finish, and none logs what the sweep goes by."""

from __future__ import annotations

from sweeper.launch.prepare import Launch
from sweeper.results.status import SweepStatus

ENOUGH = 3
"""So many runs of one launch without the metric end it: one may be a special case, and two may be chance."""


def verdict(launch: Launch, status: SweepStatus) -> str:
    """Say why a launch is to end, if it is: what its runs log decides the rest of the sweep, and none logs the metric.

    Runs that finished before the launch do not count: the trainer may have been mended since.
    """
    if launch.rules.without_metric or not status.facts.steered:
        return ""
    before = {run.id for run in launch.before.runs if run.state.ended}
    for missing in status.missing_metrics:
        without = [run for run in status.runs if missing.metric in run.lacks and run.id not in before]
        if len(without) >= ENOUGH:
            # not as many as there are by now: quick runs finish while the launch looks
            what = f"the first {ENOUGH} runs finished without a value of `{missing.metric}`, which the sweep goes by"
            return f"{what} (--without-metric goes on): {missing.message}"
    return ""
