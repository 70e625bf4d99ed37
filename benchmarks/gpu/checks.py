"""What only a GPU can show, each check well under ten minutes: whoever has one runs them and keeps the figures.

    .venv/bin/python benchmarks/gpu/checks.py all              # every check
    .venv/bin/python benchmarks/gpu/checks.py images           # one of them
    .venv/bin/python benchmarks/gpu/checks.py all --dry-run    # on CPU slots: tries all but the calls of CUDA

Without a GPU and without --dry-run it says so and ends with code 2; a check that fails ends it with code 1. The
figures belong into docs/decisions, with the card's name, which the first line gives.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
HERE = Path(__file__).parent
RUNS_FOR_MEMORY = 20
ONE_SHIPPED_RUN = {"dataset": "digits", "epochs": 2, "kernels": [16, 32], "batch_size": 128, "learning_rate": 0.005}

SUMMARIES = """
import json, sys, wandb
print(json.dumps([dict(run.summary_metrics) for run in wandb.Api().runs(sys.argv[1])]))
"""


class WrongError(Exception):
    """A check did not find what it looked for."""


def expect(right: bool, what: str) -> None:
    """Print a finding; end the check if it is wrong."""
    print(f"  {'ok' if right else 'WRONG'}: {what}")
    if not right:
        raise WrongError(what)


def gpus() -> list[tuple[str, str]]:
    """Ask NVML for each GPU's name and UUID."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
    return [(_text(pynvml.nvmlDeviceGetName(handle)), _text(pynvml.nvmlDeviceGetUUID(handle))) for handle in handles]


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def used_mib(dry: bool) -> float:
    """Give the memory in use on the first GPU; in a dry run, on the machine."""
    if dry:
        import psutil

        return psutil.virtual_memory().used / 2**20
    import pynvml

    return pynvml.nvmlDeviceGetMemoryInfo(pynvml.nvmlDeviceGetHandleByIndex(0)).used / 2**20


class Session:
    """A state directory and a server of its own.

    Args:
        folder: Where they are.
        dry: Whether to use CPU slots.

    Attributes:
        entered: When the last launch was ordered, in seconds since 1970.
    """

    def __init__(self, folder: Path, dry: bool) -> None:
        self.folder, self.dry = folder, dry
        self.entered = 0.0
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB_", "SWEEPER_"))}
        python = os.pathsep.join(map(str, (HERE, ROOT)))
        self.env |= {"SWEEPER_HOME": str(folder / "home"), "HOME": str(folder), "PYTHONPATH": python}
        self.env["GPU_CHECK_FILE"] = str(folder / "steps.jsonl")
        if dry:
            self.env["CUDA_VISIBLE_DEVICES"] = ""

    def sweeper(self, *args: str) -> str:
        """Run a command, its talk kept in a file."""
        with (self.folder / "talk.log").open("a") as talk:
            command = [sys.executable, "-m", "sweeper", *args]
            return subprocess.run(
                command, cwd=self.folder, env=self.env, stdout=subprocess.PIPE, stderr=talk, text=True
            ).stdout

    def launch(self, trainer: str, parameters: dict[str, Any], *, each: int = 1, gpu: str = "0") -> tuple[str, float]:
        """Launch a grid with `each` slots a GPU; its name, and seconds from Enter to prompt.

        Args:
            trainer: Its function.
            parameters: Those of the sweep; a list is what the grid varies.
            each: Runs side by side on each GPU.
            gpu: Which GPUs.
        """
        words = {name: value if isinstance(value, dict) else {"value": value} for name, value in parameters.items()}
        definition = {"program": trainer, "method": "grid", "metric": {"name": "loss"}, "parameters": words}
        (self.folder / "sweep.json").write_text(json.dumps(definition))
        self.sweeper("create", "--backend", "local", "--project", "gpu", "sweep.json")
        sweep: str = json.loads(self.sweeper("status", "--json"))["sweep"]
        slots = ["--workers", str(each)] if self.dry else ["--gpus", gpu, "--per-gpu", str(each)]
        self.entered = time.time()
        self.sweeper("launch", "--without-metric", *slots, sweep)
        return sweep, time.time() - self.entered

    def attempts(self, sweep: str) -> list[dict[str, Any]]:
        """Read what the workers wrote of the runs that ended."""
        files = (self.folder / "home" / "sweeps" / sweep).glob("launches/*/*.runs.jsonl")
        lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
        return [line for line in lines if line["outcome"]]

    def summaries(self, sweep: str) -> list[dict[str, Any]]:
        """Ask the server what the runs left in their summaries."""
        server = self.folder / "home" / "server"
        sdk = {
            "WANDB_BASE_URL": json.loads((server / "server.json").read_text())["url"],
            "WANDB_API_KEY": (server / "api-key").read_text().strip(),
        }
        command = [sys.executable, "-c", SUMMARIES, sweep.rpartition("/")[0]]
        done = subprocess.run(command, env=self.env | sdk, stdout=subprocess.PIPE, text=True, check=True)
        rows: list[dict[str, Any]] = json.loads(done.stdout)
        return rows


