"""The same sweep for our server and for optuna-dashboard, and runs with much to draw."""

from __future__ import annotations

import json
import math
import random
import time
from pathlib import Path
from typing import Any

import yaml

from sweeper.run import RunState, SweepState
from sweeper.server.store import lines, projects, runs, sweeps, users
from sweeper.server.store.lines import HistoryLine

EPOCHS = 10
DEFINITION = {
    "method": "random",
    "name": "bench",
    "metric": {"name": "val/loss", "goal": "minimize"},
    "parameters": {
        "learning_rate": {"distribution": "log_uniform_values", "min": 1e-5, "max": 1e-1},
        "weight_decay": {"distribution": "log_uniform_values", "min": 1e-6, "max": 1e-2},
        "dropout": {"min": 0.0, "max": 0.6},
        "momentum": {"min": 0.5, "max": 0.99},
        "batch_size": {"values": [16, 32, 64, 128, 256]},
        "layers": {"min": 1, "max": 8},
        "optimizer": {"values": ["adam", "sgd", "rmsprop"]},
        "augment": {"values": ["none", "flip", "mix"]},
    },
}
OPTUNA = """
import json, sys, optuna
from optuna.distributions import CategoricalDistribution as Choice, FloatDistribution as Real, IntDistribution as Whole

optuna.logging.set_verbosity(optuna.logging.WARNING)
parameters = {
    "learning_rate": Real(1e-5, 1e-1, log=True), "weight_decay": Real(1e-6, 1e-2, log=True), "dropout": Real(0.0, 0.6),
    "momentum": Real(0.5, 0.99), "batch_size": Choice([16, 32, 64, 128, 256]), "layers": Whole(1, 8),
    "optimizer": Choice(["adam", "sgd", "rmsprop"]), "augment": Choice(["none", "flip", "mix"]),
}
# not SQLite, into which this takes minutes; reading is no slower
storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(sys.argv[1]))
study = optuna.create_study(storage=storage, study_name="bench")
study.add_trials([
    optuna.create_trial(params=one["params"], distributions=parameters, value=one["values"][-1],
                        intermediate_values=dict(enumerate(one["values"])))
    for one in json.load(open(sys.argv[2]))
])
"""


def trials(count: int) -> list[dict[str, Any]]:
    """Draw runs: their parameters, and what each logged of the metric."""
    rng = random.Random(7)  # noqa: S311 - no secret
    found = []
    for _ in range(count):
        params = {
            "learning_rate": 10 ** rng.uniform(-5, -1),
            "weight_decay": 10 ** rng.uniform(-6, -2),
            "dropout": rng.uniform(0, 0.6),
            "momentum": rng.uniform(0.5, 0.99),
            "batch_size": rng.choice([16, 32, 64, 128, 256]),
            "layers": rng.randint(1, 8),
            "optimizer": rng.choice(["adam", "sgd", "rmsprop"]),
            "augment": rng.choice(["none", "flip", "mix"]),
        }
        end = 0.1 * abs(math.log10(params["learning_rate"]) + 3) + 0.3 * params["dropout"] ** 2 + rng.uniform(0, 0.05)
        found.append({"params": params, "values": [end + 1 / (1 + epoch) for epoch in range(EPOCHS)]})
    return found


def fill_sweep(folder: Path, known: list[dict[str, Any]]) -> str:
    """Put a finished sweep into a server's folder; give its page."""
    store, now = users.open_store(folder), time.time() - 60 * len(known)
    with store.write() as db:
        user = users.ensure_user(db, users.EMBEDDED_USER, users.embedded_key(folder), now=now)
        place = projects.ensure(db, users.EMBEDDED_USER, "bench", now=now)
        text = yaml.safe_dump(DEFINITION)
        sweep = sweeps.create(db, place.id, text, user_id=user.id, seed=1, display_name=None, now=now)
        for i, one in enumerate(known):
            began = now + 30 * i
            run = runs.propose(db, sweep, one["params"], now=began, display_name=f"run-{i + 1}")
            rows = [{"val/loss": value, "_step": step} for step, value in enumerate(one["values"])]
            summary = json.dumps(rows[-1])
            runs.update(db, run.id, state=RunState.FINISHED, summary=summary, started_at=began, ended_at=began + 55)
            history = [HistoryLine(step, json.dumps(row), row) for step, row in enumerate(rows)]
            lines.put_history(db, run.id, history)
            lines.put_metric(db, sweep.id, run.id, "val/loss", history)
        sweeps.set_state(db, sweep.id, SweepState.FINISHED, now=time.time())
    store.close()
    return f"/{users.EMBEDDED_USER}/bench/sweeps/{sweep.name}"


def long_rows(first: int, count: int, keys: int) -> list[str]:
    """Write rows of a history with many keys, one of which has a peak in a single row."""
    noise = [0.001 * math.sin(i) for i in range(101)]
    rows = []
    for step in range(first, first + count):
        base = 1 / (1 + step / 5000)
        row = {f"group{key % 5}/metric{key}": base + key + noise[(step * 7 + key) % 101] for key in range(keys)}
        if step == 777_777:
            row["group0/metric0"] = 1000.0
        rows.append(json.dumps({**row, "_step": step, "_runtime": step * 0.5, "_timestamp": 1.7e9 + step * 0.5}))
    return rows


def watched_rows(layers: int, steps: int) -> list[str]:
    """Write rows as `wandb.watch` logs them: a histogram of 64 bins of each layer's gradients."""
    rng = random.Random(3)  # noqa: S311 - no secret
    rows = []
    for step in range(steps):
        row: dict[str, Any] = {
            "_step": step,
            "_runtime": step * 1.0,
            "_timestamp": 1.7e9 + step,
            "loss": 1 / (step + 1),
        }
        for layer in range(layers):
            width = 1.0 + 0.01 * layer + 0.02 * step
            packed = {"min": -width, "size": width / 32, "count": 64}
            counts = [rng.randint(0, 1000) for _ in range(64)]
            row[f"gradients/layer{layer:03}.weight"] = {"_type": "histogram", "values": counts, "packedBins": packed}
        rows.append(json.dumps(row))
    return rows
