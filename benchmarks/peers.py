"""Runs a minute and slot, beside other tools that run many trainings: on two slots of this machine, each as documented.

60 runs that log one value and end, then 12 runs of 10 s (sleep). Every tool has an environment of its own
(benchmarks/.cache, made by uv when it is missing) and keeps its results where it does by default: sweeper and the stock
agent in sweeper's server, Ray in Tune's results, Optuna in SQLite, Hydra in a folder for each job. All stay on
127.0.0.1, with their telemetry off. A run writes down when it trains and in which process: pace, share and "own
process" come from that, so the start of a tool counts in the last two columns alone. Memory is the most that all its
processes hold together (PSS; server included) while the long runs train.

    .venv/bin/python benchmarks/peers.py [--quick] [--only NAME ...]

All of them take about 14 minutes, `--quick` (20 and 6 runs) 6 minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.marked_processes import MARK, Memory
from tools.peer_programs import HYDRA, OPTUNA, RAY, STOCK, TRAINER, WORK

ROOT = Path(__file__).parents[1]
CACHE = Path(__file__).parent / ".cache"
SLOTS, LONG_S, LIMIT_S = 2, 10.0, 420.0
DEFINITION = {"method": "random", "metric": {"name": "loss"}, "parameters": {"x": {"min": 0.0, "max": 1.0}}}


@dataclass
class Workload:
    """What a tool is to run, and where it stands.

    Attributes:
        folder: Its own folder, where it starts.
        runs: How many runs.
        seconds: How long each sleeps.
        python: The Python of its environment.
        environ: Its environment.
    """

    folder: Path
    runs: int
    seconds: float
    python: Path
    environ: dict[str, str] = field(default_factory=dict)

    def call(self, *command: str) -> str:
        """Run a command to its end; what it printed.

        Raises:
            RuntimeError: It failed.
        """
        with self.start(*command) as process:
            return finish(process)

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command."""
        out = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.folder, env=self.environ, stdout=out, stderr=out, text=True)

    def script(self, name: str, text: str) -> str:
        """Write a file of the tool's; its name."""
        (self.folder / name).write_text(text)
        return name


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for a process; what it printed."""
    try:
        out, err = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise RuntimeError(f"not done after {LIMIT_S:g} s") from None
    if process.returncode:
        lines = [line for line in err.splitlines() if line.strip()]
        raise RuntimeError(f"exit code {process.returncode}: {lines[-1][:200] if lines else ''}")
    return out


def sweeper(work: Workload, *options: str) -> None:
    """Run `sweeper launch` on a server that is up."""
    work.script("trainer_of_peers.py", TRAINER)
    created = own_sweep(work)
    count, slots = str(work.runs), str(SLOTS)
    command = ("launch", created, "--trainer", "trainer_of_peers:train", "--count", count, "--workers", slots)
    work.call(sys.executable, "-m", "sweeper", *command, *options)


def own_sweep(work: Workload) -> str:
    """Register a sweep on sweeper's server; its name."""
    work.script("sweep.json", json.dumps(DEFINITION))
    work.call(sys.executable, "-m", "sweeper", "create", "--backend", "local", "--project", "bench", "sweep.json")
    name: str = json.loads(work.call(sys.executable, "-m", "sweeper", "status", "--json"))["sweep"]
    return name


