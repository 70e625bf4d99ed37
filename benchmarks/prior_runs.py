"""How long it takes to attach earlier runs by their ids, as `wandb.sweep(prior_runs=[...])` asks for it.

In one process, on a database on disk: reading the runs that the filter names, once looked up by their names and once by
holding the filter against every run of the project, which is what any other filter costs. Then all of `attach`.

    .venv/bin/python benchmarks/prior_runs.py [--ids 1000] [--runs 2001]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from sweeper.server.rules import prior_runs
from sweeper.server.store import lines, projects, run_filters, runs, sweeps, users
from sweeper.server.store.lines import HistoryLine

SWEEP = {
    "method": "random",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"min": 0.0, "max": 1.0}},
}


def timed(task: Callable[[], object]) -> float:
    """Give a task's seconds on the clock."""
    began = time.perf_counter()
    task()
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ids", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=2001)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store, now = users.open_store(Path(folder)), time.time()
        with store.write() as db:
            user = users.ensure_user(db, "local", "benchmark-" + "0" * 40, now=now)
            place, text = projects.ensure(db, "local", "p", now=now), yaml.safe_dump(SWEEP)
            old, new = (
                sweeps.create(db, place.id, text, user_id=user.id, seed=seed, display_name=None, now=now)
                for seed in (1, 2)
            )
            made = [runs.propose(db, old, {"lr": i / args.runs}, now=now, origin={}) for i in range(args.runs)]
            for run in made:
                lines.put_metric(db, old.id, run.id, "loss", [HistoryLine(0, "", {"loss": 1.0})])
        wanted = json.dumps({"$or": [{"name": run.name} for run in made[: args.ids]]})
        with store.read() as db:
            compared = timed(lambda: run_filters.find(db, place.id, wanted))
            found = timed(lambda: prior_runs.chosen(db, place.id, wanted))
        with store.write() as db:
            attached = timed(lambda: prior_runs.attach(db, new, wanted))
        store.close()
    print(f"{args.ids} ids, {args.runs} runs in the project")
    print(f"compared with every run: {compared:.3f} s, looked up: {found:.3f} s, {compared / found:.0f} times as fast")
    print(f"all of attach, which looks them up: {attached:.3f} s")


if __name__ == "__main__":
    main()
