"""`sweeper launch --on slurm` on a real Slurm of this machine, beside submitit's map_array of the same runs.

Two nodes with two pretended GPUs each (tests/slurm/cluster.py: needs root, Debian's slurm-wlm and munge). Printed are
the seconds from `launch` to the first step of a run; the seconds that a GPU is idle between two runs; the longest time
for which no new row of a run was acknowledged, before and while the server was handed to its successor; and how many
short runs were had a minute, beside submitit, which makes each of the same runs a job of its own. All from one round:
the machine is the same for both, and the ratio is what counts.

    .venv/bin/python benchmarks/cluster.py [--runs 120] [--only start handover runs]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from sweeper.backend import embedded_server, server_record  # noqa: E402 - sweeper/ is beside this folder
from sweeper.backend.http import ask  # noqa: E402
from tests.slurm.cluster import SlurmCluster, missing  # noqa: E402

SUBMITIT = Path(__file__).parent / ".cache" / "submitit"
SLOTS = 4
WAIT_S = 600.0
TRAINER = """
import json, os, time, wandb

def train():
    began = time.time()
    with wandb.init() as run:
        first = time.time()
        for step in range(int(os.environ["STEPS"])):
            run.log({"loss": run.config["x"], "step": step})
            time.sleep(float(os.environ["STEP_S"]))
    where = os.environ["SLURMD_NODENAME"] + " " + os.environ.get("CUDA_VISIBLE_DEVICES", "")
    with open(os.environ["SEEN"], "a") as file:
        file.write(json.dumps([where, began, first, time.time()]) + chr(10))
"""
# each job is what a run is to sweeper: a process with the SDK, one run, its rows at the same server
ARRAY = """
import os, sys, time
import submitit

def run(x):
    import wandb
    with wandb.init(project="submitit", config={"x": x}) as run:
        run.log({"loss": x})
    return time.time()

