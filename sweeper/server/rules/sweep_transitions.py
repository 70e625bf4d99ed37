"""The life of sweeps: when one is over, and what a person asks of it.

Functions of a write connection. The states are drawn in `sweeper.run`.
"""

from __future__ import annotations

from sweeper.metric_value import may_aggregate
from sweeper.run import RunState, SweepState, best_run
from sweeper.server.errors import RequestError
from sweeper.server.rules import stop_requests
from sweeper.server.store import deleted_runs, lines, runs, seen_runs, sweep_runs, sweeps
from sweeper.server.store.database import Connection
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Sweep


def finish_if_done(db: Connection, sweep_id: int, *, now: float) -> Sweep:
    """Finish a sweep that has given out all its runs and waits for none."""
    sweep = sweeps.get(db, sweep_id)
    if sweep.state.ended or runs.count(db, sweep_id, runs.UNFINISHED):
        return sweep
    # The looks at all values come last: this is asked with every heartbeat.
    if has_run_out(db, sweep) or is_over(db, sweep):
        sweeps.set_state(db, sweep_id, SweepState.FINISHED, now=now)
        return sweeps.get(db, sweep_id)
    return sweep


def has_run_out(db: Connection, sweep: Sweep) -> bool:
    """Whether a sweep has given out all that its file asks for, as far as that is known without a search."""
    if sweep.exhausted:
        return True
    expected = sweep.definition.expected_beside(beyond=sweep_runs.count_beyond(db, sweep.id))
    return expected is not None and runs.count(db, sweep.id) >= expected


def is_over(db: Connection, sweep: Sweep) -> bool:
    """Whether a sweep has made as many runs as its file allows, or reached its target."""
    cap = sweep.definition.run_cap
    return (cap is not None and runs.count(db, sweep.id) >= cap) or reached_target(db, sweep)


def reached_target(db: Connection, sweep: Sweep) -> bool:
    """Whether a run of a sweep that may lead has logged a value as good as the metric's target."""
    metric = sweep.definition.metric
    if metric is None or metric.target is None:
        return False
    if may_aggregate(metric.name):  # what `loss.max` is, a run's last value decides
        own = (run for run in seen_runs.for_search(db, sweep) if not run.prior)
        ended = (run for run in own if run.state.ended or run.aggregate is None)
        best = best_run(ended, metric.goal)
        value = best.best(metric.goal) if best else None
        return value is not None and metric.reached_by(value)
    return lines.metric_reached(db, sweep.id, metric.target, metric.goal)


def run_ended(db: Connection, run: StoredRun, *, now: float) -> None:
    """Look at the sweep of a run that has just ended: it may have reached its target, or its end."""
    if run.sweep_id is not None:
        sweep = sweeps.get(db, run.sweep_id)
        if _reaches_target(db, sweep, run):
            sweeps.set_exhausted(db, run.sweep_id)
            drop_waiting(db, sweep, now=now)
        finish_if_done(db, run.sweep_id, now=now)


def _reaches_target(db: Connection, sweep: Sweep, run: StoredRun) -> bool:
    """Whether an ended run reached its sweep's target, be it in its summary alone."""
    # Logged values are looked up where runs are handed out; a summary is read once, when its run ends.
    metric = sweep.definition.metric
    if sweep.definition.metrics:
        return sweep.definition.met(seen_runs.get(db, sweep, run.id).values)
    if metric is None or metric.target is None:
        return False
    ended = seen_runs.get(db, sweep, run.id)
    best = ended.best(metric.goal) if ended.may_lead else None
    return best is not None and metric.reached_by(best)


def drop_waiting(db: Connection, sweep: Sweep, *, now: float) -> None:
    """End the runs that a scheduler of the sweep's own has proposed and nobody needs any more."""
    if sweep.definition.scheduler is None:
        return
    for run in sweep_runs.unassigned(db, sweep.id):
        reason = "a run had reached the sweep's target before it started"
        runs.update(db, run.id, state=RunState.KILLED, ended_at=now, reason=reason, stop_requested=1)


def set_state(db: Connection, sweep: Sweep, state: SweepState, *, now: float, by: str = "") -> None:
    """Do what a person asked of a sweep: stop (FINISHED), cancel, pause or resume it.

    Args:
        db: The write connection.
        sweep: The sweep.
        state: What it is to be.
        now: The time.
        by: Who asked, and why, for the reasons of its runs: ` by ann: the data were wrong`.

    Raises:
        RequestError: The sweep was canceled, it cannot come back; or it is to pause and has finished.
    """
    if sweep.state is SweepState.CANCELED and state is not SweepState.CANCELED:
        raise RequestError(f"sweep {sweep.name} is canceled: create a new one")
    if sweep.state.ended and state in {SweepState.PENDING, SweepState.PAUSED}:
        raise RequestError(f"sweep {sweep.name} has finished: resume it first")
    sweeps.set_state(db, sweep.id, state, now=now)
    for run in runs.of_sweep(db, sweep.id) if state.ended else ():
        if run.offered and run.agent_id is None:
            deleted_runs.remove(db, run.id)
        elif stop_requests.waits(run):
            stop_requests.end_waiting(db, run, f"the sweep was stopped before it started{by}", now=now)
        elif state is SweepState.CANCELED:
            stop_requests.request(db, run.id, f"the sweep was canceled{by}", now=now)


def reopen(db: Connection, sweep: Sweep, *, now: float) -> None:
    """Let a sweep that ended by itself give out a run again; one that a person ended stays so."""
    if not sweep.state.ended:
        return
    # FINISHED says both that a person stopped it and that it ran out; having given out everything tells them apart.
    if sweep.state is SweepState.CANCELED or not has_run_out(db, sweep):
        words = "canceled" if sweep.state is SweepState.CANCELED else "stopped: open it again first (sweeper resume)"
        raise RequestError(f"sweep {sweep.name} is {words}")
    sweeps.set_state(db, sweep.id, SweepState.RUNNING, now=now)
