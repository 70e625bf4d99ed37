"""All runs of a sweep as its page draws them: a column for each thing that runs have, and later only what has changed.

Of ten thousand runs an object for each would be three times as much to send and to read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from starlette.requests import Request

from sweeper.run import Run
from sweeper.search.history_gap import usual_iterations, why_not_whole
from sweeper.search.missing_metric import missing_metrics
from sweeper.search.savings import saved_seconds
from sweeper.server.errors import RequestError
from sweeper.server.page_data.answers import SWEEP, data_route, find_sweep
from sweeper.server.store import key_extremes, logged_keys, run_digests, run_times
from sweeper.server.store.database import Connection
from sweeper.server.store.run_times import RunTimes
from sweeper.server.store.sweeps import Sweep

DIGITS = 8
"""Of a number, unless all are asked for: a picture shows four, and what a network computes in has seven."""
Row = tuple[int, Run]


def _read(db: Connection, request: Request) -> dict[str, Any]:
    """Answer the columns of all runs, or with `?since=T` of those that have not ended or did so since then.

    `?exact=1` asks for every digit. Times are seconds since `base`. What is told of all runs together (`metrics`, the
    names of logged numbers; `saved_s`; `missing`) comes with the whole answer only.
    """
    sweep, now = find_sweep(db, request), time.time()
    since = _since(request.query_params.get("since"))
    digits = _digits(request)
    rows = list(_rows(db, sweep, since))
    told = {
        "now": now,
        "base": sweep.created_at,
        "total": run_digests.count(db, sweep.id),
        **columns(sweep, rows, run_times.of_runs(db, [place for place, _ in rows]), digits=digits),
    }
    if since is None:
        known = [run for _, run in rows]
        told["metrics"] = logged_keys.numbers(db, sweep.id)
        told["saved_s"] = saved_seconds([run for run in known if not run.prior])
        told["missing"] = [metric.message for metric in missing_metrics(sweep.definition, known)]
    return told


def _digits(request: Request) -> int:
    return 17 if request.query_params.get("exact") else DIGITS


def _since(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return float(text)
    except ValueError as error:
        raise RequestError(f"since: {text[:100]!r} is no time") from error


def _rows(db: Connection, sweep: Sweep, since: float | None) -> Iterable[Row]:
    after = 0
    while found := run_digests.page(db, sweep, after=after, since=since):
        yield from found
        after = found[-1][0]


def columns(sweep: Sweep, rows: Sequence[Row], times: dict[int, RunTimes], *, digits: int = DIGITS) -> dict[str, Any]:
    """Turn runs into columns.

    Args:
        sweep: Their sweep.
        rows: The runs, each behind its row id.
        times: When each was at work, by row id.
        digits: How many of a number count.
    """
    known, lives = [run for _, run in rows], [times[place] for place, _ in rows]
    usual = usual_iterations(known)
    goal, several = sweep.definition.goal, sweep.definition.several
    short = _shortened(digits)
    base = sweep.created_at
    after = [life.started_at for life in lives]
    ranges = [_range(run) for run in known]
    return {
        "runs": {
            "id": [run.id for run in known],
            "name": [run.name for run in known],
            "state": [run.state.value for run in known],
            "leads": [int(run.may_lead) for run in known],
            "prior": [int(run.prior) for run in known],
            "value": [short((run.values or (None,))[0] if several else run.best(goal)) for run in known],
            "last": [short(run.last) for run in known],
            "low": [short(low) for low, _ in ranges],
            "high": [short(high) for _, high in ranges],
            "iterations": [run.iterations for run in known],
            "values": [[short(value) for value in run.values] for run in known] if several else [],
            "created": [_from(base, life.created_at) for life in lives],
            "started": [_from(base, at) for at in after],
            "ended": [_from(base, life.ended_at) for life in lives],
            # an end is told already
            "heard": [None if life.ended_at else _from(base, life.heard_at) for life in lives],
            "host": [life.host or "" for life in lives],
            "slot": [life.slot or "" for life in lives],
            "retries": [life.attempt - 1 for life in lives],
            "reason": [run.reason or why_not_whole(run, usual) for run in known],
        },
        "params": _params(sweep, known, short),
    }


def _range(run: Run) -> tuple[float | None, float | None]:
    if run.digest:
        return run.digest.lowest, run.digest.highest
    return (min(run.history), max(run.history)) if run.history else (None, None)


def _from(base: float, at: float | None) -> float | None:
    return None if at is None else round(at - base, 2)


def _shortened(digits: int) -> Callable[[Any], Any]:
    def short(value: Any) -> Any:
        return float(f"{value:.{digits}g}") if type(value) is float else value

    return short


def _params(sweep: Sweep, known: Sequence[Run], short: Callable[[Any], Any]) -> dict[str, Any]:
    """Give each parameter's value in each run; where it was not active, it is `absent`, for None is a value."""
    names = dict.fromkeys(sweep.definition.space.distributions)
    names |= dict.fromkeys(name for run in known for name in run.params)
    found: dict[str, Any] = {}
    for name in names:
        absent = [place for place, run in enumerate(known) if name not in run.params]
        found[name] = {"values": [short(run.params.get(name)) for run in known], "absent": absent}
    return found


def _metric(db: Connection, request: Request) -> dict[str, Any]:
    """Answer the `last`, `min` and `max` of the numbers logged under `?key=`, of each run in `ids` that has some.

    `?exact=1` asks for every digit.
    """
    sweep, key = find_sweep(db, request), request.query_params.get("key", "")
    names = run_digests.names_by_row(db, sweep.id)
    found = key_extremes.extremes(db, names, [key])
    short = _shortened(_digits(request))
    values = {names[place]: [short(number) for number in by_key[key]] for place, by_key in found.items()}
    columns = list(zip(*values.values(), strict=True)) or [(), (), ()]
    return {"ids": list(values), **dict(zip(("last", "min", "max"), columns, strict=True))}


ROUTES = [data_route(SWEEP + "/runs", _read), data_route(SWEEP + "/metric", _metric)]