def pinning(session: Session) -> None:
    """Each run sees one device, and it is the one that it was given by UUID."""
    known = {uuid for _, uuid in gpus()}
    grid = {"x": {"values": [*range(max(2, 2 * len(known)))]}}
    sweep, _ = session.launch("gpu_trainers:pin", grid, gpu="all")
    rows = [row for row in session.summaries(sweep) if "seen" in row]
    for row in rows:
        expect(row["seen"] == row["asked"], f"asked for {row['asked']}, CUDA shows {row['seen']}")
        expect(row["devices"] == (0 if session.dry else 1), f"{row['devices']} device(s) visible")
    expect(session.dry or {row["seen"] for row in rows} == known, f"{len(rows)} runs on {max(1, len(known))} device(s)")


def first_step(session: Session) -> None:
    """How long after Enter the shipped trainer's first step is computed, and after a later run's own start."""
    session.launch("gpu_trainers:pin", {"x": 0})  # the server is up, and files are in the page cache
    steps = Path(session.env["GPU_CHECK_FILE"])
    steps.unlink(missing_ok=True)
    session.launch("gpu_trainers:timed", ONE_SHIPPED_RUN | {"seed": {"values": [0, 1, 2]}})
    lines = sorted((json.loads(line) for line in steps.read_text().splitlines()), key=lambda line: float(line["began"]))
    expect(len(lines) == 3, f"{len(lines)} of 3 runs took a step")
    print(f"  first step {lines[0]['stepped'] - session.entered:.2f} s after Enter (goal 3.5)")
    for number, line in enumerate(lines):
        print(f"  run {number + 1}: first step {line['stepped'] - line['began']:.2f} s after its trainer began")


def images(session: Session) -> None:
    """Images a second of the tutorial's pipeline and of ours, with the step as a CUDA graph and without."""
    bench = _benchmark("trainer")
    from trainer.data import load

    data = load("digits").to(bench.DEVICE)

    def plain(**knobs: Any) -> Callable[[], None]:
        training, epoch = bench.ours(data, **knobs)
        training.graph = None
        result: Callable[[], None] = epoch
        return result

    with bench.tutorials_files() as root:
        ways = {"the tutorial's pipeline": bench.Tutorial(root).epoch, "ours, fp32, no graph": plain()}
        if not session.dry:
            ways |= {"ours, fp32, CUDA graph": bench.ours(data)[1]}
            ways |= {
                "ours, bf16, no graph": plain(dtype="bf16"),
                "ours, bf16, CUDA graph": bench.ours(data, dtype="bf16")[1],
            }
        times = bench.in_turns(ways, 1 if session.dry else 10)
    bench.table("Training: a pass at the tutorial's configuration", times, len(data.train))
    ratio = times["the tutorial's pipeline"] / min(times.values())
    print(f"  the quickest is {ratio:.1f} times the tutorial's pipeline (goal on a GPU: 10)")


