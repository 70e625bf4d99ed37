"""How long the importance of parameters takes, by runs and parameters; beside Optuna's fANOVA on few runs.

CPU seconds of this process, one thread, the libraries imported before. The metric is known: it depends on the first two
parameters, the first one twice as much, and what is told about these two is printed.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/importance.py
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import optuna

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import Run, RunState
from sweeper.search.importance import importance

FANOVA_RUNS = 300


def definition(parameters: int) -> SweepDefinition:
    """Describe a space of all kinds of parameters."""
    forms = [
        {"min": 0.0, "max": 1.0},
        {"distribution": "log_uniform_values", "min": 1e-5, "max": 1e-1},
        {"values": ["a", "b", "c", "d"]},
        {"min": 1, "max": 64},
        {"values": [16, 32, 64]},
    ]
    return SweepDefinition.model_validate(
        {
            "method": "random",
            "metric": {"name": "loss", "goal": "minimize"},
            "parameters": {f"p{n}": forms[n % len(forms)] for n in range(parameters)},
        }
    )


def finished(sweep: SweepDefinition, number: int) -> list[Run]:
    """Draw runs; the loss rises with the first two parameters."""
    rng, distributions = random.Random(1), sweep.space.distributions  # noqa: S311 no secret
    found = []
    for n in range(number):
        params = sweep.space.sample(rng)
        loss = 2 * distributions["p0"].cdf(params["p0"]) + distributions["p1"].cdf(params["p1"]) + rng.gauss(0.0, 0.1)
        found.append(Run(id=str(n), state=RunState.FINISHED, params=params, history=(loss,)))
    return found


def cpu_s(action: Callable[[], object]) -> float:
    """Time an action."""
    began = time.process_time()
    action()
    return time.process_time() - began


def fanova_s(sweep: SweepDefinition, runs: list[Run]) -> float:
    """Time Optuna's fANOVA on the numeric parameters of the same runs."""
    axes = {name: optuna.distributions.FloatDistribution(0.0, 1.0) for name in ("p0", "p1", "p3")}
    study = optuna.create_study()
    for run in runs:
        params = {name: min(1.0, max(0.0, sweep.space.distributions[name].cdf(run.params[name]))) for name in axes}
        study.add_trial(optuna.trial.create_trial(value=run.history[0], params=params, distributions=axes))
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    return cpu_s(lambda: optuna.importance.get_param_importances(study, evaluator=evaluator))


def main() -> None:
    """Print the table."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    importance(definition(2), finished(definition(2), 20))  # imports
    print(f"{'runs':>6}{'parameters':>12}{'CPU s':>8}   PED-ANOVA, forest, correlation of p0 and of p1")
    for number, parameters in ((10, 5), (100, 5), (300, 5), (1000, 5), (3000, 5), (3000, 30), (10_000, 5)):
        sweep = definition(parameters)
        runs = finished(sweep, number)
        taken = cpu_s(lambda: importance(sweep, runs))  # noqa: B023
        rows = {row.name: row for row in importance(sweep, runs)}
        told = [f"{rows[p].ped_anova:.2f} {rows[p].forest:.2f} {rows[p].correlation:+.2f}" for p in ("p0", "p1")]
        print(f"{number:6}{parameters:12}{taken:8.2f}   {';  '.join(told)}")
    sweep = definition(5)
    runs = finished(sweep, FANOVA_RUNS)
    slow, own = fanova_s(sweep, runs), cpu_s(lambda: importance(sweep, runs))
    print(f"Optuna's fANOVA, {FANOVA_RUNS} runs, 3 parameters: {slow:.2f} s; ours, 5 parameters: {own:.2f} s")
    print(f"ratio {slow / own:.0f}")


if __name__ == "__main__":
    main()