def stock(work: Workload) -> None:
    """Let two stock agents run side by side, on sweeper's server."""
    work.script("trainer_of_peers.py", TRAINER)
    script, sweep = work.script("agent.py", STOCK), own_sweep(work).rpartition("/")[2]
    server = work.folder / "home" / "server"
    work.environ |= {
        "WANDB_BASE_URL": json.loads((server / "server.json").read_text())["url"],
        "WANDB_API_KEY": (server / "api-key").read_text().strip(),
        "WANDB_ERROR_REPORTING": "false",
    }
    count = str(work.runs // SLOTS)
    agents = [work.start(str(work.python), script, sweep, count) for _ in range(SLOTS)]
    for agent in agents:
        finish(agent)


def ray(work: Workload, actors: str) -> None:
    """Run Tune's Tuner, a function trainable."""
    work.call(str(work.python), work.script("tuning.py", RAY), str(work.runs), actors)


def optuna(work: Workload) -> None:
    """Run one study from two processes, over SQLite, as Optuna's FAQ does."""
    work.call(str(work.python), work.script("study.py", OPTUNA), str(work.runs))


def hydra(work: Workload, launcher: str, *overrides: str) -> None:
    """Run an application's multirun."""
    work.script("config.yaml", "x: 0\n")
    application = work.script("application.py", HYDRA)
    values = ",".join(str(i / work.runs) for i in range(work.runs))
    command = ("--multirun", f"hydra/launcher={launcher}", *overrides, f"x={values}")
    work.call(str(work.python), application, *command)


@dataclass(frozen=True)
class Peer:
    """A tool and how it is run.

    Attributes:
        name: What `--only` and the table call it.
        packages: What its environment holds; none for ours.
        run: Runs a workload with it.
        keeps: Where what a run logs ends up.
        environment: Its folder's name in the cache.
    """

    name: str
    packages: Sequence[str]
    run: Callable[[Workload], None]
    keeps: str
    environment: str = ""


RAY_PACKAGES = ("ray[tune]==2.60.0",)
HYDRA_PACKAGES = (
    "hydra-core==1.3.8",
    "hydra-joblib-launcher==1.2.0",
    "hydra-submitit-launcher==1.2.0",
    "submitit==1.5.4",
    "joblib==1.6.0",
)
JOBLIB = (f"hydra.launcher.n_jobs={SLOTS}",)
SUBMITIT = (f"hydra.sweeper.max_batch_size={SLOTS}", "hydra.launcher.timeout_min=30")
"""Submitit's local executor knows no slots: it starts what it is given at once, so it is given two jobs at a time."""
PEERS = (
    Peer("sweeper", (), sweeper, "W&B server: history, summary, files, console, system metrics"),
    Peer("sweeper --no-isolation", (), lambda work: sweeper(work, "--no-isolation"), "the same"),
    Peer("ray", RAY_PACKAGES, lambda work: ray(work, "fresh"), "Tune: result.json, progress.csv", "ray"),
    Peer("ray reuse_actors", RAY_PACKAGES, lambda work: ray(work, "reuse"), "the same", "ray"),
    Peer("optuna joblib", ("optuna==5.0.0", "joblib==1.6.0"), optuna, "SQLite: the value", "optuna"),
    Peer(
        "hydra joblib", HYDRA_PACKAGES, lambda w: hydra(w, "joblib", f"hydra.launcher.n_jobs={SLOTS}"), "a log", "hydra"
    ),
    Peer(
        "hydra submitit",
        HYDRA_PACKAGES,
        lambda work: hydra(work, "submitit_local", *SUBMITIT),
        "a log, a pickle",
        "hydra",
    ),
    Peer("wandb agent", ("wandb==0.31.0",), stock, "sweeper's server, as ours", "wandb"),
)


@dataclass(frozen=True)
class Measured:
    """What came of a workload.

    Attributes:
        pace: Runs a minute and slot.
        busy: The share of the slots' time that trains.
        processes: In how many processes the runs were.
        runs: How many there were.
        memory_mib: The most that all processes held together; 0 if nobody looked.
        whole_s: From Enter to the prompt.
    """

    pace: float
    busy: float
    processes: int
    runs: int
    memory_mib: float
    whole_s: float


def environment(peer: Peer) -> Path:
    """Give the Python of a tool's environment, made if it is missing.

    Raises:
        RuntimeError: It cannot be made.
    """
    if not peer.packages:
        return Path(sys.executable)
    folder = CACHE / peer.environment
    python, made_of = folder / "bin" / "python", folder / "made-of"
    wanted = "\n".join(peer.packages)
    if not made_of.exists() or made_of.read_text() != wanted:
        uv = [sys.executable, "-m", "uv"]
        install = [*uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), *peer.packages]
        for command in ([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], install):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"cannot be installed: {' '.join(done.stderr.split())[:200]}")
        made_of.write_text(wanted)
    return python


