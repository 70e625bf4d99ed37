"""A sweep's own scheduler, `wandb sweep-scheduler` (SDK 0.31): the runs that it proposes, and the run it logs into.

The latter is the sweep's controller run: an ordinary run of the project, outside of the sweep, so no agent gets it and
nobody counts it. Its name follows from the sweep's, so that `sweeper launch` can tell whether a scheduler is at work.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sweeper.ref import controller_run
from sweeper.run import RunState
from sweeper.server.errors import RequestError
from sweeper.server.rules import sweep_transitions
from sweeper.server.store import runs
from sweeper.server.store.database import Connection
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Sweep

CONTROLLER_JOB_TYPE = "sweep-controller"


def add(
    db: Connection, sweep: Sweep, config: Mapping[str, Any], *, display_name: str | None, now: float
) -> StoredRun | None:
    """Store a run that waits for an agent; None if the sweep is over.

    Args:
        db: The write connection.
        sweep: Its sweep.
        config: The config its agent will be given, every value under "value".
        display_name: Its name on the pages; the file's template or its number if left out.
        now: The time.

    Raises:
        RequestError: The server searches for the sweep by itself, or the config has another form.
    """
    if sweep.definition.scheduler is None:
        raise RequestError(f"sweep {sweep.name} has no `scheduler:`: this server searches for it")
    params = _parameters(sweep, config)
    if sweep.state.ended or sweep.exhausted or sweep_transitions.is_over(db, sweep):
        return None
    return runs.propose(db, sweep, params, now=now, config=config, display_name=display_name)


def _parameters(sweep: Sweep, config: Mapping[str, Any]) -> dict[str, Any]:
    """Give the parameters of a config, flat; those that the file does not list keep their name."""
    for name, entry in config.items():
        if not isinstance(entry, Mapping) or "value" not in entry:
            raise RequestError(f'config: {name} is not {{"value": ...}}')
    values = {name: entry["value"] for name, entry in config.items()}
    space = sweep.definition.space
    # A scheduler may propose what the file does not list: its agent gets it all the same.
    listed = {path[0] for path in space.paths.values()}
    return {**space.flatten(values), **{name: value for name, value in values.items() if name not in listed}}


def ensure_controller(db: Connection, sweep: Sweep, *, user_id: int, now: float) -> StoredRun:
    """Find or make the controller run of a sweep."""
    name = controller_run(sweep.name)
    found = runs.find(db, sweep.project_id, name)
    if found is not None:
        return found
    about = {"job_type": CONTROLLER_JOB_TYPE, "display_name": f"scheduler of {sweep.name}", "user_id": user_id}
    return runs.create(db, sweep.project_id, name, state=RunState.PENDING, now=now, **about)


def is_controller(run: StoredRun) -> bool:
    """Whether a run is the controller run of some sweep."""
    return run.sweep_id is None and run.job_type == CONTROLLER_JOB_TYPE
