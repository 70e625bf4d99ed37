"""How long an agent waits for a suggestion: heartbeats over loopback, `method: bayes`, 8 runs pending.

For each number of finished runs it fills a database, starts the server on it and measures, in wall milliseconds:

- nothing ready: 8 agents ask as soon as the server answers, and it never had a suggestion ready;
- restarted: the same after a restart, with what was ready before;
- warm: runs end and agents ask, again and again. Each asks a moment after the run before it has ended, as the next
  process of a `sweeper launch` does. "at random" of them got a random draw, because no suggestion was ready;
- busy: a heartbeat that asks for nothing, in the same run: the price of HTTP, GraphQL and a commit on this disk.

Beside them, in the same run: our own search computed when it is asked for (reading the runs and `suggest`), and what
`ask` takes in Optuna's TPESampler and GPSampler, if Optuna is installed.

    .venv/bin/python benchmarks/suggest_latency_server.py [--finished 10 300] [--asks 60]
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from sweeper.run import RunState
from sweeper.search import suggest
from sweeper.server.store import lines, projects, runs, seen_runs, sweeps, users
from sweeper.server.store.database import Store
from sweeper.server.store.lines import HistoryLine

FINISHED = [10, 300, 1000, 3000, 10_000]
PENDING = 8
VALUES = 5
GP_UP_TO = 300
"""Optuna's GPSampler takes seconds from here on."""
SWEEP = {
    "method": "bayes",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {
        "dropout": {"min": 0.0, "max": 0.5},
        "momentum": {"min": 0.0, "max": 1.0},
        "learning_rate": {"distribution": "log_uniform_values", "min": 1e-5, "max": 1.0},
        "width": {"min": 1, "max": 100},
        "optimizer": {"values": ["sgd", "adam", "adamw", "lion"]},
    },
}


def loss(params: dict[str, Any]) -> float:
    """Give a made-up result."""
    return abs(params["dropout"] - 0.2) + abs(params["momentum"] - 0.9) + abs(params["width"] - 64) / 100


def fill(data: Path, finished: int) -> str:
    """Make a database with a sweep, its finished runs and its pending ones; give the sweep's id."""
    store, now, rng = users.open_store(data), time.time(), random.Random(finished)  # noqa: S311 no secret
    with store.write() as db:
        user = users.ensure_user(db, users.EMBEDDED_USER, users.embedded_key(data), now=now)
        place = projects.ensure(db, users.EMBEDDED_USER, "p", now=now)
        text = yaml.safe_dump(SWEEP)
        sweep = sweeps.create(db, place.id, text, user_id=user.id, seed=1, display_name=None, now=now)
        for number in range(finished + PENDING):
            params = sweep.definition.space.sample(rng)
            run = runs.propose(db, sweep, params, now=now, origin={})
            rows = [{"loss": loss(params) + 1 / (step + 1)} for step in range(VALUES)]
            history = [HistoryLine(step, json.dumps(row), row) for step, row in enumerate(rows)]
            lines.put_history(db, run.id, history)
            lines.put_metric(db, sweep.id, run.id, "loss", history)
            state = RunState.FINISHED if number < finished else RunState.RUNNING
            ended = now if number < finished else None
            runs.update(db, run.id, state=state, started_at=now, ended_at=ended, summary=json.dumps(rows[-1]))
    store.close()
    return sweep.name


class Client:
    """Speaks to the server as agents and runs do."""

    def __init__(self, data: Path, port: int) -> None:
        key = (data / "api-key").read_text().strip()
        self._headers = {"Authorization": "Basic " + base64.b64encode(f"api:{key}".encode()).decode()}
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Send a request and read its answer."""
        self._http.request("POST", path, json.dumps(body), {**self._headers, "Content-Type": "application/json"})
        answer = self._http.getresponse()
        content = answer.read()
        assert answer.status == 200, content  # noqa: S101
        return json.loads(content)

    def register(self, sweep: str) -> str:
        """Start an agent."""
        query = 'mutation($s: String!) { createAgent(input: {host: "h", sweep: $s}) { agent { id } } }'
        answer = self.post("/graphql", {"query": query, "variables": {"s": sweep}})
        return str(answer["data"]["createAgent"]["agent"]["id"])

    def beat(self, agent: str, *listed: str) -> tuple[float, list[dict[str, Any]]]:
        """Send a heartbeat; give the milliseconds it took, and the commands."""
        query = """mutation($id: ID!, $runs: JSONString) {
            agentHeartbeat(input: {id: $id, metrics: "{}", runState: $runs}) { commands } }"""
        variables = {"id": agent, "runs": json.dumps(dict.fromkeys(listed, True))}
        before = time.perf_counter()
        answer = self.post("/graphql", {"query": query, "variables": variables})
        took = (time.perf_counter() - before) * 1000
        return took, json.loads(answer["data"]["agentHeartbeat"]["commands"])

    def finish(self, command: dict[str, Any]) -> None:
        """Let a run log and end."""
        value = loss({name: entry["value"] for name, entry in command["args"].items()})
        content = [json.dumps({"_step": step, "loss": value + 1 / (step + 1)}) for step in range(VALUES)]
        files = {"wandb-history.jsonl": {"offset": 0, "content": content}}
        path = f"/files/local/p/{command['run_id']}/file_stream"
        self.post(path, {"files": files, "complete": True, "exitcode": 0})


@contextmanager
def server(home: Path) -> Iterator[int]:
    """Run the server on a state directory; give its port."""
    data, env = home / "server", {**os.environ, "SWEEPER_HOME": str(home)}
    (data / "server.json").unlink(missing_ok=True)
    command = [sys.executable, "-m", "sweeper", "serve"]
    process = subprocess.Popen(command, env=env, stderr=(home / "log").open("ab"))
    try:
        while True:
            try:
                port = int(json.loads((data / "server.json").read_text())["url"].rpartition(":")[2])
                probe = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                probe.request("GET", "/healthz")
                probe.getresponse().read()
                break
            except (OSError, ValueError):
                time.sleep(0.02)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def burst(data: Path, port: int, sweep: str) -> list[float]:
    """Let agents ask one right after the other."""
    client = Client(data, port)
    agents = [client.register(sweep) for _ in range(PENDING)]
    return [client.beat(agent)[0] for agent in agents]


def warm_up(data: Path) -> None:
    """Wait until the search process has filled the stock, for a minute at most."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with sqlite3.connect(data / users.DATABASE) as db:
            if db.execute("SELECT count(*) FROM suggestions").fetchone()[0] >= PENDING:
                return
        time.sleep(0.2)


