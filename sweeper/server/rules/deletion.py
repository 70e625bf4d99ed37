"""Deleting runs and sweeps for good: what a deleted run's process still sends does not bring it back.

A sweep goes in steps, since the rows of ten thousand runs would keep every other writer waiting: it is canceled first,
so nobody can be given a run of it any more, then some runs go at a time, and in the end the sweep. Whatever it is
interrupted by, asking again goes on with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sweeper.ref import controller_run
from sweeper.run import SweepState
from sweeper.server.errors import NotFoundError, RequestError
from sweeper.server.rules import sweep_transitions
from sweeper.server.store import deleted_runs, runs, sweep_runs, sweeps
from sweeper.server.store import holdings as held
from sweeper.server.store.database import Connection, Store
from sweeper.server.store.run_files import FileStore
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Sweep

AT_ONCE = 50
"""Runs that go in one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What goes with a sweep, or with some runs of it.

    Attributes:
        runs: How many runs.
        under_way: Those of them that an agent has, or that are at work: they keep the rest from being deleted.
        files: How many files they have uploaded.
        file_bytes: The bytes of these.
        artifacts: How many artifacts they have made.
        artifact_bytes: The bytes of these; what others need of it stays.
        learners: The sweeps that learn from the runs, by their ids.
    """

    runs: int
    under_way: tuple[str, ...]
    files: int
    file_bytes: int
    artifacts: int
    artifact_bytes: int
    learners: tuple[str, ...]


def holdings(db: Connection, sweep: Sweep, names: Sequence[str] | None = None) -> Holdings:
    """See what goes with a sweep, or with some of its runs.

    Raises:
        NotFoundError: One of the runs is not the sweep's.
    """
    chosen = _chosen(db, sweep, names)
    ids = [run.id for run in chosen]
    files, artifacts = held.files_of(db, ids), held.artifacts_of(db, ids)
    return Holdings(
        runs=sum(not run.offered for run in chosen),
        under_way=tuple(run.name for run in chosen if _is_under_way(run)),
        files=files.number,
        file_bytes=files.size,
        artifacts=artifacts.number,
        artifact_bytes=artifacts.size,
        learners=tuple(held.learners_of(db, ids)),
    )


def _chosen(db: Connection, sweep: Sweep, names: Sequence[str] | None) -> list[StoredRun]:
    if names is None:
        return runs.of_sweep(db, sweep.id)
    # looked up: of ten thousand runs some go at a time
    known = {run.name: run for run in runs.named(db, sweep.project_id, names) if run.sweep_id == sweep.id}
    if unknown := [name for name in names if name not in known and not is_deleted(db, sweep.project_id, name)]:
        raise NotFoundError(f"sweep {sweep.name} has no run {', '.join(unknown)}")
    return [known[name] for name in dict.fromkeys(names) if name in known]


def _is_under_way(run: StoredRun) -> bool:
    return run.live or (run.unfinished and run.agent_id is not None)


def close(db: Connection, sweep: Sweep, *, now: float) -> None:
    """See that nothing is at work on a sweep, and that nothing will be.

    Raises:
        RequestError: Something is.
    """
    if not sweep.state.ended and sweep.state is not SweepState.PENDING:
        raise RequestError(f"sweep {sweep.name} is {sweep.state.lower()}: cancel it first", 409)
    _check_idle(sweep_runs.unfinished(db, sweep.id))
    if sweep.state is not SweepState.CANCELED:
        sweep_transitions.set_state(db, sweep, SweepState.CANCELED, now=now)


def _check_idle(chosen: Sequence[StoredRun]) -> None:
    if busy := [run.name for run in chosen if _is_under_way(run)]:
        raise RequestError(f"under way: {', '.join(busy[:10])}: stop what is at work first, and wait for its end", 409)


def next_of(db: Connection, sweep: Sweep, names: Sequence[str] | None) -> list[StoredRun]:
    """Give the runs that go next; those that are gone already do not matter.

    Raises:
        RequestError: One of them is under way.
        NotFoundError: One is not the sweep's.
    """
    if names is None:
        return sweep_runs.first(db, sweep.id, AT_ONCE)
    chosen = _chosen(db, sweep, names)
    _check_idle(chosen)
    return chosen[:AT_ONCE]


def delete_runs(db: Connection, sweep: Sweep, chosen: Sequence[StoredRun], *, now: float) -> list[StoredRun]:
    """Delete runs that are not under way by now; give those that are gone."""
    there = {run.id: run for run in runs.named(db, sweep.project_id, [run.name for run in chosen])}
    gone = [there[run.id] for run in chosen if run.id in there and not _is_under_way(there[run.id])]
    for run in gone:
        delete_run(db, run, now=now)
    sweep_transitions.finish_if_done(db, sweep.id, now=now)
    return gone


def left(db: Connection, sweep: Sweep, names: Sequence[str] | None) -> int:
    """Count the runs that are still to go."""
    return runs.count(db, sweep.id) if names is None else len(_chosen(db, sweep, names))


def delete_sweep(db: Connection, sweep: Sweep) -> None:
    """Delete a sweep without runs, and the run that its scheduler has logged into."""
    controller = runs.find(db, sweep.project_id, controller_run(sweep.name))
    if controller is not None:
        deleted_runs.remove(db, controller.id)
    sweeps.delete(db, sweep.id)


def delete_run(db: Connection, run: StoredRun, *, now: float) -> None:
    """Delete a run with all it logged; its uploads lie on disk and are the caller's to remove."""
    deleted_runs.bury(db, run, now=now)


def is_deleted(db: Connection, project_id: int, name: str) -> bool:
    """Whether a project had a run of that id, which was deleted: its process, if any is left, is told to stop."""
    return deleted_runs.has(db, project_id, name)


def check_new(db: Connection, project_id: int, name: str) -> None:
    """Refuse to make a run under a deleted one's id, as W&B does.

    Raises:
        NotFoundError: The id is a deleted run's.
    """
    if is_deleted(db, project_id, name):
        raise NotFoundError(f"run {name} was deleted: start it again under a new id")


def remove_files(store: Store, files: FileStore, project_id: int, places: Sequence[tuple[str, str, str]]) -> None:
    """Remove the files of deleted runs of a project, by entity, project and id of each, and note that they are gone."""
    for place in places:
        files.remove_run(*place)
    # nobody waits for the disk: who is killed before it knows looks for the files once more
    with store.write(durable=False) as db:
        deleted_runs.note_removed(db, project_id, [name for _, _, name in places])


def tidy(store: Store, files: FileStore) -> None:
    """Remove the files of deleted runs that a server left which died between their rows and them; for its start."""
    with store.read() as db:
        found = deleted_runs.places(db)
    by_project: dict[int, list[tuple[str, str, str]]] = {}
    for project_id, *place in found:
        entity, project, name = place
        by_project.setdefault(project_id, []).append((entity, project, name))
    for project_id, places in by_project.items():
        remove_files(store, files, project_id, places)
