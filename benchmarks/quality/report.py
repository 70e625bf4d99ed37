"""Regrets of engines, summed up beside W&B's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from quality.problems import Problem

Array = npt.NDArray[np.float64]

FLOOR = 1e-3
"""Smaller regrets count as this: beyond it there is nothing to win."""
FAILED = 10.0
"""The regret while every run has failed, and the largest that counts."""
RESAMPLES = 2000


class Cell(NamedTuple):
    """One sweep of the benchmark."""

    engine: str
    problem: str
    workers: int
    seed: int


def regrets(traces: Mapping[Cell, Array], problems: Mapping[str, Callable[[], Problem]]) -> dict[Cell, Array]:
    """Normalise losses: 0 is the optimum, 1 the median random configuration."""
    made = {name: make() for name, make in problems.items()}
    scales = {name: (problem.best, problem.reference()) for name, problem in made.items()}
    found = {}
    for cell, trace in traces.items():
        best, reference = scales[cell.problem]
        found[cell] = np.clip((trace - best) / (reference - best), 0.0, FAILED)
    return found


def _by_problem(found: Mapping[Cell, Array], engine: str, workers: int, at: int) -> dict[str, dict[int, float]]:
    """Give problem -> seed -> regret after so many results (or the last ones there are)."""
    chosen: dict[str, dict[int, float]] = {}
    for cell, trace in found.items():
        if (cell.engine, cell.workers) == (engine, workers):
            chosen.setdefault(cell.problem, {})[cell.seed] = float(trace[min(at, len(trace)) - 1])
    return chosen


def _geometric(columns: Sequence[Array]) -> float:
    """Give the geometric mean over problems of the median over seeds."""
    return float(np.exp(np.mean([np.log(max(FLOOR, float(np.median(column)))) for column in columns])))


class _Pair(NamedTuple):
    """Two engines on the sweeps both have run, an array over seeds per problem."""

    ours: list[Array]
    theirs: list[Array]

    def ratio(self) -> float:
        return _geometric(self.ours) / _geometric(self.theirs)

    def wins(self) -> float:
        pairs = zip(self.ours, self.theirs, strict=True)
        return float(np.mean(np.concatenate([(a < b) + 0.5 * (a == b) for a, b in pairs])))

    def resampled(self, rng: np.random.Generator) -> _Pair:
        draws = [rng.integers(len(column), size=len(column)) for column in self.ours]
        return _Pair(*([column[d] for column, d in zip(side, draws, strict=True)] for side in self))


def _pair(ours: dict[str, dict[int, float]], theirs: dict[str, dict[int, float]]) -> _Pair:
    common = {name: sorted(ours[name].keys() & theirs[name].keys()) for name in ours if name in theirs}
    sides = (
        [np.array([side[name][seed] for seed in seeds]) for name, seeds in common.items()] for side in (ours, theirs)
    )
    return _Pair(*sides)


def table(found: Mapping[Cell, Array], *, workers: int, engines: Sequence[str], against: str) -> str:
    """Write the comparison for one number of workers."""
    lines = [
        f"{workers} at a time",
        f"{'engine':14}{'seeds':>6}{'@20':>8}{'@50':>8}   ratio to W&B's, @50     wins, @50",
    ]
    theirs = _by_problem(found, against, workers, 50)
    for engine in engines:
        late, early = (_by_problem(found, engine, workers, at) for at in (50, 20))
        if not late:
            continue
        seeds = max(len(values) for values in late.values())
        at = [_geometric([np.array(list(values.values())) for values in side.values()]) for side in (early, late)]
        line = f"{engine:14}{seeds:6}{at[0]:8.4f}{at[1]:8.4f}"
        lines.append(line + (_compared(_pair(late, theirs)) if theirs and engine != against else ""))
    return "\n".join([*lines, ""])


def _compared(pair: _Pair) -> str:
    rng = np.random.default_rng(0)
    again = [pair.resampled(rng) for _ in range(RESAMPLES)]
    ratio, wins = ([np.quantile([f(p) for p in again], q) for q in (0.025, 0.975)] for f in (_Pair.ratio, _Pair.wins))
    return (
        f"   {pair.ratio():5.2f} [{ratio[0]:.2f}, {ratio[1]:.2f}]"
        f"     {100 * pair.wins():3.0f}% [{100 * wins[0]:.0f}, {100 * wins[1]:.0f}]"
    )


def details(found: Mapping[Cell, Array], *, workers: int, engines: Sequence[str]) -> str:
    """Write the median regret after 50 results on every problem."""
    names = list(dict.fromkeys(cell.problem for cell in found))
    lines = ["".join(["problem".ljust(26), *(engine.rjust(14) for engine in engines)])]
    for name in names:
        values = [_by_problem(found, engine, workers, 50).get(name, {}) for engine in engines]
        shown = [f"{np.median(list(v.values())):14.4f}" if v else "-".rjust(14) for v in values]
        lines.append(name.ljust(26) + "".join(shown))
    return "\n".join([*lines, ""])