def cycle(data: Path, port: int, sweep: str, asks: int, pause_s: float) -> tuple[list[float], list[float]]:
    """Let runs end and agents ask; give the times of heartbeats that got a run, and of those that asked for none."""
    client, taken, times, busy = Client(data, port), [], [], []
    for _ in range(asks):
        agent = client.register(sweep)
        took, (command,) = client.beat(agent)
        times.append(took)
        busy.append(client.beat(agent, command["run_id"])[0])
        taken.append(command)
        if len(taken) > PENDING:
            client.finish(taken.pop(0))
        time.sleep(pause_s)
    return times, busy


def at_random(data: Path, asks: int) -> int:
    """Count the random draws among the last runs."""
    with sqlite3.connect(data / users.DATABASE) as db:
        found = db.execute("SELECT origin FROM runs ORDER BY id DESC LIMIT ?", (asks,)).fetchall()
    return sum("fallback" in origin for (origin,) in found)


def on_demand(data: Path, sweep_name: str) -> float:
    """Time our search without a process of its own, in milliseconds."""
    store = Store(data / users.DATABASE)

    def ask() -> None:
        with store.read() as db:
            sweep = sweeps.find(db, sweep_name)
            assert sweep is not None  # noqa: S101
            known = seen_runs.for_search(db, sweep)
        suggest(sweep.definition, known, seed=1)

    try:
        ask()
        return timed(ask)
    finally:
        store.close()


def timed(ask: Callable[[], object], times: int = 3) -> float:
    """Give the median time of a few calls, in milliseconds."""
    found = []
    for _ in range(times):
        before = time.perf_counter()
        ask()
        found.append((time.perf_counter() - before) * 1000)
    return statistics.median(found)


def optuna_ask(finished: int, name: str) -> float | None:
    """Time an `ask` of Optuna's, in milliseconds; None if it is not installed."""
    try:
        import optuna
    except ImportError:
        return None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    space: dict[str, Any] = {
        "dropout": optuna.distributions.FloatDistribution(0, 0.5),
        "momentum": optuna.distributions.FloatDistribution(0, 1),
        "learning_rate": optuna.distributions.FloatDistribution(1e-5, 1, log=True),
        "width": optuna.distributions.IntDistribution(1, 100),
        "optimizer": optuna.distributions.CategoricalDistribution(["sgd", "adam", "adamw", "lion"]),
    }
    study = optuna.create_study(sampler=getattr(optuna.samplers, name)(seed=1))
    filler = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    drawn = [filler.ask(space).params for _ in range(finished)]
    study.add_trials(
        [optuna.trial.create_trial(params=params, distributions=space, value=loss(params)) for params in drawn]
    )
    for _ in range(PENDING):
        study.ask(space)
    return timed(lambda: study.ask(space))


def measure(finished: int, asks: int, pause_s: float) -> dict[str, float | None]:
    """Measure everything at one number of finished runs."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        data = home / "server"
        sweep = fill(data, finished)
        ours = on_demand(data, sweep)
        with server(home) as port:
            empty = burst(data, port, sweep)
            warm_up(data)
            warm, busy = cycle(data, port, sweep, asks, pause_s)
            makeshift = at_random(data, asks)
            warm_up(data)
        with server(home) as port:
            restarted = burst(data, port, sweep)
    gp = optuna_ask(finished, "GPSampler") if finished <= GP_UP_TO else None
    return {
        "nothing ready": max(empty),
        "restarted": max(restarted),
        "p50": statistics.median(warm),
        "p99": statistics.quantiles(warm, n=100)[98],
        "at random": float(makeshift),
        "busy p50": statistics.median(busy),
        "on demand": ours,
        "TPE": optuna_ask(finished, "TPESampler"),
        "GP": gp,
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--finished", type=int, nargs="+", default=FINISHED)
    parser.add_argument("--asks", type=int, default=100)
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between one run's end and the next ask")
    wanted = parser.parse_args()
    columns = ["nothing ready", "restarted", "p50", "p99", "at random", "busy p50", "on demand", "TPE", "GP"]
    print("milliseconds of wall time; 'nothing ready' and 'restarted' are the slowest of 8 agents")
    print(f"{'finished':>8}" + "".join(f"{name:>14}" for name in [*columns, "on demand/p50", "TPE/p50", "GP/p50"]))
    for finished in wanted.finished:
        row = measure(finished, wanted.asks, wanted.pause)
        p50 = row["p50"] or 1.0
        ratios = [row[name] and row[name] / p50 for name in ("on demand", "TPE", "GP")]  # type: ignore[operator]
        cells = ["-" if value is None else f"{value:.1f}" for value in [*(row[name] for name in columns), *ratios]]
        print(f"{finished:>8}" + "".join(f"{cell:>14}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
