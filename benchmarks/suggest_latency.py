"""What one suggestion costs: CPU milliseconds at 10 to 10,000 finished runs and 8 under way, beside other engines.

All in one go on the same five parameters (two real, one logarithmic, one integer, one of four): ours at
`suggest(definition, runs, seed)`, W&B's open engine (`sweeps` 0.3.0, in its own venv) at `next_run`, Optuna's samplers
at `study.ask` of a study that has the trials. Medians of a few asks; one thread, since on several cores the other
engines' CPU time is mostly threads waiting. Optuna's Gaussian process is left out where one ask takes minutes.

    .venv/bin/python benchmarks/suggest_latency.py
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by NumPy and torch when they are imported

import numpy as np
from quality.engines import WANDB, Optuna, WandbEngine, bayes
from quality.problems import choice, integer, log_uniform, sample, uniform

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import Run, RunState
from sweeper.search import suggest

FINISHED = (10, 300, 1000, 3000, 10_000)
PENDING = 8
ASKS = 5
GP_LIMIT = 300
PARAMETERS = {
    "dropout": uniform(0, 1),
    "momentum": uniform(-3, 2),
    "lr": log_uniform(1e-5, 1e-1),
    "width": integer(1, 64),
    "optimizer": choice("adam", "sgd", "rmsprop", "lion"),
}

Past = list[tuple[dict[str, Any], float | None]]


def past(finished: int) -> Past:
    """Make up runs: parameters and loss, None for one under way."""
    rng = np.random.default_rng(finished)
    drawn = [sample(PARAMETERS, rng) for _ in range(finished + PENDING)]
    return [(params, _loss(params) if number < finished else None) for number, params in enumerate(drawn)]


def _loss(params: dict[str, Any]) -> float:
    rate = float(np.log10(params["lr"]) + 3)
    return (params["dropout"] - 0.3) ** 2 + params["momentum"] ** 2 + rate**2 + params["width"] / 64


def ours(runs: Past) -> list[float]:
    """Time ours."""
    definition = SweepDefinition.model_validate(bayes(PARAMETERS))
    known = [
        Run(
            id=str(number),
            state=RunState.RUNNING if loss is None else RunState.FINISHED,
            params=params,
            history=() if loss is None else (loss,),
        )
        for number, (params, loss) in enumerate(runs)
    ]
    return [_cpu_ms(lambda seed=seed: suggest(definition, known, seed=seed)) for seed in range(ASKS)]


def _cpu_ms(ask: Callable[[], object]) -> float:
    start = time.process_time()
    ask()
    return 1000 * (time.process_time() - start)


def wandbs(runs: Past) -> list[float]:
    """Time W&B's."""
    engine = WandbEngine(PARAMETERS, seed=0)
    engine.runs = [
        {"state": "running" if loss is None else "finished", "params": params, "loss": loss} for params, loss in runs
    ]
    try:
        return [1000 * engine.answered(seed)["cpu_s"] for seed in range(ASKS)]
    finally:
        engine.close()


def optunas(runs: Past, sampler: str) -> list[float]:
    """Time a sampler of Optuna."""
    import optuna

    engine = Optuna(PARAMETERS, 0, sampler)
    states = optuna.trial.TrialState
    engine.study.add_trials(
        [
            optuna.trial.create_trial(
                state=states.RUNNING if loss is None else states.COMPLETE,
                params=params,
                distributions=engine.axes,
                value=loss,
            )
            for params, loss in runs
        ]
    )

    def ask() -> None:
        trial = engine.study.ask(engine.axes)
        engine.study.tell(trial, state=states.FAIL)

    return [_cpu_ms(ask) for _ in range(ASKS if sampler == "TPESampler" else 2)]


def main() -> None:
    """Print a line per number of finished runs."""
    print(f"CPU ms per suggestion, {PENDING} runs under way")
    print(f"{'finished':>9}{'sweeper':>10}{WANDB:>14}{'optuna TPE':>12}{'optuna GP':>11}{'W&B / ours':>12}")
    ours(past(FINISHED[0]))  # imports
    for finished in FINISHED:
        runs = past(finished)
        mine, theirs = statistics.median(ours(runs)), statistics.median(wandbs(runs)[1:])
        tpe = statistics.median(optunas(runs, "TPESampler")[1:])
        gp = f"{optunas(runs, 'GPSampler')[-1]:.0f}" if finished <= GP_LIMIT else "-"
        print(f"{finished:9}{mine:10.0f}{theirs:14.0f}{tpe:12.0f}{gp:>11}{theirs / mine:12.2f}")


if __name__ == "__main__":
    main()
