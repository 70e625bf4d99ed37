"""What other seeds have shown of a sweep's best configurations, of sweeps on this server."""

from __future__ import annotations

from sweeper.definition.confirming import link, planned
from sweeper.search.confirmation import Confirmation, ConfirmingRuns, confirmation
from sweeper.server.store import run_digests, sweeps
from sweeper.server.store.database import Connection
from sweeper.server.store.sweeps import Sweep


def of_sweep(db: Connection, sweep: Sweep) -> Confirmation | None:
    """Weigh the runs that confirm a sweep, or the one that it confirms; None if there are none."""
    if about := link(sweep.definition):
        confirmed = sweeps.find(db, about.sweep, sweep.project_id)
        return of_sweep(db, confirmed) if confirmed and not link(confirmed.definition) else None
    others, metric = sweeps.confirming(db, sweep), sweep.definition.metric
    if not others or metric is None:
        return None
    return confirmation(
        sweep=sweep.name,
        runs=[run for run in run_digests.all_of(db, sweep) if not run.prior],
        confirming=[_confirming(db, other) for other in others],
        metric=metric.name,
        goal=metric.goal,
    )


def _confirming(db: Connection, sweep: Sweep) -> ConfirmingRuns:
    about = link(sweep.definition)
    return ConfirmingRuns(
        sweep=sweep.name,
        seed=about.seed if about else "",
        planned=planned(sweep.definition),
        runs=[run for run in run_digests.all_of(db, sweep) if not run.prior],
        state=sweep.state,
    )
