"""How long it takes to read a sweep of 20 and of 10,000 finished runs: `sweeper status` and its like, `Api().runs()`.

Both sweeps are written through the store and read through a server of their own each, in turns, from a cold start of
the command with the server up; the sweep's page is read with the server's first look at it and then again.

"old" is what the commands did before: they read over the SDK, as every W&B server is read, and asked for each run's
history; measured with `--old-runs` and not with all, for it took more than a minute. "memory filter" is a filter
that SQL cannot say, of which each page was worked out anew before; "written meanwhile" has something written before
each page, so that nothing is kept.

    .venv/bin/python benchmarks/reading.py [--runs 10000] [--repeats 3] [--old-runs 1000] [--only status,api]

Seconds are medians. Memory is the peak of resident memory: of the command, and of the server from its start on.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests

from sweeper.run import RunState
from sweeper.server.store import history_keys, lines, projects, runs, sweeps, users
from sweeper.server.store.database import Connection
from sweeper.server.store.lines import HistoryLine
from sweeper.server.store.sweeps import Sweep

ROOT = Path(__file__).parents[1]
FEW = 20
STEPS = 5
DEFINITION = {
    "method": "random",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {
        "lr": {"distribution": "log_uniform_values", "min": 0.0001, "max": 0.1},
        "batch_size": {"values": [32, 64, 128]},
        "dropout": {"min": 0.0, "max": 0.5},
    },
}
ENTITY, PROJECT = "local", "bench"

API = """
import sys, time
import wandb
api = wandb.Api(timeout=600)
began, found = time.perf_counter(), 0
for run in api.runs(sys.argv[1], **eval(sys.argv[2])):
    found += 1
    if found >= int(sys.argv[3]):
        break