def packed(session: Session) -> None:
    """Four runs one after the other on one GPU, and two at a time (`--per-gpu 2`)."""
    parameters = ONE_SHIPPED_RUN | {"epochs": 1 if session.dry else 20, "seed": {"values": [0, 1, 2, 3]}}
    walls = {}
    for each in (1, 2):
        sweep, walls[each] = session.launch("trainer.train:train", parameters, each=each)
        ended = session.attempts(sweep)
        expect([run["outcome"] for run in ended] == ["finished"] * 4, f"{each} at a time: four runs finished")
        expect(len({run["slot"] for run in ended}) == each, f"on {each} slot(s)")
        print(f"  {each} at a time: {walls[each]:.1f} s from Enter to prompt")
    print(f"  two at a time are {walls[1] / walls[2]:.2f} times as fast")


def out_of_memory(session: Session) -> None:
    """Of two runs on one GPU one takes all the memory: it fails as what it is, and the other one goes on."""
    sweep, _ = session.launch("gpu_trainers:hog", {"hog": {"values": [True, False]}}, each=2)
    ended = {run["params"]["hog"]: run for run in session.attempts(sweep)}
    expect(ended[True]["kind"] == "out of GPU memory", f"the run that took it all: {ended[True]['kind']}")
    expect(ended[False]["outcome"] == "finished", f"the run beside it: {ended[False]['outcome']}")
    expect(ended[False]["at"] > ended[True]["at"], "which was at work when the first one failed")


def memory(session: Session) -> None:
    """What is left in the GPU's memory after twenty runs."""
    session.launch("gpu_trainers:touch", {"x": 0})
    before = used_mib(session.dry)
    sweep, _ = session.launch("gpu_trainers:touch", {"x": {"values": [*range(RUNS_FOR_MEMORY)]}})
    ended = session.attempts(sweep)
    expect([run["outcome"] for run in ended] == ["finished"] * RUNS_FOR_MEMORY, f"{RUNS_FOR_MEMORY} runs finished")
    time.sleep(1)
    left = used_mib(session.dry) - before
    print(f"  memory in use before {before:,.0f} MiB, after {RUNS_FOR_MEMORY} runs {left:+,.0f} MiB")
    expect(session.dry or left < 16, "nothing is left behind")


def _benchmark(name: str) -> ModuleType:
    """Load a benchmark beside this folder, which is no package; one of them is called as the trainer's package."""
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", HERE.parent / f"{name}.py")
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHECKS: dict[str, Callable[[Session], None]] = {
    "pinning": pinning,
    "first-step": first_step,
    "images": images,
    "packed": packed,
    "oom": out_of_memory,
    "memory": memory,
}


def main() -> int:
    """Run the checks; 0 if all went well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("check", choices=["all", *CHECKS])
    parser.add_argument("--dry-run", action="store_true", help="on CPU slots: tries all but the calls of CUDA")
    args = parser.parse_args()
    found = gpus()
    if not found and not args.dry_run:
        print("no GPU here: nothing was checked (--dry-run tries the checks on CPU slots)", file=sys.stderr)
        return 2
    print("a dry run on CPU slots" if args.dry_run else ", ".join(f"{name} {uuid}" for name, uuid in found))
    if args.dry_run:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    wrong = 0
    for name in CHECKS if args.check == "all" else [args.check]:
        print(f"{name}: {(CHECKS[name].__doc__ or '').splitlines()[0]}")
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            session = Session(Path(folder), args.dry_run)
            try:
                CHECKS[name](session)
            except WrongError:
                wrong += 1
            finally:
                session.sweeper("server", "stop")
                time.sleep(1)
        print(f"  {time.perf_counter() - began:.0f} s", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
