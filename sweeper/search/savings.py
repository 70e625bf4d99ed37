"""What early termination has saved."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from sweeper.run import Run, RunState


def saved_seconds(runs: Sequence[Run]) -> float | None:
    """Estimate the GPU seconds that early termination has saved, over all runs it ended.

    Of each such run, the iterations it did not do count, up to the median of the finished runs, at their median seconds
    per iteration. Seconds are those of a slot: of one GPU, or of the share of one that the slot is.

    Returns:
        The sum; None if runs were stopped and none has finished that they could be compared with.
    """
    stopped = [run for run in runs if stopped_early(run)]
    whole = [run for run in runs if run.state is RunState.FINISHED and run.iterations and run.duration_s]
    if not stopped or not whole:
        return None if stopped else 0.0
    iteration_s = statistics.median((run.duration_s or 0.0) / run.iterations for run in whole)
    length = statistics.median(run.iterations for run in whole)
    # a run of NaN alone has no history: the rung of its decision says how far it came
    done = (max(run.iterations, run.stop.rung if run.stop else 0) for run in stopped)
    return iteration_s * sum(max(0.0, length - iterations) for iterations in done)


def stopped_early(run: Run) -> bool:
    """Whether early termination ended the run, and not its own end just before."""
    return run.stop is not None and run.state is RunState.KILLED