executor = submitit.SlurmExecutor(folder="submitit-logs")
executor.update_parameters(gpus_per_node=1, array_parallelism=int(sys.argv[2]), time=30)
began = time.time()
jobs = executor.map_array(run, list(range(int(sys.argv[1]))))
print(max(job.result() for job in jobs) - began)
"""
QUERY = "query { project(name: %s, entityName: %s) { run(name: %s) { historyLineCount } } }"


@dataclass
class Stage:
    """A user on the login node of a Slurm.

    Attributes:
        cluster: Its Slurm.
        folder: Where they stand, with their home in it.
    """

    cluster: SlurmCluster
    folder: Path

    @property
    def environ(self) -> dict[str, str]:
        """Their environment, without a login of ours."""
        ours = ("WANDB_", "SWEEPER_", "CUDA_", "SLURM_")
        env = {name: value for name, value in os.environ.items() if not name.startswith(ours)} | self.cluster.environ
        home = self.folder / "home"
        env |= {"HOME": str(home), "SWEEPER_HOME": str(home), "NETRC": str(home / "netrc"), "PYTHONPATH": str(ROOT)}
        return {**env, "SEEN": str(self.seen), "WANDB_SILENT": "true"}

    @property
    def seen(self) -> Path:
        """What runs write of themselves: where, began, first step, ended."""
        return self.folder / "seen"

    def sweeper(self, *arguments: str, **environ: str) -> str:
        """Run `sweeper ...`; give what it prints."""
        command = [sys.executable, "-m", "sweeper", *arguments]
        env = {**self.environ, **environ}
        done = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"sweeper {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def launch(self, runs: int, *options: str, steps: int = 1, step_s: float = 0.0) -> tuple[float, dict[str, Any]]:
        """Create a sweep and launch it; give when that began, and what it tells of its jobs."""
        self.seen.unlink(missing_ok=True)
        values = ", ".join(map(str, range(runs)))
        sweep = f"method: grid\nmetric: {{name: loss}}\nparameters: {{x: {{values: [{values}]}}}}\n"
        (self.folder / "sweep.yaml").write_text(sweep)
        (self.folder / "train.py").write_text(TRAINER)
        self.sweeper("create", "sweep.yaml")
        began = time.time()
        given = ("launch", "--on", "slurm", "--trainer", "train:train", "--detach", "--json", *options)
        told = json.loads(self.sweeper(*given, STEPS=str(steps), STEP_S=str(step_s)))
        return began, told

    def runs(self) -> list[tuple[str, float, float, float]]:
        """Read what runs that have ended wrote."""
        lines = self.seen.read_text().splitlines() if self.seen.exists() else []
        return [tuple(json.loads(line)) for line in lines]

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + WAIT_S
        while not condition():
            if time.monotonic() > deadline:
                raise SystemExit(f"waited {WAIT_S:g} s for {what}\n{self.cluster.ask('squeue')}")
            time.sleep(0.1)

    def server(self) -> str | None:
        """Read who is the server now: what only this start of it knows."""
        record = server_record.read(embedded_server.data_dir(self.folder / "home"))
        return record.secret if record else None

    def rows(self, sweep: str, run: str) -> int | None:
        """Ask the server, wherever it is now, how many rows of a run it has acknowledged; None while it is away."""
        entity, project, _ = sweep.split("/")
        data = embedded_server.data_dir(self.folder / "home")
        body = json.dumps({"query": QUERY % tuple(map(json.dumps, (project, entity, run)))}).encode()
        try:
            record, key = server_record.read(data), embedded_server.key_file(data).read_text().strip()
            if record is None:
                return None
            url, certificate = f"{record.url}/graphql", record.certificate
            answer = ask(
                url, timeout_s=2, direct=True, method="POST", body=body, key=key, certificate=certificate
            ).json()
            return int(answer["data"]["project"]["run"]["historyLineCount"])
        except (OSError, ValueError, KeyError, TypeError):
            return None


def time_start(stage: Stage) -> str:
    """Time a launch of one short run on each GPU, from Enter to the first step."""
    began, _ = stage.launch(SLOTS, "--gpus", str(SLOTS))
    stage.until(lambda: len(stage.runs()) == SLOTS, "the first runs")
    first = [first - began for _, _, first, _ in stage.runs()]
    stage.until(lambda: not stage.cluster.jobs(), "an empty queue")
    return f"first step after {min(first):.1f} s, on the last GPU after {max(first):.1f} s"


def time_runs(stage: Stage, runs: int) -> tuple[str, str, float, float]:
    """Time a sweep of short runs; say how long GPUs were idle between them, and give runs a minute.

    Returns:
        Both in words, and runs a minute from Enter on, and once the first had begun.
    """
    began, _ = stage.launch(runs, "--gpus", str(SLOTS))
    stage.until(lambda: len(stage.runs()) == runs, "all runs")
    done = stage.runs()
    stage.until(lambda: not stage.cluster.jobs(), "an empty queue")
    gaps: list[float] = []
    for place in {where for where, *_ in done}:
        here = sorted(run[1:] for run in done if run[0] == place)
        gaps += [after[1] - before[2] for before, after in pairwise(here)]
    whole = max(run[3] for run in done) - began
    steady = max(run[3] for run in done) - min(run[2] for run in done)
    words = f"{runs / whole * 60:.0f} a minute from Enter on, {runs / steady * 60:.0f} once the first had begun"
    idle = f"{statistics.median(gaps):.2f} s (median), {max(gaps):.2f} s (longest) from a run's end to the next's step"
    return idle, words, runs / whole * 60, runs / steady * 60


def time_handover(stage: Stage) -> str:
    """Watch the acknowledged rows of a run that logs ten a second, and have the server handed over in the middle."""
    _, told = stage.launch(1, "--gpus", "1", steps=900, step_s=0.1)
    sweep = told["sweep"]
    found: list[str] = []

    def at_work() -> bool:
        with contextlib.suppress(SystemExit):  # the server is on its way
            found[:] = [run["id"] for run in json.loads(stage.sweeper("status", "--json"))["runs"]]
        return bool(found) and (stage.rows(sweep, found[0]) or 0) > 50

    stage.until(at_work, "a run that logs")
    before, first_server = longest_gap(stage, sweep, found[0], seconds=15), stage.server()
    # in the background: scancel stays for some seconds, and its exit code is that of a job that has left
    command = ["scancel", "--batch", "--signal=USR1", f"{told['head']}_0"]
    with subprocess.Popen(command, env=stage.environ, stderr=subprocess.DEVNULL):
        during = longest_gap(stage, sweep, found[0], seconds=45)
    if stage.server() in {first_server, None}:
        raise SystemExit(f"the server was not handed over: {stage.cluster.ask('squeue')}")
    stage.until(stage.runs, "its end")
    _, _, first, ended = stage.runs()[0]
    rows = [rows for _ in range(50) if (rows := stage.rows(sweep, found[0])) is not None]
    stage.until(lambda: not stage.cluster.jobs(), "an empty queue")
    slower = f"the run itself took {ended - first:.1f} s for 90 s of steps"
    kept = f", {rows[-1]} of 900 rows are there" if rows else ""
    return f"no new row for {during:.1f} s at most, {before:.1f} s without a hand-over; {slower}{kept}"


def longest_gap(stage: Stage, sweep: str, run: str, *, seconds: float) -> float:
    """Look for so long how rows are acknowledged; give the longest time in which none was, in seconds."""
    began = last = time.monotonic()
    longest, count = 0.0, -1
    while (now := time.monotonic()) < began + seconds:
        rows = stage.rows(sweep, run)
        if rows is not None and rows > count:
            longest, last, count = max(longest, now - last), now, rows
        time.sleep(0.05)
    return max(longest, now - last)


def time_submitit(stage: Stage, runs: int) -> float:
    """Do the same runs by submitit, a job each, so many at a time as there are GPUs; give runs a minute."""
    if not (SUBMITIT / "bin" / "python").exists():
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(SUBMITIT)], check=True)
        versions = ["submitit==1.5.4", "wandb==0.31.0"]
        install = [*uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(SUBMITIT / "bin" / "python")]
        subprocess.run([*install, *versions], check=True)
    stage.sweeper("status")  # which starts the server here, as for any run
    data = embedded_server.data_dir(stage.folder / "home")
    record = server_record.read(data)
    assert record is not None, "the server has just answered"  # noqa: S101
    environ = {**stage.environ, "WANDB_BASE_URL": record.url}
    environ["WANDB_API_KEY"] = embedded_server.key_file(data).read_text().strip()
    (stage.folder / "map_array.py").write_text(ARRAY)  # not array.py, which is a module of Python
    command = [str(SUBMITIT / "bin" / "python"), "map_array.py", str(runs), str(SLOTS)]
    done = subprocess.run(command, cwd=stage.folder, env=environ, stdout=subprocess.PIPE, text=True, check=True)
    return runs / float(done.stdout.split()[-1]) * 60


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    """Have a Slurm, and a user at it, until the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="b"))  # short: it is in the names of sockets
    folder.chmod(0o755)
    (folder / "home").mkdir()
    cluster = SlurmCluster(folder / "c")
    cluster.up()
    here = Stage(cluster, folder)
    try:
        yield here
    finally:
        cluster.down()
        with contextlib.suppress(SystemExit):
            here.sweeper("server", "stop")
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("SWEEPER_HOME") == str(folder / "home"):
                    process.kill()
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Do what is asked for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=120)
    parts = ["start", "handover", "runs"]
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    args = parser.parse_args()
    if lacks := missing():
        raise SystemExit(f"no Slurm can be started here: {lacks} (Debian: slurm-wlm munge)")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # by which no Slurm is left behind
    with stage() as here:
        if "start" in args.only:
            print(f"launch           {time_start(here)}", flush=True)
        if "handover" in args.only:
            print(f"hand-over        {time_handover(here)}", flush=True)
        if "runs" in args.only:
            idle, words, ours, steady = time_runs(here, args.runs)
            print(f"idle GPU         {idle}", flush=True)
            print(f"sweeper          {args.runs} short runs on {SLOTS} GPUs: {words}", flush=True)
            theirs = time_submitit(here, args.runs)
            print(f"submitit         the same runs, a job each: {theirs:.0f} a minute")
            print(f"ratio            {steady / theirs:.1f} times as many under way, {ours / theirs:.1f} from Enter on")


if __name__ == "__main__":
    main()
