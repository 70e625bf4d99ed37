"""Ladders of rungs and who passes them: the arithmetic of W&B's early termination (`sweeps` 0.3.0) and of ours.

Despite the name, W&B's hyperband is one asynchronous successive-halving ladder (Li et al., arXiv 1810.05934) with
R = max_iter, eta, and s rungs below R. An iteration is the n-th finite logged value of the metric, not W&B's `_step`.

Thresholds are for values of which less is better; the caller negates those of a metric to be maximised.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

MAX_RUNGS = 100
"""W&B's ladder ends here, which only an eta close to 1 ever reaches."""

MAX_STEPS = 10_000
"""The same from above: as many as an eta of 1.001 can be told apart by, so that no `s` of a file takes for ever."""

_NO_RUN_GETS_THERE = 10**15


@lru_cache(maxsize=256)
def rising(first: int, eta: float, below: int | None = None) -> tuple[int, ...]:
    """List first * eta^i, cut to integers, lowest first, all of them or those below a top.

    Climbed by repeated multiplication, as W&B does: the power itself rounds to other integers in places.
    """
    top = below or _NO_RUN_GETS_THERE
    return tuple(sorted({rung for rung in _climb(first, eta) if rung < top}))


@lru_cache(maxsize=256)
def falling(top: int, eta: float, number: int) -> tuple[int, ...]:
    """List top / eta^i for i = 1 to `number` while it is at least 1, cut to integers, lowest first."""
    return tuple(sorted(set(_descend(top, eta, number))))


def _climb(first: float, eta: float) -> Iterator[int]:
    rung = first
    for _ in range(MAX_RUNGS):
        if rung >= _NO_RUN_GETS_THERE:
            return
        yield int(rung)
        rung *= eta


def _descend(top: float, eta: float, number: int) -> Iterator[int]:
    rung = top
    for _ in range(min(number, MAX_STEPS)):
        rung /= eta
        if rung < 1:
            return
        yield int(rung)


def wandb_threshold(values: Sequence[float], eta: float) -> float:
    """Give the worst value that passes W&B's rung: the best 1/eta of the values and one more.

    1/eta is rounded before it is multiplied, as in `sweeps` 0.3.0: for 49 runs and eta 49 the index is 0, not 1.
    """
    return sorted(values)[int(1.0 / eta * len(values))]


def share_threshold(values: Sequence[float], share: float) -> float:
    """Give the worst value among the best share of the values: as many as come nearest to it, at least one."""
    return sorted(values)[max(1, round(share * len(values))) - 1]
