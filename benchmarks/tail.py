"""How long the prompt takes to come back after a launch's last run: for each way in which a launch ends.

Two CPU slots. The clock starts when the server has heard the end of the last run (its `ended_at`), and beside that when
that run's worker wrote it down; it stops when the command has ended. Nothing is subtracted: what the SDK does in a
run's process after it has reported the end counts as well. After a time budget and a Ctrl-C, the gentle end of a run
is the run's. `digits` is the shipped trainer's grid, whose best model is fetched.

    .venv/bin/python benchmarks/tail.py [KIND ...] [--repeats 1] [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
GOAL_S = 0.7
SPIN_UP_S = 60.0
TRAINER = """
import time, wandb

def train():
    with wandb.init() as run:
        run.log({"loss": float(run.config.x)})
        # of several lengths, so that the slots do not end together
        time.sleep(0.4 + 0.5 * (run.config.x % 4))

def long():
    with wandb.init() as run:
        for step in range(600):
            run.log({"loss": float(step)})
            time.sleep(0.1)
"""
METRIC = {"name": "loss", "goal": "minimize"}
VALUES = {"x": {"values": list(range(8))}}
MANY = {"x": {"distribution": "int_uniform", "min": 0, "max": 10**6}}
# val_accuracy is logged as the epoch ends, so that the last run may lead
DIGITS = {
    "method": "grid",
    "metric": {"name": "val_accuracy", "goal": "maximize"},
    "parameters": {
        "dataset": {"value": "digits"},
        "epochs": {"value": 1},
        "kernels": {"value": [8, 16]},
        "learning_rate": {"values": [0.002, 0.003, 0.004, 0.006]},
    },
}


@dataclass(frozen=True)
class Kind:
    """A way in which a launch ends.

    Attributes:
        definition: Its sweep.
        options: Of `sweeper launch`.
        trainer: The function of the toy module, or the script; empty for the shipped trainer.
        interrupt_s: When Ctrl-C is pressed, counted from the first run; None for never.
        expected: The exit code.
    """

    definition: dict[str, Any]
    options: tuple[str, ...] = ()
    trainer: str = "train"
    interrupt_s: float | None = None
    expected: int = field(default=0)


KINDS = {
    "grid": Kind({"method": "grid", "metric": METRIC, "parameters": VALUES}),
    "run_cap": Kind({"method": "random", "run_cap": 6, "metric": METRIC, "parameters": MANY}),
    "target": Kind({"method": "random", "metric": {**METRIC, "target": 0}, "parameters": VALUES}),
    "exhausted space": Kind({"method": "random", "metric": METRIC, "parameters": VALUES}),
    "stop-at-target": Kind(
        {"method": "random", "metric": {**METRIC, "target": 0}, "parameters": VALUES}, ("--stop-at-target",)
    ),
    "count": Kind({"method": "random", "metric": METRIC, "parameters": MANY}, ("--count", "6")),
    "no-isolation": Kind({"method": "grid", "metric": METRIC, "parameters": VALUES}, ("--no-isolation",)),
    "script": Kind({"method": "grid", "metric": METRIC, "parameters": VALUES}, trainer="script.py"),
    "time-budget": Kind(
        {"method": "random", "metric": METRIC, "parameters": MANY}, ("--time-budget", "10s"), trainer="long"
    ),
    "Ctrl-C": Kind(
        {"method": "random", "metric": METRIC, "parameters": MANY}, trainer="long", interrupt_s=2.0, expected=130
    ),
    "digits": Kind(DIGITS, trainer=""),
}


class Session:
    """A state directory, a folder to stand in, and a server."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "home"
        (folder / "toy.py").write_text(TRAINER)
        (folder / "script.py").write_text(f"{TRAINER}\ntrain()\n")
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB_", "SWEEPER_"))}
        path = f"{folder}{os.pathsep}{ROOT}"
        self.env |= {"SWEEPER_HOME": str(self.home), "PYTHONPATH": path, "WANDB_ERROR_REPORTING": "false"}

    def command(self, *args: str) -> list[str]:
        """Write a command."""
        return [sys.executable, "-m", "sweeper", *args]

    def sweeper(self, *args: str) -> str:
        """Run a command."""
        done = subprocess.run(self.command(*args), cwd=self.folder, env=self.env, stdout=-1, stderr=-3, text=True)
        return done.stdout

    def tail_of(self, kind: Kind) -> tuple[float, float]:
        """Run a launch to its end: seconds to the prompt since the server, and since a worker, knew of the last end."""
        program = {"program": kind.trainer} if kind.trainer.endswith(".py") else {}
        (self.folder / "sweep.json").write_text(json.dumps({**kind.definition, **program}))
        self.sweeper("create", "--backend", "local", "--project", "bench", "sweep.json")
        sweep: str = json.loads(self.sweeper("status", "--json"))["sweep"]
        function = f"toy:{kind.trainer}" if kind.trainer else "trainer.train:train"
        trainer = () if kind.trainer.endswith(".py") else ("--trainer", function)
        command = self.command("launch", sweep, "--workers", "2", *trainer, *kind.options)
        with (self.folder / "launch.log").open("wb") as log:
            launch = subprocess.Popen(command, cwd=self.folder, env=self.env, stdout=log, stderr=log)
            if kind.interrupt_s is not None:
                self._await_run(sweep)
                time.sleep(kind.interrupt_s)
                launch.send_signal(signal.SIGINT)
            code = launch.wait()
            over = time.time()
        if code != kind.expected:
            raise SystemExit(f"exit code {code}: {(self.folder / 'launch.log').read_text()}")
        return over - self._server_heard(sweep), over - max(float(line["at"]) for line in self._journal(sweep))

    def _await_run(self, sweep: str) -> None:
        until = time.monotonic() + SPIN_UP_S
        while not self._journal(sweep) and time.monotonic() < until:
            time.sleep(0.05)

    def _journal(self, sweep: str) -> list[dict[str, Any]]:
        files = (self.home / "sweeps" / sweep).glob("launches/*/*.runs.jsonl")
        return [json.loads(line) for file in files for line in file.read_text().splitlines() if line.endswith("}")]

    def _server_heard(self, sweep: str) -> float:
        """Read from the server's database when the last run of a sweep ended."""
        query = "SELECT max(ended_at) FROM runs WHERE sweep_id = (SELECT id FROM sweeps WHERE name = ?)"
        db = sqlite3.connect(f"file:{self.home / 'server' / 'sweeper.db'}?mode=ro", uri=True)
        try:
            return float(db.execute(query, (sweep.rpartition("/")[2],)).fetchone()[0])
        finally:
            db.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}; all by default")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="the grid and Ctrl-C alone, once")
    wanted = parser.parse_args()
    if unknown := set(wanted.kinds) - set(KINDS):
        parser.error(f"no such kind: {', '.join(sorted(unknown))}")
    names = ["grid", "Ctrl-C"] if wanted.quick else wanted.kinds or list(KINDS)
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder))
        try:
            print(f"{'end':<18}{'since the server heard':>24}{'worst':>8}{'since its worker noted':>24}", flush=True)
            worst = 0.0
            for name in names:
                tails = [session.tail_of(KINDS[name]) for _ in range(wanted.repeats)]
                heard, noted = [tail[0] for tail in tails], [tail[1] for tail in tails]
                worst = max(worst, *heard)
                row = f"{name:<18}{statistics.median(heard):>22.2f} s{max(heard):>6.2f} s"
                print(f"{row}{statistics.median(noted):>22.2f} s", flush=True)
        finally:
            session.sweeper("server", "stop")
            time.sleep(1)
    print(f"worst of all / goal of {GOAL_S} s = {worst / GOAL_S:.1f}")


if __name__ == "__main__":
    main()
