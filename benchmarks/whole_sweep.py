"""A whole sweep from Enter to prompt: `sweeper launch` with the shipped trainer beside two stock `wandb agent`.

Six runs (a grid of learning rate and batch size, two passes over the shipped digits) on two CPU slots, the same server,
images and threads. The agents start W&B's PyTorch introduction as a script (`benchmarks/whole/tutorial.py`), as its
users do. Prints the wall times, their ratio, and what share of the launch's time the arithmetic alone would take: the
same forward and backward passes in two processes that do nothing else.

    .venv/bin/python benchmarks/whole_sweep.py              # about 3 minutes on two cores
    .venv/bin/python benchmarks/whole_sweep.py --no-stock   # without the agents, half a minute a round
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from trainer.data import SHIPPED  # noqa: E402
from trainer.machine import has_bf16  # noqa: E402

WHOLE = Path(__file__).with_name("whole")
SLOTS, EPOCHS, KERNELS = 2, 2, [16, 32]
RATES, BATCHES = [0.002, 0.005, 0.01], [64, 128]
WARM_UP = """
import onnx, onnxruntime, torch, torch._dynamo, torchvision, wandb
from trainer.data import load
load("digits")
"""


def grid(program: str, **fixed: Any) -> dict[str, Any]:
    """Write the sweep file."""
    parameters = {"epochs": EPOCHS, "kernels": KERNELS} | fixed
    return {
        "program": program,
        "method": "grid",
        "metric": {"name": "val_accuracy" if fixed else "test_accuracy", "goal": "maximize"},
        "parameters": {
            **{name: {"value": value} for name, value in parameters.items()},
            "learning_rate": {"values": RATES},
            "batch_size": {"values": BATCHES},
        },
    }


class Session:
    """A state directory with its server, and a folder with the digits as torchvision wants them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB_", "SWEEPER_"))}
        threads = str(max(1, len(os.sched_getaffinity(0)) // SLOTS))
        self.env |= {"SWEEPER_HOME": str(folder / "home"), "HOME": str(folder), "OMP_NUM_THREADS": threads}
        self.env |= {"MKL_NUM_THREADS": threads, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
        self.env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        subprocess.run([sys.executable, "-c", WARM_UP], env=self.env, check=True)  # files in the page cache, for both

    def sweeper(self, *args: str) -> str:
        """Run a command."""
        command = [sys.executable, "-m", "sweeper", *args]
        return subprocess.run(command, cwd=self.folder, env=self.env, stdout=subprocess.PIPE, text=True).stdout

    def create(self, definition: dict[str, Any]) -> str:
        """Register a sweep; its name."""
        file = self.folder / "sweep.json"
        file.write_text(json.dumps(definition))
        self.sweeper("create", "--backend", "local", "--project", "whole", str(file))
        name: str = json.loads(self.sweeper("status", "--json"))["sweep"]
        return name

    def check(self, sweep: str) -> None:
        """See that every run has finished."""
        runs = json.loads(self.sweeper("status", "--json", sweep))["runs"]
        states = [run["state"] for run in runs]
        if states != ["finished"] * len(RATES) * len(BATCHES):
            raise SystemExit(f"{sweep}: {states}")

    def launch(self, dtype: str) -> float:
        """Launch the shipped trainer; seconds from Enter to prompt."""
        sweep = self.create(grid("trainer.train:train", dataset="digits", dtype=dtype))
        began = time.perf_counter()
        self.sweeper("launch", "--workers", str(SLOTS), sweep)
        seconds = time.perf_counter() - began
        self.check(sweep)
        return seconds

    def stock(self) -> float:
        """Let stock agents run the tutorial's script; seconds until both have ended."""
        folders = [self._place(number) for number in range(SLOTS)]
        sweep = self.create(grid("tutorial.py"))
        server = self.folder / "home" / "server"
        sdk = {
            "WANDB_BASE_URL": json.loads((server / "server.json").read_text())["url"],
            "WANDB_API_KEY": (server / "api-key").read_text().strip(),
            "WANDB_ERROR_REPORTING": "false",
        }
        command = [sys.executable, "-m", "wandb", "agent", sweep]
        began = time.perf_counter()
        agents = [
            subprocess.Popen(
                command, cwd=folder, env=self.env | sdk, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            for folder in folders
        ]
        codes = [agent.wait() for agent in agents]
        seconds = time.perf_counter() - began
        if any(codes):
            raise SystemExit(f"wandb agent ended with {codes}")
        self.check(sweep)
        return seconds

    def _place(self, number: int) -> Path:
        """Give an agent a folder of its own: the tutorial writes its model and finds its data where it stands."""
        folder = self.folder / f"agent-{number}"
        raw = folder / "MNIST" / "raw"
        raw.mkdir(parents=True, exist_ok=True)
        for file in SHIPPED.glob("*.gz"):
            (raw / file.stem).write_bytes(gzip.decompress(file.read_bytes()))
        for place in (folder, self.folder):  # `create` looks whether it is there
            (place / "tutorial.py").write_bytes((WHOLE / "tutorial.py").read_bytes())
        return folder

    def floor(self) -> float:
        """Do the arithmetic of the same runs, half of them on each slot; seconds of the longer half."""
        runs = [
            {"epochs": EPOCHS, "kernels": KERNELS, "batch_size": batch}
            for _, batch in itertools.product(RATES, BATCHES)
        ]
        command = [sys.executable, str(WHOLE / "floor.py")]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        slots = [
            subprocess.Popen([*command, json.dumps(runs[slot::SLOTS])], env=self.env, **pipes) for slot in range(SLOTS)
        ]
        for slot in slots:
            slot.stdout.readline()
        for slot in slots:
            slot.stdin.write("go\n")
            slot.stdin.flush()
        return max(float(slot.communicate()[0]) for slot in slots)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-stock", action="store_true", help="leave the stock agents out")
    parser.add_argument("--rounds", type=int, default=1, help="of everything, in turns; the best counts")
    args = parser.parse_args()
    ways = {
        "stock": "two stock wandb agents, the tutorial's script",
        "fp32": "sweeper launch",
        "bf16": "the same, bf16",
    }
    if args.no_stock:
        del ways["stock"]
    if not has_bf16("cpu"):
        del ways["bf16"]
        print("this processor has no bf16: `dtype: bf16` is fp32 here, and is left out")
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder))
        try:
            for _ in range(args.rounds):
                for way in ways:
                    seconds = session.stock() if way == "stock" else session.launch(way)
                    times.setdefault(way, []).append(seconds)
                times.setdefault("floor", []).append(session.floor())
        finally:
            session.sweeper("server", "stop")
            time.sleep(1)
    best = {way: min(seconds) for way, seconds in times.items()}
    runs = len(RATES) * len(BATCHES)
    threads = session.env["OMP_NUM_THREADS"]
    print(f"{runs} runs of {EPOCHS} passes over 7,200 digits, {SLOTS} slots, {threads} thread(s) each")
    print(f"{'':48}{'wall s':>8}{'times stock':>13}{'arithmetic':>12}")
    for way, name in ways.items():
        ratio = f"{best['stock'] / best[way]:.2f}" if "stock" in best else ""
        share = f"{best['floor'] / best[way]:.0%}" if way != "bf16" else ""
        print(f"{name:48}{best[way]:8.1f}{ratio:>13}{share:>12}")
    print(f"{'forward and backward alone, fp32':48}{best['floor']:8.1f}")


if __name__ == "__main__":
    main()
