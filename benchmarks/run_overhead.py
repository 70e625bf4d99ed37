"""How much of a run's wall time is training: the quickstart on two CPU slots, in a state directory of its own.

Prints, per run, the wall time from the order to start a process until its end, the time inside the trainer function,
and the time of the training loop alone; then the ratio of wall to training.

    .venv/bin/python benchmarks/run_overhead.py
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
TRAIN_S = """
import json, wandb
runs = wandb.Api().runs("local/sweeper-mnist")
print(json.dumps({run.id: run.summary_metrics["train_s"] for run in runs}))
"""


def sweeper(home: str, *args: str) -> str:
    """Run a command against a state directory."""
    command = [sys.executable, "-m", "sweeper", *args]
    env = {**os.environ, "SWEEPER_HOME": home}
    return subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout


def training_seconds(home: str) -> dict[str, float]:
    """Ask the server how long each run's training loop took."""
    server = Path(home) / "server"
    sdk = {
        "WANDB_BASE_URL": json.loads((server / "server.json").read_text())["url"],
        "WANDB_API_KEY": (server / "api-key").read_text().strip(),
    }
    command = [sys.executable, "-c", TRAIN_S]
    done = subprocess.run(command, env={**os.environ, **sdk}, stdout=subprocess.PIPE, text=True, check=True)
    seconds: dict[str, float] = json.loads(done.stdout)
    return seconds


def records(home: str) -> dict[str, dict[str, float]]:
    """Read what the workers wrote about the runs that ended."""
    files = Path(home).glob("sweeps/*/*/*/launches/*/*.runs.jsonl")
    lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    return {line["run_id"]: line for line in lines if line["outcome"]}


def main() -> None:
    """Run the quickstart and print the table."""
    with tempfile.TemporaryDirectory() as home:
        try:
            sweeper(home, "create", "--backend", "local", "sweeps/quickstart.yaml")
            sweeper(home, "launch", "--backend", "local", "--workers", "2", "--count", "6")
            training, ended = training_seconds(home), records(home)
        finally:
            sweeper(home, "server", "stop")
    print(f"{'run':10}{'wall s':>8}{'trainer s':>11}{'training s':>12}{'wall / training':>17}")
    for run, record in ended.items():
        ratio = record["wall_s"] / training[run]
        print(f"{run:10}{record['wall_s']:8.1f}{record['trainer_s']:11.1f}{training[run]:12.1f}{ratio:17.2f}")
    outside = [record["wall_s"] - record["trainer_s"] for record in ended.values()]
    around = [record["trainer_s"] - training[run] for run, record in ended.items()]
    ratio = sum(record["wall_s"] for record in ended.values()) / sum(training.values())
    print(f"median outside the trainer {statistics.median(outside):.1f} s (fork, the SDK's agent, exit);")
    print(f"median in the trainer around training {statistics.median(around):.1f} s (init, data, ONNX export, finish)")
    print(f"all runs: wall / training = {ratio:.2f}")


if __name__ == "__main__":
    main()
