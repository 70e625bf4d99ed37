"""Asynchronous workers on a virtual clock."""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from quality.problems import Problem

LENGTH_SIGMA = 0.5
"""Runs take lognormal(0, 0.5) units of time."""


class Engine(Protocol):
    """A search engine with the runs of one sweep."""

    def ask(self) -> Mapping[str, Any]:
        """Propose the next run; the proposal counts as running from now on."""

    def tell(self, number: int, loss: float) -> None:
        """Report the loss of the n-th proposal; NaN if it failed."""

    def close(self) -> None:
        """End what was started for it."""


def simulate(engine: Engine, problem: Problem, *, workers: int, evaluations: int, seed: int) -> list[float]:
    """Run one sweep.

    Noise and length of a run depend on (seed, number of the run) alone, so all engines meet the same.

    Returns:
        After each result, the true loss of the run with the best logged loss (infinite until one has one).
    """
    asked: list[Mapping[str, Any]] = []
    busy: list[tuple[float, int]] = []
    trace: list[float] = []
    best_logged, best_true = math.inf, math.inf

    def start(now: float) -> None:
        length = np.random.default_rng([seed, len(asked), 1]).lognormal(0, LENGTH_SIGMA)
        heapq.heappush(busy, (now + length, len(asked)))
        asked.append(engine.ask())

    for _ in range(min(workers, evaluations)):
        start(0.0)
    while busy:
        now, number = heapq.heappop(busy)
        logged = problem.observe(asked[number], np.random.default_rng([seed, number, 2]))
        engine.tell(number, logged)
        if logged < best_logged:
            best_logged, best_true = logged, problem.true(asked[number])
        trace.append(best_true)
        if len(asked) < evaluations:
            start(now)
    return trace
