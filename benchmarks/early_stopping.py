"""How much sooner a sweep ends with early termination, by rule, at which final value: real learning curves replayed.

240 small networks on digits, 32 epochs each (`data/README.md`). Each sweep takes 200 of them in random order with 8
asynchronous workers on a virtual clock, and asks our own rules about every value when it is logged, W&B's too: W&B's
cloud itself looks once every few minutes. The same orders for all rules. Prints, over the orders, the median and the
quartiles of the whole sweep's time against no stopping and against W&B's rule with the same first rung, and of the
loss in the final (best) value.

    .venv/bin/python benchmarks/early_stopping.py [--orders 24]
"""

from __future__ import annotations

import argparse
import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sweeper.definition.early_terminate import Asha, Hyperband, Median, StoppingRule
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.search import Judged, Reached, judge

CURVES = Path(__file__).parent / "data" / "curves_mlp_digits.npz"
WORKERS, RUNS = 8, 200
Curves = npt.NDArray[np.float64]
PLAIN = {"method": "random", "parameters": {"x": {"min": 0.0, "max": 1.0}}, "metric": {"name": "m"}}


def hyperband(first: int, *, strict: bool = True) -> Hyperband:
    """Give W&B's rule with its default eta."""
    return Hyperband(type="hyperband", min_iter=first, eta=3, strict=strict)


def asha(first: int, eta: int) -> Asha:
    """Give ASHA for runs of 32 iterations."""
    return Asha(type="asha", min_iter=first, max_iter=32, eta=eta)


WANDB, WANDB_3 = "W&B's, min_iter 1", "W&B's, min_iter 3"
# name: (rule, W&B's rule with the same first rung)
RULES: dict[str, tuple[StoppingRule | None, str]] = {
    "no stopping": (None, WANDB),
    WANDB: (hyperband(1), WANDB),
    "W&B's, min_iter 1, strict false": (hyperband(1, strict=False), WANDB),
    WANDB_3: (hyperband(3), WANDB_3),
    "asha, min_iter 1, eta 3": (asha(1, 3), WANDB),
    "asha, min_iter 1, eta 4": (asha(1, 4), WANDB),
    "asha, min_iter 1 (eta 5)": (asha(1, 5), WANDB),
    "asha, min_iter 1, eta 8": (asha(1, 8), WANDB),
    "asha, min_iter 3 (eta 5)": (asha(3, 5), WANDB_3),
    "median (warm_up 1, percentile 33)": (Median(type="median"), WANDB),
    "median, warm_up 0": (Median(type="median", warm_up=0), WANDB),
    "median, percentile 50": (Median(type="median", percentile=50), WANDB),
    "median, warm_up 2": (Median(type="median", warm_up=2), WANDB_3),
}


@dataclass(frozen=True, slots=True)
class Sweep:
    """How a sweep went: seconds until its last run ended, share of the epochs trained, best value."""

    seconds: float
    trained: float
    best: float


def replay(rule: StoppingRule | None, curves: Curves, epoch_s: Curves, order: Sequence[int]) -> Sweep:
    """Run one sweep on the virtual clock."""
    given = {} if rule is None else {"early_terminate": rule.model_dump(exclude_unset=True)}
    beyond = given if isinstance(rule, Hyperband) else {"sweeper": given}
    definition = SweepDefinition.model_validate({**PLAIN, **beyond})
    waiting, now = list(order)[::-1], 0.0
    logged: dict[int, list[float]] = {}
    events = [(0.0, worker, waiting.pop()) for worker in range(WORKERS)]
    events = [(float(epoch_s[config]), worker, config) for _, worker, config in events]
    heapq.heapify(events)
    while events:
        now, worker, config = heapq.heappop(events)
        history = logged.setdefault(config, [])
        history.append(float(curves[config, len(history)]))
        if len(history) == curves.shape[1] or stops(definition, config, logged):
            if not waiting:
                continue
            config = waiting.pop()
        heapq.heappush(events, (now + float(epoch_s[config]), worker, config))
    trained = sum(map(len, logged.values())) / (RUNS * curves.shape[1])
    return Sweep(now, trained, min(map(min, logged.values())))


def stops(definition: SweepDefinition, config: int, logged: dict[int, list[float]]) -> bool:
    """Ask the rule about the value just logged."""
    history = logged[config]
    others = [values for other, values in logged.items() if other != config]

    def reached(values: list[float], n: int) -> Reached:
        return Reached(values[n - 1], min(values[:n]))

    def others_at(n: int) -> list[Reached]:
        return [reached(values, n) for values in others if len(values) >= n]

    now = len(history)
    run = Judged(id=str(config), before=now - 1, now=now, at=partial(reached, history))
    return judge(definition, run, others_at) is not None


def show(metric: str, curves: Curves, epoch_s: Curves, orders: Sequence[Sequence[int]]) -> None:
    """Print the table for one metric."""
    sweeps = {name: [replay(rule, curves, epoch_s, order) for order in orders] for name, (rule, _) in RULES.items()}
    free = sweeps["no stopping"]
    print(f"\nmetric {metric}: median over {len(orders)} orders [quartiles]")
    head = [
        "vs no stopping",
        "vs W&B, same first rung",
        "epochs",
        "lost: median, mean",
        "better/as good/worse than W&B",
    ]
    print(f"{'rule':34}{head[0]:>20}{head[1]:>26}{head[2]:>8}{head[3]:>20}{head[4]:>32}")
    for name, (_, peer) in RULES.items():
        own = sweeps[name]
        sooner = spread([a.seconds / b.seconds for a, b in zip(free, own, strict=True)], "x")
        than_wandb = spread([a.seconds / b.seconds for a, b in zip(sweeps[peer], own, strict=True)], "x")
        lost = [b.best - a.best for a, b in zip(free, own, strict=True)]
        against = [np.sign(b.best - a.best) for a, b in zip(sweeps[peer], own, strict=True)]
        tally = "/".join(str(against.count(sign)) for sign in (-1, 0, 1))
        trained = np.median([sweep.trained for sweep in own])
        gap = f"{np.median(lost):.4f}, {np.mean(lost):.4f}"
        print(f"{name:34}{sooner:>20}{than_wandb:>26}{trained:8.1%}{gap:>20}{tally:>32}")


def spread(values: Sequence[float], unit: str) -> str:
    """Write a median with its quartiles."""
    low, middle, high = np.percentile(values, [25, 50, 75])
    return f"{middle:.2f}{unit} [{low:.2f}-{high:.2f}]"


def main() -> None:
    """Replay all rules on both metrics."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=24, help="random orders of the configurations")
    parser.add_argument("--first", type=int, default=0, help="seed of the first order")
    parser.add_argument("--equal-epochs", action="store_true", help="let every epoch take one second")
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.orders)
    orders = [np.random.default_rng(seed).permutation(240)[:RUNS].tolist() for seed in seeds]
    data = np.load(CURVES)
    epoch_s = np.ones(240) if given.equal_epochs else data["sec"]
    for metric in ("err", "loss"):
        show(metric, data[metric], epoch_s, orders)
    print("\nlost: what the final value is worse by than without stopping; in err, 0.0014 is one test image")


if __name__ == "__main__":
    main()