def environ_of(folder: Path, seconds: float) -> dict[str, str]:
    """Give the environment of a tool's processes."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB_", "SWEEPER_", "RAY_"))}
    return ours | {
        MARK: str(os.getpid()),
        "HOME": str(folder),
        "SWEEPER_HOME": str(folder / "home"),
        "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}",
        "TIMES": str(folder / "times.jsonl"),
        "SECONDS_A_RUN": str(seconds),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_TMPDIR": str(folder),
        "WANDB_ERROR_REPORTING": "false",
        "DO_NOT_TRACK": "1",
    }


def measure(peer: Peer, python: Path, runs: int, seconds: float, *, look: bool) -> Measured:
    """Let a tool run a workload in a folder of its own.

    Raises:
        RuntimeError: It failed, or ran another number of runs.
    """
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="p") as name:  # Ray's sockets want a short path
        work = Workload(Path(name), runs, seconds, python, environ_of(Path(name), seconds))
        work.script("work.py", WORK)
        memory = Memory()
        try:
            if "server" in peer.keeps:  # up before the clock runs, as a database is
                own_sweep(work)
            if look:
                memory.start()
            begin = time.monotonic()
            peer.run(work)
            whole_s = time.monotonic() - begin
        finally:
            peak = memory.stop() if look and memory.is_alive() else 0.0
            if (work.folder / "home").exists():
                work.call(sys.executable, "-m", "sweeper", "server", "stop")
        lines = [json.loads(line) for line in (work.folder / "times.jsonl").read_text().splitlines()]
    if len(lines) != runs:
        raise RuntimeError(f"{len(lines)} runs of {runs}")
    return summary(lines, peak, whole_s)


def summary(lines: Sequence[dict[str, float]], peak: float, whole_s: float) -> Measured:
    """Work out pace and share from what the runs wrote."""
    begins = sorted(line["begin"] for line in lines)
    pace = 60 * (len(begins) - SLOTS) / (begins[-1] - begins[0]) / SLOTS
    trained = sum(line["end"] - line["begin"] for line in lines)
    busy = trained / (SLOTS * (max(line["end"] for line in lines) - begins[0]))
    return Measured(pace, busy, len({line["pid"] for line in lines}), len(lines), peak, whole_s)


def row(name: str, trivial: Measured, long: Measured, best: dict[str, float], keeps: str) -> str:
    """Write a line of the table."""
    own = "yes" if trivial.processes == trivial.runs else f"no: {trivial.processes}"
    ratios = [f"{best[ours] / trivial.pace:7.1f}" if ours in best else f"{'':7}" for ours in OURS]
    return (
        f"{name:23}{trivial.pace:11.1f}{ratios[0]:>9}{ratios[1]:>9}  {own:<8}{long.busy:7.0%}{long.memory_mib:8.0f}"
        f"{trivial.whole_s:8.1f}{long.whole_s:8.1f}  {keeps}"
    )


OURS = ("sweeper", "sweeper --no-isolation")
HEAD = """\
                          runs/min  sweeper --no-iso  own      trains     MiB  {0} in s {1} in s
                          and slot     is x     is x  process"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="20 trivial runs and 6 long ones")
    parser.add_argument("--only", action="append", choices=[peer.name for peer in PEERS], help="repeat for several")
    wanted = parser.parse_args()
    trivial_runs, long_runs = (20, 6) if wanted.quick else (60, 12)
    print(f"{trivial_runs} trivial runs, {long_runs} of {LONG_S:g} s, {SLOTS} slots: {shlex.join(sys.argv)}")
    print(HEAD.format(trivial_runs, long_runs), flush=True)
    best: dict[str, float] = {}
    for peer in PEERS:
        if wanted.only and peer.name not in wanted.only:
            continue
        try:
            python = environment(peer)
            trivial = measure(peer, python, trivial_runs, 0.0, look=False)
            long = measure(peer, python, long_runs, LONG_S, look=True)
        except (RuntimeError, OSError) as error:
            print(f"{peer.name:23}{error}", flush=True)
            continue
        if peer.name in OURS:
            best[peer.name] = trivial.pace
        print(row(peer.name, trivial, long, best, peer.keeps), flush=True)


if __name__ == "__main__":
    main()
