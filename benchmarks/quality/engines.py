"""The engines that are compared, by name."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from quality.problems import Parameters, sample
from quality.simulation import Engine

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import Run, RunState
from sweeper.search import suggest

CACHE = Path(__file__).parents[1] / ".cache"
WANDB = "wandb 0.3.0"


def bayes(parameters: Parameters) -> dict[str, Any]:
    """Write a sweep over the parameters."""
    return {"method": "bayes", "metric": {"name": "loss", "goal": "minimize"}, "parameters": parameters}


class Ours:
    """This project, at the entry point the server uses."""

    def __init__(self, parameters: Parameters, seed: int) -> None:
        self.definition, self.seed = SweepDefinition.model_validate(bayes(parameters)), seed
        self.runs: list[Run] = []

    def ask(self) -> Mapping[str, Any]:
        """Propose the next run."""
        suggestion = suggest(self.definition, self.runs, seed=self.seed)
        if suggestion is None:
            raise RuntimeError("the space is exhausted: ask for fewer evaluations")
        self.runs.append(Run(id=str(len(self.runs)), state=RunState.RUNNING, params=suggestion.params))
        return suggestion.params

    def tell(self, number: int, loss: float) -> None:
        """Report a loss."""
        ok = math.isfinite(loss)
        state = RunState.FINISHED if ok else RunState.FAILED
        self.runs[number] = Run(
            id=str(number), state=state, params=self.runs[number].params, history=(loss,) if ok else ()
        )

    def close(self) -> None:
        """Nothing was started."""


class RandomSearch:
    """Independent draws."""

    def __init__(self, parameters: Parameters, seed: int) -> None:
        self.parameters, self.rng = parameters, np.random.default_rng([seed, 3])

    def ask(self) -> Mapping[str, Any]:
        """Draw."""
        return sample(self.parameters, self.rng)

    def tell(self, number: int, loss: float) -> None:
        """Learn nothing."""

    def close(self) -> None:
        """Nothing was started."""


class Optuna:
    """A sampler of Optuna at its defaults, with Optuna's own distributions."""

    def __init__(self, parameters: Parameters, seed: int, sampler: str) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.simplefilter("ignore")  # categories that are booleans, experimental samplers
        self.axes = {name: self._axis(optuna.distributions, form) for name, form in parameters.items()}
        self.study = optuna.create_study(sampler=getattr(optuna.samplers, sampler)(seed=seed))
        self.failed = optuna.trial.TrialState.FAIL
        self.trials: list[Any] = []

    @staticmethod
    def _axis(kinds: Any, form: Mapping[str, Any]) -> Any:
        match form["distribution"]:
            case "categorical":
                return kinds.CategoricalDistribution(form["values"])
            case "int_uniform":
                return kinds.IntDistribution(form["min"], form["max"])
            case law:
                return kinds.FloatDistribution(form["min"], form["max"], log=law.startswith("log"))

    def ask(self) -> Mapping[str, Any]:
        """Propose the next run."""
        self.trials.append(self.study.ask(self.axes))
        return dict(self.trials[-1].params)

    def tell(self, number: int, loss: float) -> None:
        """Report a loss."""
        if math.isfinite(loss):
            self.study.tell(self.trials[number], loss)
        else:
            self.study.tell(self.trials[number], state=self.failed)

    def close(self) -> None:
        """Nothing was started."""


def wandb_python() -> Path:
    """Make the venv of W&B's engine, once, and give its Python."""
    venv = CACHE / "wandb-engine"
    python = venv / "bin" / "python"
    if not (venv / "made").exists():
        uv = Path(sys.executable).with_name("uv")
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", version, venv], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", python, "sweeps==0.3.0", "numpy<2"], check=True)
        (venv / "made").touch()
    return python


class WandbEngine:
    """W&B's open engine in its own process."""

    def __init__(self, parameters: Parameters, seed: int) -> None:
        self.config, self.seed = bayes(parameters), seed
        self.runs: list[dict[str, Any]] = []
        command = [wandb_python(), Path(__file__).with_name("wandb_engine.py")]
        self.child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )

    def ask(self) -> Mapping[str, Any]:
        """Propose the next run."""
        answer = self.answered(1000 * self.seed + len(self.runs))
        self.runs.append({"state": "running", "params": answer["params"], "loss": None})
        params: dict[str, Any] = answer["params"]
        return params

    def tell(self, number: int, loss: float) -> None:
        """Report a loss."""
        ok = math.isfinite(loss)
        self.runs[number] |= {"state": "finished" if ok else "failed", "loss": loss if ok else None}

    def answered(self, seed: int) -> dict[str, Any]:
        """Ask the process: its `params`, and `cpu_s`, what they took."""
        if self.child.stdin is None or self.child.stdout is None:
            raise RuntimeError("the process has no pipes")
        order = {"config": self.config, "runs": self.runs, "seed": seed}
        print(json.dumps(order), file=self.child.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self.child.stdout.readline())
        return answer

    def close(self) -> None:
        """End the process: it stops at the end of its input."""
        self.child.communicate()


ENGINES: dict[str, Callable[[Parameters, int], Engine]] = {
    "sweeper": Ours,
    WANDB: WandbEngine,
    "optuna TPE": lambda parameters, seed: Optuna(parameters, seed, "TPESampler"),
    "optuna GP": lambda parameters, seed: Optuna(parameters, seed, "GPSampler"),
    "random": RandomSearch,
}
