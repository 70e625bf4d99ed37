"""Hyperband against W&B's own engine: `sweeps` 0.3.0, in an environment of its own, for it needs numpy below 2."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.metric_value import finite, float_or_nan
from sweeper.run import Run, RunState, StopDecision
from sweeper.search import stop_decision

CASES = 1000
ODD = [float("nan"), float("inf"), float("-inf"), True, False, None, "NaN", "high", [1.0]]
# Where floating point decides: rule, runs, length. 25 * 1.4 * 1.4 is 49 and 25 * 1.4**2 below it; 64 / 1.6 / 1.6 is 25
# and 64 / 1.6**2 below it; 33 * (1 / 1.1) is 29.999... and 33 / 1.1 is 30.
DRIFTING: list[tuple[dict[str, Any], int, int]] = [
    ({"min_iter": 25, "eta": 1.4}, 8, 48),
    ({"max_iter": 64, "s": 2, "eta": 1.6}, 8, 24),
    ({"min_iter": 1, "eta": 1.1}, 33, 1),
]
LEVELS = [-1.0, -0.1, 0, 0.1, 0.2, 0.1 + 0.2, 0.3, 1, 1e-300, 1e300]


@pytest.fixture(scope="module")
def engine(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python that has W&B's engine; made once and kept in pytest's cache, where pytest has one."""
    cached = pytestconfig.pluginmanager.has_plugin("cacheprovider")
    home = pytestconfig.cache.mkdir("wandb-engine-0.3.0") if cached else tmp_path_factory.mktemp("wandb-engine")
    python = home / "bin" / "python"
    if not (home / "complete").exists():
        for command in (["venv", "--clear", "--python", sys.executable, home], _install(python)):
            try:
                subprocess.run([sys.executable, "-m", "uv", *command], check=True, capture_output=True, timeout=100)
            except subprocess.SubprocessError as error:
                said = " ".join((error.stderr or b"").decode().split())
                pytest.skip(f"no environment for W&B's engine: {said[:400] or error}")
        (home / "complete").touch()
    return python


def _install(python: Path) -> list[str | Path]:
    # Wheels only: from Python 3.13 on numpy 1 has none, and would compile for two minutes before it fails.
    return ["pip", "install", "--quiet", "--only-binary", ":all:", "--python", python, "sweeps==0.3.0", "numpy<2"]


def rule_of(rng: random.Random) -> dict[str, Any]:
    """Draw a rule: both forms, with and without the defaults, ladders that drift in floating point."""
    rule: dict[str, Any] = {"type": "hyperband"}
    if rng.random() < 0.6:
        rule["min_iter"] = rng.choice([1, 1, 2, 3, 5, 7])
    if "min_iter" not in rule or rng.random() < 0.1:
        rule |= {"max_iter": rng.choice([2, 3, 9, 10, 27, 32, 81]), "s": rng.choice([1, 2, 3, 5])}
    if rng.random() < 0.8:
        rule["eta"] = rng.choice([2, 3, 4, 3.0, 1.1, 1.2, 1.5, 2.7, 10, 49])
    if rng.random() < 0.7:
        rule["strict"] = rng.random() < 0.5
    return rule


def case_of(rng: random.Random) -> dict[str, Any]:
    """Draw a sweep with its runs: ties, gaps, odd values, every state, sometimes many runs."""
    rule, number, length = rule_of(rng), rng.choice([1, 2, 3, 5, 8, 13, 49, 98]), rng.choice([3, 10, 40])
    odd, shortest = rng.choice([0.0, 0.0, 0.2, 0.9]), 0
    if rng.random() < 0.05:
        drifting, number, shortest = rng.choice(DRIFTING)
        rule, odd, length = {"type": "hyperband", **drifting}, 0.0, shortest
    runs = [
        {
            "name": str(n),
            "state": rng.choice(["running", "running", *(state.value for state in RunState)]),
            "history": [row_of(rng, odd) for _ in range(rng.randint(shortest, length))],
        }
        for n in range(number)
    ]
    metric = {"name": "loss", "goal": rng.choice(["minimize", "maximize"])}
    parameters = {"x": {"min": 0.0, "max": 1.0}}
    sweep = {"method": "random", "metric": metric, "parameters": parameters, "early_terminate": rule}
    return {"sweep": sweep, "runs": runs}


def row_of(rng: random.Random, odd: float) -> dict[str, Any]:
    """Draw one row of a history; with odd values about, some lack the metric."""
    if rng.random() < odd / 4:
        return {"other": 1.0}
    if rng.random() < odd:
        return {"loss": rng.choice(ODD)}
    return {"loss": rng.choice(LEVELS) if rng.random() < 0.5 else rng.gauss(0.0, 1.0)}


def our_stops(case: dict[str, Any]) -> dict[str, StopDecision] | None:
    """Ask our own rule about every run of a case; None where the definition is refused."""
    try:
        definition = SweepDefinition.model_validate(case["sweep"])
    except ValidationError:
        return None
    peers = [as_run(run) for run in case["runs"]]
    decisions = (stop_decision(definition, peer, peers) for peer in peers)
    return {decision.run_id: decision for decision in decisions if decision}


def as_run(run: dict[str, Any]) -> Run:
    """Read a run as our server would."""
    logged = [row["loss"] for row in run["history"] if "loss" in row]
    numbers = [number for value in logged if (number := float_or_nan(value)) is not None]
    history = finite(logged)
    return Run(id=run["name"], state=RunState(run["state"]), history=history, nonfinite=len(numbers) - len(history))


@pytest.mark.oracle
def test_hyperband_stops_whom_wandbs_own_engine_stops(engine):
    """On a thousand random sweeps both stop the same runs; we alone stop those that never logged a finite number."""
    rng = random.Random(20260101)
    cases = [case_of(rng) for _ in range(CASES)]
    script = Path(__file__).with_name("wandb_engine.py")
    done = subprocess.run([engine, script], input=json.dumps(cases), capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    total = 0
    for case, theirs in zip(cases, json.loads(done.stdout), strict=True):
        ours = our_stops(case)
        assert (ours is None) == (theirs is None), case["sweep"]
        if ours is None:
            continue
        numberless = {name for name, decision in ours.items() if decision.value is None}
        assert all(not as_run(run).history for run in case["runs"] if run["name"] in numberless)
        assert ours.keys() - numberless == set(theirs), case
        total += len(theirs)
    assert total > CASES