print(time.perf_counter() - began, found)
"""
"""Prints the seconds that the pages took and how many runs were on them."""

OLD = """
import sys, time
from sweeper.backend.sweep_reader import SweepReader
from sweeper.ref import SweepRef
began = time.perf_counter()
print(len(SweepReader(SweepRef.parse(sys.argv[1])).read().runs))
"""
MEMORY_FILTER = "{'filters': {'config.lr': {'$gt': 0.0}}}"


@dataclass(frozen=True)
class Timed:
    """What a command took.

    Attributes:
        seconds: From its start to its end.
        client_mib: The peak of its memory.
        printed: What it wrote to stdout.
    """

    seconds: float
    client_mib: float
    printed: str


def make_sweep(db: Connection, project_id: int, user_id: int, count: int) -> Sweep:
    """Store a sweep with finished runs of five steps each."""
    rng, now = random.Random(0), time.time() - 20.0 * count  # noqa: S311
    sweep = sweeps.create(
        db, project_id, json.dumps(DEFINITION), user_id=user_id, seed=0, display_name="reading", now=now
    )
    for number in range(count):
        _make_run(db, sweep, rng, number, now + 10.0 * number)
    return sweep


def _make_run(db: Connection, sweep: Sweep, rng: random.Random, number: int, now: float) -> None:
    params = {"lr": 10 ** rng.uniform(-5, -1), "batch_size": rng.choice([32, 64, 128]), "dropout": rng.uniform(0, 0.5)}
    config = {name: {"value": value} for name, value in params.items()}
    config["_wandb"] = {"value": {"t": {"1": [1, 5, 53], "2": [1, 5, 53]}, "cli_version": "0.31.0"}}
    run = runs.propose(db, sweep, params, now=now, config=config, display_name=f"run-{number + 1}")
    rows = [
        {"loss": rng.random() / (step + 1), "accuracy": rng.random(), "_step": step, "_timestamp": now + step,
         "_runtime": float(step)}
        for step in range(STEPS)
    ]  # fmt: skip
    logged = [HistoryLine(step, json.dumps(row), row) for step, row in enumerate(rows)]
    lines.put_history(db, run.id, logged)
    lines.put_metric(db, sweep.id, run.id, "loss", logged, known=0)
    runs.update(
        db,
        run.id,
        state=RunState.FINISHED,
        started_at=now,
        ended_at=now + 9.0,
        heartbeat_at=now + 9.0,
        exit_code=0,
        summary=json.dumps({**rows[-1], "_wandb": {"runtime": 9}}),
        history_keys=json.dumps(history_keys.add_keys({}, logged)),
    )


class Session:
    """A state directory with a sweep and a server.

    Args:
        folder: Where.
        count: How many runs the sweep has.
    """

    def __init__(self, folder: Path, count: int) -> None:
        folder.mkdir(parents=True)
        self.folder, self.count = folder, count
        env = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB_", "SWEEPER_"))}
        env |= {"SWEEPER_HOME": str(folder / "home"), "HOME": str(folder), "PYTHONPATH": str(ROOT)}
        self.env = env | {"WANDB_ERROR_REPORTING": "false", "NO_COLOR": "1", "COLUMNS": "100"}
        data = folder / "home" / "server"
        data.mkdir(parents=True, mode=0o700)
        with contextlib.closing(users.open_store(data)) as store:
            key = users.embedded_key(data)
            with store.write() as db:
                user = users.ensure_user(db, users.EMBEDDED_USER, key, now=time.time())
                project = projects.ensure(db, ENTITY, PROJECT, now=time.time())
                self.sweep = make_sweep(db, project.id, user.id, count).name
        self.path = f"{ENTITY}/{PROJECT}/{self.sweep}"
        self.key = key
        self.url, self.pid = "", 0

    def __enter__(self) -> Session:
        """Start the server."""
        self.run([sys.executable, "-m", "sweeper", "status", self.path, *LOCAL])  # starts it
        record = json.loads((self.folder / "home" / "server" / "server.json").read_text())
        self.url, self.pid = record["url"], record["pid"]
        # for the SDK; our commands take the embedded server all the same, as they are told to
        self.env |= {"WANDB_SILENT": "true", "WANDB_BASE_URL": self.url, "WANDB_API_KEY": self.key}
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)

    @property
    def server_mib(self) -> float:
        """Tell the peak of the server's memory so far, in MiB."""
        return _peak_mib(self.pid)

    def run(self, command: list[str]) -> Timed:
        """Run a command to its end."""
        began = time.perf_counter()
        with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as said:
            process = subprocess.Popen(command, cwd=self.folder, env=self.env, stdout=printed, stderr=said)
            peak_mib = 0.0
            while process.poll() is None:  # looked at while it lives: what is known afterwards counts our memory too
                peak_mib = max(peak_mib, _peak_mib(process.pid))
                time.sleep(0.005)
            seconds = time.perf_counter() - began
            printed.seek(0)
            said.seek(0)
            if process.returncode:
                sys.exit(f"{' '.join(command)}: {said.read().decode()}")
            return Timed(seconds, peak_mib, printed.read().decode())

    def page(self) -> float:
        """Read the sweep's page; the seconds."""
        began = time.perf_counter()
        with self.http() as http:
            http.get(f"{self.url}/{ENTITY}/{PROJECT}/sweeps/{self.sweep}").raise_for_status()
        return time.perf_counter() - began

    def http(self) -> requests.Session:
        """Talk to the server with its key, past any proxy."""
        http = requests.Session()
        http.trust_env, http.auth = False, ("api", self.key)
        return http

    def api(self, arguments: str, most: int) -> tuple[float, int]:
        """Walk through the pages of `wandb.Api().runs()`; the seconds, and the runs on them."""
        code = [sys.executable, "-c", API, f"{ENTITY}/{PROJECT}", arguments, str(most)]
        seconds, found = self.run(code).printed.split()
        return float(seconds), int(found)


LOCAL = ["--backend", "local"]


