"""How good the suggestions of `method: bayes` are, beside W&B's open engine, Optuna's samplers and random search.

Asynchronous workers on a virtual clock (1, 4 and 8 at a time), 50 runs, ten seeds, ten problems. The score is the
normalised regret of the best run so far: the true loss of the run with the best logged loss, 0 at the optimum and 1 at
the median random configuration. For each engine: the geometric mean over the problems of the median regret after 20 and
after 50 results (floored at 0.001), its ratio to W&B's and how often the engine beats W&B's, both after 50 and with a
95% bootstrap interval over the seeds.

    .venv/bin/python benchmarks/search.py            # hours the first time: what the other engines did is kept
    .venv/bin/python benchmarks/search.py --quick    # minutes: three seeds, without Optuna's Gaussian process
    .venv/bin/python benchmarks/search.py --held-out # on problems the engine was not chosen by
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by NumPy and torch when they are imported

import numpy as np
from quality import report
from quality.engines import CACHE, ENGINES, WANDB
from quality.held_out import HELD_OUT
from quality.problems import PROBLEMS
from quality.simulation import simulate

OURS = "sweeper"
SLOW = "optuna GP"
TRACES = CACHE / "traces.jsonl"


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three seeds, 1 and 8 workers, no slow engine")
    parser.add_argument("--held-out", action="store_true", help="the other problems")
    parser.add_argument("--engines", help="names, separated by commas", default=",".join(ENGINES))
    parser.add_argument("--seeds", type=int, help="how many (10)")
    parser.add_argument("--workers", help="how many at a time (1,4,8)")
    parser.add_argument("--evaluations", type=int, default=50, help="runs per sweep (50)")
    parser.add_argument("--details", action="store_true", help="the median regret on every problem too")
    found = parser.parse_args()
    found.seeds = found.seeds or (3 if found.quick else 10)
    found.workers = [int(q) for q in (found.workers or ("1,8" if found.quick else "1,4,8")).split(",")]
    found.engines = [name for name in found.engines.split(",") if not (found.quick and name == SLOW)]
    return found


def kept() -> dict[report.Cell, list[float]]:
    """Read what engines did before; ours is measured anew each time."""
    lines = TRACES.read_text().splitlines() if TRACES.exists() else []
    found = (json.loads(line) for line in lines)
    return {
        report.Cell(line["engine"], line["problem"], line["workers"], line["seed"]): line["trace"]
        for line in found
        if line["engine"] != OURS
    }


def cells(options: argparse.Namespace, names: list[str]) -> Iterator[report.Cell]:
    """List what is to be measured."""
    for seed in range(options.seeds):
        for workers in options.workers:
            for engine in options.engines:
                yield from (report.Cell(engine, name, workers, seed) for name in names)


def measure(cell: report.Cell, evaluations: int) -> list[float]:
    """Run one sweep."""
    problem = {**PROBLEMS, **HELD_OUT}[cell.problem]()
    engine = ENGINES[cell.engine](problem.parameters, cell.seed)
    try:
        return simulate(engine, problem, workers=cell.workers, evaluations=evaluations, seed=cell.seed)
    finally:
        engine.close()


def remember(cell: report.Cell, trace: list[float]) -> None:
    """Keep what an engine did."""
    TRACES.parent.mkdir(exist_ok=True)
    with TRACES.open("a") as file:
        file.write(json.dumps({**cell._asdict(), "trace": trace}) + "\n")


def main() -> None:
    """Measure what is missing and print the table."""
    options = arguments()
    problems = HELD_OUT if options.held_out else PROBLEMS
    traces = kept() if options.evaluations == 50 else {}
    wanted = list(cells(options, list(problems)))
    missing = [cell for cell in wanted if cell not in traces]
    for done, cell in enumerate(missing):
        print(f"\r{done}/{len(missing)} {cell.engine} {cell.problem}".ljust(70), end="", file=sys.stderr)
        traces[cell] = measure(cell, options.evaluations)
        if cell.engine != OURS and options.evaluations == 50:
            remember(cell, traces[cell])
    print("\r".ljust(70) + "\r", end="", file=sys.stderr)
    regrets = report.regrets({cell: np.array(traces[cell]) for cell in wanted}, problems)
    for workers in options.workers:
        print(report.table(regrets, workers=workers, engines=options.engines, against=WANDB))
        if options.details:
            print(report.details(regrets, workers=workers, engines=options.engines))


if __name__ == "__main__":
    main()
