"""The controller run of a sweep: where `wandb sweep-scheduler` writes its log (SDK 0.31).

It is an ordinary run of the project, outside of the sweep: no agent gets it, and nobody counts it. Its name follows
from the sweep's, so that `sweeper launch` can tell whether a scheduler is at work.
"""

from __future__ import annotations

from sweeper.ref import controller_run
from sweeper.run import RunState
from sweeper.server.store import runs
from sweeper.server.store.database import Connection
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Sweep

JOB_TYPE = "sweep-controller"


def ensure(db: Connection, sweep: Sweep, *, user_id: int, now: float) -> StoredRun:
    """Find or make the controller run of a sweep."""
    name = controller_run(sweep.name)
    found = runs.find(db, sweep.project_id, name)
    if found is not None:
        return found
    about = {"job_type": JOB_TYPE, "display_name": f"scheduler of {sweep.name}", "user_id": user_id}
    return runs.create(db, sweep.project_id, name, state=RunState.PENDING, now=now, **about)


def is_controller(run: StoredRun) -> bool:
    """Whether a run is the controller run of some sweep."""
    return run.sweep_id is None and run.job_type == JOB_TYPE
