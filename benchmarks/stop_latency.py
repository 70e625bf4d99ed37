"""How long the server takes to decide about a value that a run has logged, by the size of the sweep.

Fills a database on disk with runs of 100 values each, then judges a running run by W&B's rule at its highest rung: by
looking up the values at the rung, as the server does, and by reading all histories, as `stop_decision` wants them.

    .venv/bin/python benchmarks/stop_latency.py
"""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from sweeper.run import RunState
from sweeper.search import stop_decision
from sweeper.server.rules.early_termination import judge
from sweeper.server.store import lines, projects, runs, seen_runs, sweeps, users
from sweeper.server.store.database import Store
from sweeper.server.store.lines import HistoryLine
from sweeper.server.store.sweeps import Sweep

VALUES, REPEATS = 100, 50
DEFINITION = {
    "method": "random",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"x": {"min": 0.0, "max": 1.0}},
    "early_terminate": {"type": "hyperband", "min_iter": 3},
}


def filled(store: Store, size: int) -> tuple[Sweep, int]:
    """Store a sweep of ended runs and a running one, the best of all; give the sweep and that run."""
    rng = random.Random(1)  # noqa: S311 no secret
    with store.write() as db:
        user = users.ensure_user(db, "local", "k" * 40, now=0)
        place = projects.ensure(db, "local", "p", now=0)
        text = yaml.safe_dump(DEFINITION)
        sweep = sweeps.create(db, place.id, text, user_id=user.id, seed=1, display_name=None, now=0)
        for number in range(size + 1):
            run = runs.propose(db, sweep, {"x": 0.5}, now=0, origin={})
            best = number == size
            runs.update(db, run.id, state=RunState.RUNNING if best else RunState.FINISHED)
            values = [0.0 if best else rng.random() for _ in range(VALUES)]
            rows = [{"loss": value} for value in values]
            history = [HistoryLine(i, json.dumps(row), row) for i, row in enumerate(rows)]
            lines.put_metric(db, sweep.id, run.id, "loss", history)
    return sweep, run.id


def whole_histories(store: Store, sweep: Sweep) -> None:
    """Decide as `stop_decision` does, on all runs with all they logged."""
    with store.read() as db:
        known = seen_runs.for_search(db, sweep)
    stop_decision(sweep.definition, known[-1], known)


def milliseconds(action: Callable[[], None], repeats: int) -> list[float]:
    """Time an action again and again."""
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        action()
        taken.append(1000 * (time.perf_counter() - began))
    return taken


def main() -> None:
    """Print the table."""
    print(f"{'runs':>6}{'look-up p50':>14}{'max':>10}{'histories p50':>16}{'ratio':>8}   (ms; {VALUES} values a run)")
    for size in (100, 1000, 3000, 10_000):
        with tempfile.TemporaryDirectory() as folder:
            store = Store(Path(folder) / "db")
            sweep, run_id = filled(store, size)
            own = milliseconds(lambda: judge(store, run_id, now=1.0, since_line=VALUES - 1), REPEATS)  # noqa: B023
            whole = milliseconds(lambda: whole_histories(store, sweep), 5)  # noqa: B023
            store.close()
        middle, slow = statistics.median(own), statistics.median(whole)
        print(f"{size:6}{middle:14.2f}{max(own):10.2f}{slow:16.1f}{slow / middle:7.0f}x")


if __name__ == "__main__":
    main()
