"""Hypervolume after 50 runs with several metrics: ours beside Optuna's samplers and random search, in one run.

    python benchmarks/several_metrics.py [--seeds 5] [--runs 50] [--workers 1]

The number is the share of the volume below the problem's known front that is still undominated: 0 is the whole front.
The next lines give ours over each of the others as a geometric mean over the problems, medians over seeds.

The last table is the CPU time of one suggestion, with eight runs under way; `--seeds 0` prints it alone.

Problems: ZDT1, ZDT3 (Zitzler, Deb, Thiele 2000), six axes; DTLZ2 (Deb et al. 2002), three metrics, six axes;
Branin-Currin (Belakaria et al. 2019), two axes.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by NumPy when it is imported

import optuna

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import Run, RunState
from sweeper.search import suggest

Point = Sequence[float]
FINISHED = (40, 300, 1000, 3000)
PENDING = 8
ASKS = 5


@dataclass(frozen=True)
class Problem:
    """Metrics to minimise over a unit cube.

    Attributes:
        axes: How many axes.
        worst: Where the volume is measured from.
        best: The volume of the known front.
        measure: The metrics at a point.
    """

    axes: int
    worst: tuple[float, ...]
    best: float
    measure: Callable[[Point], tuple[float, ...]]


def zdt1(x: Point) -> tuple[float, ...]:
    """A convex front: f2 = 1 - sqrt(f1)."""
    g = 1 + 9 * statistics.fmean(x[1:])
    return x[0], g * (1 - math.sqrt(x[0] / g))


def zdt3(x: Point) -> tuple[float, ...]:
    """A front in five pieces."""
    g = 1 + 9 * statistics.fmean(x[1:])
    return x[0], g * (1 - math.sqrt(x[0] / g) - x[0] / g * math.sin(10 * math.pi * x[0]))


def dtlz2(x: Point) -> tuple[float, ...]:
    """An eighth of a sphere."""
    g = 1 + sum((v - 0.5) ** 2 for v in x[2:])
    a, b = x[0] * math.pi / 2, x[1] * math.pi / 2
    return g * math.cos(a) * math.cos(b), g * math.cos(a) * math.sin(b), g * math.sin(a)


def branin_currin(x: Point) -> tuple[float, ...]:
    """Two unlike functions of two axes."""
    u, v = 15 * x[0] - 5, 15 * x[1]
    branin = (v - 5.1 / (4 * math.pi**2) * u**2 + 5 / math.pi * u - 6) ** 2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(u)
    a, b = x
    lead = 1 - math.exp(-1 / (2 * b)) if b > 0 else 1.0
    currin = lead * (2300 * a**3 + 1900 * a**2 + 2092 * a + 60) / (100 * a**3 + 500 * a**2 + 4 * a + 20)
    return branin + 10, currin


def volume(rows: Sequence[tuple[float, ...]], worst: Sequence[float]) -> float:
    """Measure what rows of losses dominate below `worst`, slice by slice along the last metric."""
    inside = sorted((row for row in rows if all(v < w for v, w in zip(row, worst, strict=True))), key=lambda r: r[-1])
    if not inside:
        return 0.0
    if len(worst) == 1:
        return worst[0] - inside[0][0]
    total, shown = 0.0, []
    for row, after in zip(inside, [*[row[-1] for row in inside[1:]], worst[-1]], strict=True):
        shown.append(row[:-1])
        if after > row[-1]:
            total += (after - row[-1]) * volume(shown, worst[:-1])
    return total


def _front(measure: Callable[[float], tuple[float, ...]], worst: Sequence[float]) -> float:
    return volume([measure(i / 4000) for i in range(4001)], worst)


PROBLEMS = {
    "ZDT1": Problem(6, (1.1, 6.0), _front(lambda t: zdt1([t, *[0.0] * 5]), (1.1, 6.0)), zdt1),
    "ZDT3": Problem(6, (1.1, 6.0), _front(lambda t: zdt3([t, *[0.0] * 5]), (1.1, 6.0)), zdt3),
    "DTLZ2": Problem(6, (1.1, 1.1, 1.1), 1.1**3 - math.pi / 6, dtlz2),
    # the volume that BoTorch's test function names for this corner
    "Branin-Currin": Problem(2, (18.0, 6.0), 59.36011874867746, branin_currin),
}


def ours(problem: Problem, runs: int, workers: int, seed: int) -> list[tuple[float, ...]]:
    """Search as the server does, with so many runs under way."""
    definition, known = _definition(problem), list[Run]()
    for number in range(runs):
        suggestion = suggest(definition, known, seed=seed)
        if suggestion is None:
            raise RuntimeError("a continuous space is never exhausted")
        known.append(Run(id=str(number), state=RunState.RUNNING, params=suggestion.params))
        if number + 1 >= workers:
            _end(known, number + 1 - workers, problem)
    for number in range(max(0, runs - workers + 1), runs):
        _end(known, number, problem)
    return [run.values for run in known]


def _definition(problem: Problem) -> SweepDefinition:
    return SweepDefinition.model_validate(
        {
            "method": "bayes",
            "metrics": [{"name": f"m{i}"} for i in range(len(problem.worst))],
            "parameters": {f"x{i}": {"min": 0.0, "max": 1.0} for i in range(problem.axes)},
        }
    )


def _end(known: list[Run], number: int, problem: Problem) -> None:
    params = known[number].params
    values = problem.measure([params[f"x{i}"] for i in range(problem.axes)])
    known[number] = Run(id=str(number), state=RunState.FINISHED, params=params, values=values)


def of_optuna(sampler: Callable[[int], optuna.samplers.BaseSampler]) -> Callable[..., list[tuple[float, ...]]]:
    """Search with a sampler of Optuna's, at its defaults."""

    def search(problem: Problem, runs: int, workers: int, seed: int) -> list[tuple[float, ...]]:
        study = optuna.create_study(directions=["minimize"] * len(problem.worst), sampler=sampler(seed))
        going: list[tuple[optuna.Trial, tuple[float, ...]]] = []
        for _ in range(runs):
            trial = study.ask()
            values = problem.measure([trial.suggest_float(f"x{i}", 0, 1) for i in range(problem.axes)])
            going.append((trial, values))
            if len(going) >= workers:
                study.tell(*going.pop(0))
        for trial, values in going:
            study.tell(trial, values)
        return [tuple(trial.values) for trial in study.trials]

    return search


