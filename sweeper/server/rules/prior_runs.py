"""Warm start: earlier runs of a project attached to a sweep, which learns from them and leaves them where they are.

An attached run stays with its own sweep, or with none: only that one hands it out, counts, judges and stops it.
The sweep it is attached to sees its parameters and its metric, for the search and among the peers of early termination:
W&B speaks of adding the runs to the sweep, and its rule (`sweeps` 0.3.0) compares with all runs in any state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sweeper import search
from sweeper.metric_value import lookup
from sweeper.server.errors import RequestError
from sweeper.server.store import (
    history_keys,
    lines,
    projects,
    run_digests,
    run_filters,
    runs,
    suggestions,
    sweep_runs,
    sweeps,
)
from sweeper.server.store.database import Connection
from sweeper.server.store.lines import HistoryLine
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweep_runs import Beside
from sweeper.server.store.sweeps import Sweep


@dataclass(frozen=True, slots=True)
class Logged:
    """What a run had logged of a metric when somebody looked.

    Attributes:
        begun: Which attempt it was in, and when that history began: an id may be used again, as the same attempt.
        key: What of its history the metric was read from.
        values: The lines of its history, with nothing but the metric.
        last: The last of them as it stood there: a run that was rewound has another one in its place, or none.
    """

    begun: tuple[int, float | None]
    key: str
    values: tuple[HistoryLine, ...]
    last: HistoryLine | None


NOTHING: Mapping[int, Logged] = {}


def chosen(db: Connection, project_id: int, wanted: str) -> list[StoredRun]:
    """Read the runs of a project that a filter holds for, the oldest first.

    Raises:
        RequestError: The filter cannot be read.
    """
    names = run_filters.names_only(wanted)
    if names is None:
        return [candidate.stored for candidate in run_filters.find(db, project_id, wanted)]
    # what wandb.sweep sends, looked up: comparing 1,000 names with 2,001 runs takes seconds
    return runs.named(db, project_id, names)


def read_ahead(db: Connection, found: Iterable[StoredRun], metric: str) -> dict[int, Logged]:
    """Read a metric out of runs' histories before the write transaction that needs it: 100 long ones take 12 s."""
    return {run.id: _read(db, run, metric) for run in found if not _knowing(db, run, metric)}


def _read(db: Connection, run: StoredRun, metric: str) -> Logged:
    key = history_keys.reading_of(run.history_keys, metric).key
    last = None
    values = []
    for last in lines.history(db, run.id):
        values.append(replace(last, text="", row={key: lookup(last.row, key)}))
    return Logged((run.attempt, run.started_at), key, tuple(values), last)


def attach(db: Connection, sweep: Sweep, wanted: str, logged: Mapping[int, Logged] = NOTHING) -> None:
    """Attach the runs of the sweep's project that a filter holds for.

    Args:
        db: The write connection.
        sweep: The sweep.
        wanted: The filter.
        logged: From `read_ahead`, for the sweep's metric.

    Raises:
        RequestError: The filter cannot be read, names a run that is not there, or holds for none.
    """
    found = chosen(db, sweep.project_id, wanted)
    known = {run.name for run in found}
    unknown = [name for name in run_filters.names_in(wanted) if name not in known]
    if unknown or not found:
        raise _refusal(db, sweep, unknown)
    suggestions.remove_from(db, sweep.id)  # made without knowing these runs
    for run in found:
        if run.sweep_id != sweep.id:
            sweep_runs.attach(db, sweep.id, run.id)
            read_metric(db, sweep, run, logged)


def _refusal(db: Connection, sweep: Sweep, unknown: list[str]) -> RequestError:
    place = projects.get(db, sweep.project_id)
    which = f"no run {', '.join(map(repr, unknown))}" if unknown else "no run fits the filter"
    return RequestError(
        f"prior runs: {which} in {place.entity}/{place.name}. "
        "Give ids of runs of this project: the last part of a run's address, not its display name."
    )


def reread(db: Connection, sweep: Sweep, logged: Mapping[int, Logged] = NOTHING) -> None:
    """Read the metric anew from all runs a sweep sees; for a definition that has changed."""
    lines.clear_metric_of(db, sweep.id)
    for run in runs.seen_by(db, sweep.id):
        read_metric(db, sweep, run, logged)


def read_metric(db: Connection, sweep: Sweep, run: StoredRun, logged: Mapping[int, Logged] = NOTHING) -> None:
    """Keep what a run has logged of a sweep's metric so far; what comes later is kept as it comes."""
    metric = sweep.definition.metric
    if metric is None:
        return
    if same := _knowing(db, run, metric.name, but=sweep.id):  # 0.1 s for 100 long ones, 12 s to read them
        lines.copy_metric(db, same[0].id, sweep.id, run.id, sought=sweep.seeks_values)
        return
    now = runs.get(db, run.id)
    key = history_keys.reading_of(now.history_keys, metric.name).key
    seen = logged.get(run.id)
    if seen and seen.last and (seen.begun, seen.key) == ((now.attempt, now.started_at), key):
        since = lines.history(db, run.id, first=seen.last.number)
        if since[:1] == [seen.last]:
            lines.put_metric(db, sweep.id, run.id, key, [*seen.values, *since[1:]], sought=sweep.seeks_values)
            return
    # What was read is of a history that is gone.
    lines.put_metric(db, sweep.id, run.id, key, lines.history(db, run.id), sought=sweep.seeks_values)


def _knowing(db: Connection, run: StoredRun, metric: str, *, but: int | None = None) -> list[Sweep]:
    """List the other sweeps that keep a metric of a run."""
    others = [other for other in sweeps.seeing(db, run.id) if other.id != but]
    return [other for other in others if other.definition.metric and other.definition.metric.name == metric]


def expected_runs(db: Connection, sweep: Sweep) -> int | None:
    """Count the runs a sweep will have; None if it goes on until stopped."""
    return expected_with(db, sweep, beyond=sweep_runs.count_beyond(db, sweep.id))


def expected_by_sweep(db: Connection, known: Iterable[Sweep]) -> dict[int, int | None]:
    """Count the runs each of many sweeps will have, by its id; asks once what all have beside their files."""
    beside = sweep_runs.beside_files(db)
    return {sweep.id: expected_beside(db, sweep, beside.get(sweep.id, sweep_runs.NOTHING_BESIDE)) for sweep in known}


def expected_with(db: Connection, sweep: Sweep, *, beyond: int) -> int | None:
    """Count the runs a sweep would have with a number of runs that its file does not ask for."""
    return expected_beside(db, sweep, Beside(bool(runs.attached_to(db, sweep.id)), beyond))


def expected_beside(db: Connection, sweep: Sweep, beside: Beside) -> int | None:
    """Count the runs a sweep will have, of which it is known what it has beside those that its file asks for."""
    if not beside.learns:
        return sweep.definition.expected_beside(beyond=beside.beyond)
    # only what earlier runs have tried already makes a search shorter than its definition says
    return search.expected_runs(sweep.definition, run_digests.all_of(db, sweep), beyond=beside.beyond)