def _peak_mib(pid: int) -> float:
    """Tell the peak of a process's memory so far, in MiB; 0 where it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) for line in status if line.startswith("VmHWM")), 0) / 1024


COMMANDS = {
    "status": ["status"],
    "status --json": ["status", "--json"],
    "best": ["best"],
    "export": ["export", "--output", "runs.csv", "--force"],
}


def row(name: str, few: float, many: float, note: str = "") -> None:
    """Print a line of the table."""
    print(f"{name:<28}{few:>10.2f}{many:>12.2f}{many / few:>9.1f}  {note}", flush=True)


def commands(few: Session, many: Session, repeats: int) -> None:
    """Time the commands in turns; then the memory that they took."""
    peaks: dict[str, tuple[float, float]] = {}
    for name, words in COMMANDS.items():
        timed: dict[int, list[Timed]] = {0: [], 1: []}
        for _ in range(repeats):
            for place, session in enumerate((few, many)):
                timed[place].append(session.run([sys.executable, "-m", "sweeper", *words, session.path, *LOCAL]))
        seconds = [statistics.median(one.seconds for one in timed[place]) for place in (0, 1)]
        peaks[name] = (max(one.client_mib for one in timed[0]), max(one.client_mib for one in timed[1]))
        row(f"sweeper {name}, s", *seconds)
    for name, (one, other) in peaks.items():
        row(f"sweeper {name}, MiB", one, other, "peak of the client")


def old_way(few: Session, many: Session) -> None:
    """Time what the commands did before, at a number of runs that does not take minutes."""
    code = [sys.executable, "-c", OLD]
    seconds = [session.run([*code, session.path]).seconds for session in (few, many)]
    row(f"old reader at {many.count}, s", *seconds, "over the SDK")


def pages(few: Session, many: Session, repeats: int) -> None:
    """Time the sweep's page: at first with what the server imports and weighs, then again."""
    row("page, at first, s", few.page(), many.page())
    again = [statistics.median(session.page() for _ in range(repeats)) for session in (few, many)]
    row("page, again, s", *again)


def api(few: Session, many: Session) -> None:
    """Time the pages of 50 of `wandb.Api().runs()`, all of them, and what a page cost that is worked out anew."""
    for name, arguments in (
        ("Api().runs()", "{}"),
        ("the same, lazy=False", "{'lazy': False}"),
        ("of the sweep", "{'filters': {'sweep': 'SWEEP'}}"),
        ("by -summary_metrics.loss", "{'order': '-summary_metrics.loss'}"),
        ("memory filter", MEMORY_FILTER),
    ):
        seconds = [one.api(arguments.replace("SWEEP", one.sweep), 10**9)[0] for one in (few, many)]
        row(f"{name}, s", *seconds)
    with writing(many):
        anew, found = many.api(MEMORY_FILTER, 1000)
    kept, _ = many.api(MEMORY_FILTER, 1000)
    print(
        f"a page of 50 that is worked out anew: {anew / found * 50:.2f} s; one that is known: {kept / found * 50:.3f} s"
    )


@contextlib.contextmanager
def writing(session: Session) -> Iterator[None]:
    """Have the server write something every 20 ms, as running agents have it."""
    ended = threading.Event()
    query = f'mutation {{ upsertModel(input: {{entityName: "{ENTITY}", name: "{PROJECT}"}}) {{ model {{ id }} }} }}'

    def write() -> None:
        with session.http() as http:
            while not ended.wait(0.02):
                http.post(f"{session.url}/graphql", json={"query": query}).raise_for_status()

    thread = threading.Thread(target=write)
    thread.start()
    yield
    ended.set()
    thread.join()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--old-runs", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="status,old,page,api", help="parts, with commas between them")
    asked = parser.parse_args()
    parts = asked.only.split(",")
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        few, many = (stack.enter_context(Session(Path(folder) / str(n), n)) for n in (FEW, asked.runs))
        start = [session.server_mib for session in (few, many)]
        print(f"{'':<28}{f'{FEW} runs':>10}{f'{asked.runs} runs':>12}{'ratio':>9}")
        if "status" in parts:
            commands(few, many, asked.repeats)
        if "page" in parts:
            pages(few, many, asked.repeats)
        if "api" in parts:
            api(few, many)
        row("server at its start, MiB", *start)
        row("server, MiB", few.server_mib, many.server_mib, "peak of the server, all of the above")
        if "old" in parts:
            old_way(few, stack.enter_context(Session(Path(folder) / "old", asked.old_runs)))


if __name__ == "__main__":
    main()