def at_random(problem: Problem, runs: int, workers: int, seed: int) -> list[tuple[float, ...]]:  # noqa: ARG001
    """Draw."""
    rng = random.Random(seed)  # noqa: S311 no secret
    return [problem.measure([rng.random() for _ in range(problem.axes)]) for _ in range(runs)]


ENGINES = {
    "ours": ours,
    "Optuna NSGA-II": of_optuna(lambda seed: optuna.samplers.NSGAIISampler(seed=seed)),
    "Optuna TPE": of_optuna(lambda seed: optuna.samplers.TPESampler(seed=seed)),
    "random": at_random,
}


def _cpu_ms(ask: Callable[[int], object], asks: int) -> float:
    """Time asks, each with a seed of its own."""
    spent = []
    for seed in range(asks):
        began = time.process_time()
        ask(seed)
        spent.append(1000 * (time.process_time() - began))
    return statistics.median(spent)


def our_cost(problem: Problem, finished: int) -> float:
    """Time a suggestion of ours."""
    definition, rng = _definition(problem), random.Random(finished)  # noqa: S311 no secret
    params = [definition.space.sample(rng) for _ in range(finished + PENDING)]
    known = [Run(id=str(number), state=RunState.RUNNING, params=drawn) for number, drawn in enumerate(params)]
    for number in range(finished):
        _end(known, number, problem)
    return _cpu_ms(lambda seed: suggest(definition, known, seed=seed), ASKS)


def their_cost(problem: Problem, finished: int) -> float:
    """Time a suggestion of Optuna's TPE."""
    rng, axes = random.Random(finished), [f"x{i}" for i in range(problem.axes)]  # noqa: S311 no secret
    study = optuna.create_study(
        directions=["minimize"] * len(problem.worst), sampler=optuna.samplers.TPESampler(seed=0)
    )
    limits: dict[str, optuna.distributions.BaseDistribution] = dict.fromkeys(
        axes, optuna.distributions.FloatDistribution(0, 1)
    )
    for number in range(finished + PENDING):
        point = [rng.random() for _ in axes]
        ended = number < finished
        study.add_trial(
            optuna.trial.create_trial(
                state=optuna.trial.TrialState.COMPLETE if ended else optuna.trial.TrialState.RUNNING,
                params=dict(zip(axes, point, strict=True)),
                distributions=limits,
                values=problem.measure(point) if ended else None,
            )
        )
    return _cpu_ms(lambda _: study.ask(limits), 2)  # each leaves one more under way


def print_costs() -> None:
    """Print the CPU time of suggestions."""
    print(f"CPU ms per suggestion, {PENDING} runs under way, one thread")
    print(f"{'metrics':>7}{'finished':>10}{'ours':>8}{'Optuna TPE':>12}{'ours / TPE':>12}")
    our_cost(PROBLEMS["ZDT1"], 10)  # imports
    for title in ("ZDT1", "DTLZ2"):
        problem = PROBLEMS[title]
        for finished in FINISHED:
            mine, theirs = our_cost(problem, finished), their_cost(problem, finished)
            columns = f"{len(problem.worst):7}{finished:10}{mine:8.0f}{theirs:12.0f}{mine / theirs:12.2f}"
            print(columns, flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if asked.seeds:
        print_shares(asked)
    print_costs()


def print_shares(asked: argparse.Namespace) -> None:
    """Print what each engine leaves undominated."""
    left: dict[str, list[float]] = {name: [] for name in ENGINES}
    print(f"undominated share after {asked.runs} runs, {asked.workers} under way, median of {asked.seeds} seeds")
    for title, problem in PROBLEMS.items():
        for name, engine in ENGINES.items():
            began = time.perf_counter()
            found = [engine(problem, asked.runs, asked.workers, seed) for seed in range(asked.seeds)]
            missing = statistics.median(1 - volume(rows, problem.worst) / problem.best for rows in found)
            left[name].append(max(missing, 1e-6))
            seconds = (time.perf_counter() - began) / asked.runs / asked.seeds
            print(f"{title:14} {name:15} {missing:8.4f}   {1000 * seconds:5.0f} ms a suggestion", flush=True)
    for name, shares in left.items():
        if name != "ours":
            ratio = statistics.geometric_mean(a / b for a, b in zip(left["ours"], shares, strict=True))
            print(f"ours / {name}: {ratio:.2f}")


if __name__ == "__main__":
    main()
