"""From Enter to the first step: `sweeper launch` on two CPU slots, beside a stock agent that one starts by hand.

Three trainers: one without torch, one whose module imports it, and the shipped one. The server is up and the files are
in memory. Printed are the medians of several rounds, each of which does both: when something moves on the terminal, the
first step of the first run, the first step of a slot's second run after its process was let in, and of a stock
`wandb.agent` in a Python of its own the first step; then the memory that a launch takes with two slots and with eight.

    .venv/bin/python benchmarks/start.py [--rounds 3] [--only plain torch shipped]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
TRAINERS = {
    "plain": """
import os, time, wandb

def train():
    with wandb.init() as run:
        with open(os.environ["STEPS"], "a") as file:
            print(time.time(), file=file)
        time.sleep(float(os.environ.get("HOLD_S", 0)))
        run.log({"loss": run.config.x})
""",
    "torch": """
import os, time, torch, wandb

def train():
    with wandb.init() as run:
        net = torch.nn.Linear(4, 4)
        optimizer = torch.optim.SGD(net.parameters(), lr=run.config.x)
        net(torch.ones(2, 4)).sum().backward()
        optimizer.step()
        with open(os.environ["STEPS"], "a") as file:
            print(time.time(), file=file)
        time.sleep(float(os.environ.get("HOLD_S", 0)))
        run.log({"loss": run.config.x})
""",
    "shipped": """
import os, time
import trainer.loop
from trainer.optimizer import FusedOptimizer
from trainer.train import PRELOAD, train

own, first_is_due = FusedOptimizer.step, True

def step(self):
    global first_is_due
    own(self)
    if first_is_due:
        first_is_due = False
        with open(os.environ["STEPS"], "a") as file:
            print(time.time(), file=file)

FusedOptimizer.step = step
""",
}
STOCK = """
import sys, wandb
from toy import train
wandb.agent(sys.argv[1], function=train, entity="local", project="bench", count=1)
"""
PLAIN = {"x": {"values": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]}}
SHIPPED = {
    "dataset": {"value": "digits"},
    "epochs": {"value": 1},
    "kernels": {"value": [8, 16]},
    "seed": {"values": list(range(8))},
}


class Bench:
    """A state directory with a server, and one trainer in the folder that its user stands in."""

    def __init__(self, folder: Path, trainer: str) -> None:
        self.folder, self.steps = folder, folder / "steps"
        (folder / "toy.py").write_text(TRAINERS[trainer])
        parameters = SHIPPED if trainer == "shipped" else PLAIN
        metric = {"name": "val_accuracy", "goal": "maximize"} if trainer == "shipped" else {"name": "loss"}
        definition = {"program": "toy:train", "method": "grid", "metric": metric, "parameters": parameters}
        (folder / "sweep.json").write_text(json.dumps(definition))
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB_", "SWEEPER_"))}
        self.env |= {"SWEEPER_HOME": str(folder / "home"), "HOME": str(folder), "STEPS": str(self.steps)}
        self.env |= {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "OMP_NUM_THREADS": "1"}

    def sweeper(self, *args: str) -> str:
        """Run a command."""
        command = [sys.executable, "-m", "sweeper", *args]
        done = subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False)
        return done.stdout

    def create(self) -> str:
        """Register a sweep; its path."""
        self.sweeper("create", "--backend", "local", "--project", "bench", "sweep.json")
        path: str = json.loads(self.sweeper("status", "--json"))["sweep"]
        self.steps.unlink(missing_ok=True)
        return path

    def launch(self) -> tuple[float, float, float]:
        """Launch; seconds from Enter to a sign of life and to the first step, and a second run's from its start."""
        path = self.create()
        command = [sys.executable, "-m", "sweeper", "launch", "--count", "4", "--workers", "2"]
        began = time.time()
        here, there = os.pipe()
        process = subprocess.Popen(command, cwd=self.folder, env=self.env, stdout=subprocess.DEVNULL, stderr=there)
        os.close(there)
        os.read(here, 1)
        moved = time.time() - began
        while os.read(here, 4096):
            pass
        os.close(here)
        process.wait()
        steps = sorted(map(float, self.steps.read_text().split()))
        files = (self.folder / "home" / "sweeps" / path).glob("launches/*/*.runs.jsonl")
        lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
        let_in = sorted(line["at"] - line["wall_s"] for line in lines if line["outcome"])
        return (
            moved,
            steps[0] - began,
            statistics.median(step - at for step, at in zip(steps[2:], let_in[2:], strict=True)),
        )

    def stock(self) -> float:
        """Start a stock agent; seconds from Enter to the first step."""
        sweep = self.create().rpartition("/")[2]
        server = self.folder / "home" / "server"
        sdk = {
            "WANDB_BASE_URL": json.loads((server / "server.json").read_text())["url"],
            "WANDB_API_KEY": (server / "api-key").read_text().strip(),
            "WANDB_ERROR_REPORTING": "false",
        }
        began = time.time()
        command = [sys.executable, "-c", STOCK, sweep]
        subprocess.run(command, cwd=self.folder, env={**self.env, **sdk}, capture_output=True, check=True)
        return float(self.steps.read_text().split()[0]) - began

    def memory_mib(self, slots: int) -> float:
        """Give the proportional memory of a launch whose runs are all under way, the command itself left out."""
        self.create()
        command = [sys.executable, "-m", "sweeper", "launch", "--count", str(slots), "--workers", str(slots)]
        env = {**self.env, "HOLD_S": "600"}
        process = psutil.Popen(command, cwd=self.folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not self.steps.exists() or len(self.steps.read_text().split()) < slots:
                time.sleep(0.2)
            return sum(_pss(child) for child in process.children(recursive=True)) / 2**20
        finally:
            process.kill()
            process.wait()


def _pss(process: psutil.Process) -> int:
    """A process's share of the memory it maps; wandb-core, which is the SDK's, is left out."""
    with contextlib.suppress(psutil.Error):
        if not process.name().startswith("wandb-"):
            return int(process.memory_full_info().pss)
    return 0


@contextlib.contextmanager
def bench(trainer: str) -> Iterator[Bench]:
    """Give a place to measure in, whose server ends with it."""
    with tempfile.TemporaryDirectory() as folder:
        place = Bench(Path(folder), trainer)
        try:
            yield place
        finally:
            place.sweeper("server", "stop")
            time.sleep(1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=TRAINERS, default=list(TRAINERS))
    given = parser.parse_args()
    for trainer in given.only:
        with bench(trainer) as place:
            place.stock()  # the file cache
            rounds = [(*place.launch(), place.stock()) for _ in range(given.rounds)]
            moved, first, second, stock = (statistics.median(column) for column in zip(*rounds, strict=True))
            print(
                f"{trainer}: moves after {moved:.2f} s; first step after {first:.2f} s, stock agent {stock:.2f} s",
                end="",
            )
            print(f" (ratio {first / stock:.2f}); a second run's first step {second:.2f} s after it was let in")
            if trainer != "shipped":
                two, eight = place.memory_mib(2), place.memory_mib(8)
                print(f"{trainer}: {two:.0f} MiB with two slots, {eight:.0f} with eight (ratio {eight / two:.1f})")


if __name__ == "__main__":
    main()
