"""How fast one run follows another: `sweeper launch` beside a stock `wandb.agent`, on the same server.

Trivial runs (init, one log, finish), one after the other on one slot: runs per minute of both, their ratio, and how
long the slot idles between two trainers. Then twenty runs of ten seconds on two slots: the share of the slots' time
that is training.

    .venv/bin/python benchmarks/turnaround.py
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TRIVIAL, LONG, LONG_S, SLOTS = 15, 20, 10.0, 2
TRAINER = f"""
import time, wandb

def trivial():
    with wandb.init() as run:
        run.log({{"loss": run.config.x}})

def long():
    with wandb.init() as run:
        time.sleep({LONG_S})
        run.log({{"loss": run.config.x}})
"""
STOCK = """
import sys, time, wandb
from toy import trivial

def timed():
    print("start", time.time(), flush=True)
    trivial()

wandb.agent(sys.argv[1], function=timed, entity="local", project="bench", count=int(sys.argv[2]))
"""
DEFINITION = {"method": "random", "metric": {"name": "loss"}, "parameters": {"x": {"min": 0.0, "max": 1.0}}}


class Session:
    """A state directory, a folder to stand in, and a server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "toy.py").write_text(TRAINER)
        (folder / "sweep.json").write_text(json.dumps(DEFINITION))
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB_", "SWEEPER_"))}
        self.env |= {
            "SWEEPER_HOME": str(folder / "home"),
            "HOME": str(folder),
            "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}",
        }

    def sweeper(self, *args: str) -> str:
        """Run a command."""
        command = [sys.executable, "-m", "sweeper", *args]
        done = subprocess.run(command, cwd=self.folder, env=self.env, stdout=subprocess.PIPE, text=True)
        return done.stdout

    def create(self) -> str:
        """Register a sweep; its name."""
        self.sweeper("create", "--backend", "local", "--project", "bench", "sweep.json")
        name: str = json.loads(self.sweeper("status", "--json"))["sweep"]
        return name

    def stock(self) -> list[float]:
        """Let a stock agent run; when each trainer started."""
        sweep = self.create().rpartition("/")[2]
        server = self.folder / "home" / "server"
        sdk = {
            "WANDB_BASE_URL": json.loads((server / "server.json").read_text())["url"],
            "WANDB_API_KEY": (server / "api-key").read_text().strip(),
            "WANDB_ERROR_REPORTING": "false",
        }
        command = [sys.executable, "-c", STOCK, sweep, str(TRIVIAL // 2)]
        env = {**self.env, **sdk}
        done = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, check=True)
        return [float(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("start")]

    def launch(self, function: str, *, count: int, workers: int) -> list[dict[str, Any]]:
        """Launch; of each run, in order, its slot, when its trainer started and how long it took."""
        sweep = self.create()
        self.sweeper("launch", "--trainer", f"toy:{function}", "--count", str(count), "--workers", str(workers))
        files = (self.folder / "home" / "sweeps" / sweep).glob("launches/*/*.runs.jsonl")
        lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
        started = {line["run_id"]: line["at"] for line in lines if line["outcome"] is None}
        runs = [{**line, "start": started[line["run_id"]]} for line in lines if line["outcome"]]
        return sorted(runs, key=lambda run: float(run["start"]))


def per_minute(starts: list[float]) -> float:
    """Give the pace of runs that started then."""
    return 60 * (len(starts) - 1) / (starts[-1] - starts[0])


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder))
        try:
            stock = per_minute(session.stock())
            trivial = session.launch("trivial", count=TRIVIAL, workers=1)
            long = session.launch("long", count=LONG, workers=SLOTS)
        finally:
            session.sweeper("server", "stop")
            time.sleep(1)
    ours = per_minute([run["start"] for run in trivial])
    idle = [after["start"] - before["start"] - before["trainer_s"] for before, after in itertools.pairwise(trivial)]
    span = max(run["start"] + run["trainer_s"] for run in long) - long[0]["start"]
    busy = sum(run["trainer_s"] for run in long) / (SLOTS * span)
    print(f"trivial runs a minute on one slot: stock wandb.agent {stock:.1f}, sweeper launch {ours:.1f}")
    print(f"sweeper / stock = {ours / stock:.1f}")
    print(f"idle between two trivial runs: median {statistics.median(idle):.2f} s, worst {max(idle):.2f} s")
    print(f"{len(long)} runs of {LONG_S:g} s on {SLOTS} slots: training takes {busy:.0%} of the slots' time")


if __name__ == "__main__":
    main()
