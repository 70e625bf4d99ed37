"""A server that is left alone: agents for long with restarts, and the sweeps of a year behind it.

(a) Agents at the stock cadence (a heartbeat every 5 s, 15 rows every 15 s; `server_load.py` has them) for a while, in
which the server is killed and started again now and then: they ask again, as the SDK does. Memory, descriptors, log and
disk of the server, and what a request took, at the start and at the end; rows acknowledged and rows stored.

(b) A year: so many sweeps with so many ended runs, written straight into the database, which takes minutes where the
protocol would take days. Start-up time, memory, descriptors, log and disk, and what the usual requests take beside them,
at 1% of them and at all; then `sweeper server prune` of what is older than 90 days, the requests of others meanwhile, and
what it frees.

    .venv/bin/python benchmarks/soak.py [--quick] [--agents 1000] [--minutes 60] [--sweeps 10000] [--only a|b]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import uvloop
from server_load import ROOT, Agent, Load, enter, every, percentile, row, stored_rows, wait_for

from sweeper.server.store.database import Store
from sweeper.server.store.runs import key_of

DAY_S, LINES = 86400.0, 5
GRID = {
    "method": "random",
    "metric": {"name": "loss"},
    "run_cap": 100,
    "parameters": {"lr": {"min": 0.0, "max": 1.0}, "size": {"values": [1, 2, 3]}},
}
OUTLINE = """query($s: String!) { project(name: "p0") { sweep(sweepName: $s) { outline runDigests(after: 0) } } }"""
LIST = "{ viewer { sweepList } }"


def environ(folder: Path) -> dict[str, str]:
    """Give the environment of a user whose state directory this is."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB_", "SWEEPER_"))}
    return env | {"SWEEPER_HOME": str(folder), "PYTHONPATH": str(ROOT)}


class Server:
    """A server of ours that can be killed and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, 20000 + os.getpid() % 6000
        self.took_s = 0.0

    def start(self) -> None:
        """Start it, and note how long that took."""
        command = [sys.executable, "-m", "sweeper", "serve", "--data", str(self.folder / "server")]
        begin = time.perf_counter()
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port)], env=environ(self.folder), stdout=log, stderr=log
            )
        wait_for(self.port)
        self.took_s = time.perf_counter() - begin

    def stop(self, *, kill: bool = False) -> None:
        """End it."""
        (self.process.kill if kill else self.process.terminate)()
        self.process.wait()

    def load(self) -> Load:
        """Make what asks it."""
        return Load(self.port, (self.folder / "server" / "api-key").read_text().strip())

    def figures(self) -> str:
        """Say what it takes of the machine."""
        ours = psutil.Process(self.process.pid)
        every = [ours, *ours.children(recursive=True)]
        data = self.folder / "server"
        size = {name: (data / name).stat().st_size / 2**20 for name in ("sweeper.db", "sweeper.db-wal")}
        return (
            f"memory {ours.memory_info().rss / 2**20:.0f} MiB, {ours.num_fds()} descriptors, {len(every)} processes, "
            f"database {size['sweeper.db']:.0f} MiB, log {size['sweeper.db-wal']:.0f} MiB"
        )


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Run a server of ours."""
    server = Server(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def shares(times: list[float]) -> str:
    """Write the percentiles of some times."""
    if not times:
        return "none"
    return ", ".join(f"p{share:g} {percentile(times, share / 100):.0f} ms" for share in (50, 99, 100))


def with_faults(count: int, minutes: float) -> None:
    """Let agents work while the server is killed now and then, and print how that went."""
    with tempfile.TemporaryDirectory() as name, running(Path(name)) as server:
        load = server.load()
        uvloop.run(_with_faults(server, load, count, 60 * minutes))
        print(f"  at the end: {server.figures()}")
        kept = stored_rows(Path(name))
        print(
            f"  rows acknowledged {load.rows}, stored {kept}: {'all' if kept >= load.rows else 'LOST ' + str(load.rows - kept)}"
        )
        checked = subprocess.run(
            [sys.executable, "-m", "sweeper", "server", "check", "--data", f"{name}/server"],
            env=environ(Path(name)),
            capture_output=True,
            text=True,
            check=False,
        )
        print(f"  check: {checked.stderr.strip().splitlines()[-1]}", flush=True)


async def _with_faults(server: Server, load: Load, count: int, seconds: float) -> None:
    agents, period = await enter(load, count), max(20.0, seconds / 6)
    print(f"{count} agents for {seconds / 60:.1f} minutes, a kill -9 of the server every {period:.0f} s")
    end = time.perf_counter() + seconds
    tenths: list[tuple[int, int]] = []

    async def look() -> None:
        tenths.append((len(load.beats), len(load.streams)))
        if len(tenths) == 2:
            print(f"  at the start: {server.figures()}", flush=True)

    async def kill() -> None:
        server.stop(kill=True)
        await asyncio.sleep(random.random() * 3)  # noqa: S311 - no secret
        await asyncio.to_thread(server.start)

    tasks = [agent.live(end) for agent in agents]
    # the last tenth is without a fault: its times are compared with the first
    await asyncio.gather(*tasks, every(seconds / 10, end, look), every(period, end - seconds / 5, kill))
    tenths.append((len(load.beats), len(load.streams)))
    for what, times, place in (("heartbeat", load.beats, 0), ("rows", load.streams, 1)):
        first, last = times[: tenths[1][place]], times[tenths[-2][place] :]
        print(f"  {what}: at the start {shares(first)}; at the end {shares(last)}")
    print(f"  requests refused or broken off by the faults: {len(load.errors)}")


def fill(path: Path, first: int, last: int, runs: int, now: float) -> None:
    """Write sweeps of the last year into a database: number `first` up to `last`, the oldest first."""
    text = json.dumps(GRID)
    draw = random.Random(first)  # noqa: S311 - no secret
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA cache_size = -400000")
        user = db.execute("SELECT id FROM users WHERE name = 'local'").fetchone()[0]
        for number in range(20):
            db.execute(
                "INSERT OR IGNORE INTO projects (entity, name, created_at) VALUES ('local', ?, 0)", (f"p{number}",)
            )
        places = dict(db.execute("SELECT name, id FROM projects").fetchall())
        for part in range(first, last, 20):
            db.execute("BEGIN")
            for sweep in range(part, min(last, part + 20)):
                at = now - 365 * DAY_S * (1 - sweep / last)
                _sweep(db, sweep, places[f"p{sweep % 20}"], user, text, runs, at, draw)
            db.execute("COMMIT")


def _sweep(
    db: sqlite3.Connection, number: int, project: int, user: int, text: str, runs: int, at: float, draw: random.Random
) -> None:
    made = db.execute(
        "INSERT INTO sweeps (project_id, user_id, name, definition, state, seed, created_at, updated_at, heartbeat_at)"
        " VALUES (?, ?, ?, ?, 'FINISHED', 1, ?, ?, ?)",
        (project, user, f"s{number:07}", text.replace("100", str(100 + number)), at, at, at),
    ).lastrowid
    agent = db.execute(
        "INSERT INTO agents (sweep_id, name, host, created_at, heartbeat_at) VALUES (?, ?, 'h', ?, ?)",
        (made, f"a{number:07}", at, at),
    ).lastrowid
    values, lines, metric = [], [], []
    base = db.execute("SELECT coalesce(max(id), 0) FROM runs").fetchone()[0]
    for place in range(runs):
        run, params = base + 1 + place, {"lr": draw.random(), "size": draw.choice([1, 2, 3])}
        losses = [draw.random() for _ in range(LINES)]
        summary = json.dumps(row(LINES - 1) | {"loss": losses[-1]})
        config = json.dumps({key: {"value": value} for key, value in params.items()})
        keys = '{"keys": {"loss": {"typeCounts": [{"type": "number", "count": 5}]}}, "lastStep": 4, "sets": []}'
        values.append(
            (run, project, f"r{run:08}", f"run-{place + 1}", "finished", made, agent, user, json.dumps(params), config)
            + (summary, keys, 0, key_of(params), at, at, at, at)
        )
        lines += [
            (run, "history", step, step, json.dumps(row(step) | {"loss": loss})) for step, loss in enumerate(losses)
        ]
        metric += [
            (made, run, step, loss, step + 1, min(losses[: step + 1]), max(losses[: step + 1]), 0)
            for step, loss in enumerate(losses)
        ]
    db.executemany(
        "INSERT INTO runs (id, project_id, name, display_name, state, sweep_id, agent_id, user_id, params, config, summary,"
        " history_keys, exit_code, params_key, created_at, started_at, heartbeat_at, ended_at)"
        f" VALUES ({', '.join('?' * 18)})",
        values,
    )
    db.executemany("INSERT INTO lines VALUES (?, ?, ?, ?, ?)", lines)
    db.executemany("INSERT INTO metric_values VALUES (?, ?, ?, ?, ?, ?, ?, ?)", metric)


async def usual(load: Load, sweep: str, times: int) -> dict[str, list[float]]:
    """Put the usual questions, one after the other, while one agent works; how long each took."""
    (agent,) = await enter_one(load)
    connection, took = load.connect(), dict[str, list[float]]()
    asked: dict[str, Callable[[], object]] = {
        "heartbeat": agent.beat,
        "rows": agent.stream,
        "list": lambda: load.graphql(connection, LIST),
        "status": lambda: load.graphql(connection, OUTLINE, s=sweep),
        "page of a sweep": lambda: connection.send(connection.request(f"/local/p0/sweeps/{sweep}", b"", "GET")),
    }
    for what, ask in asked.items():
        took[what] = []
        for _ in range(times):
            await load.timed(took[what], ask())
    return took


async def enter_one(load: Load) -> list[Agent]:
    """Register an agent of a sweep that goes on."""
    import server_load

    before, server_load.SWEEPS = server_load.SWEEPS, 1
    try:
        return await enter(load, 1)
    finally:
        server_load.SWEEPS = before


def look(server: Server, what: str, sweep: str, times: int) -> None:
    """Measure and print how a server stands."""
    load = server.load()
    took = uvloop.run(usual(load, sweep, times))
    print(f"{what}: started in {server.took_s:.1f} s; {server.figures()}")
    for name, each in took.items():
        print(f"  {name}: {shares(each)}")
    if load.errors:
        print(f"  errors: {load.errors[:3]}")
    sys.stdout.flush()


def a_year(sweeps: int, runs: int, times: int) -> None:
    """Measure at a hundredth of a year and at all of it, and prune."""
    with tempfile.TemporaryDirectory() as name:
        folder, now = Path(name), time.time()
        with running(folder):
            pass
        path, last = folder / "server" / "sweeper.db", 0
        for share in (0.01, 1.0):
            begin, number = time.perf_counter(), max(1, int(sweeps * share))
            fill(path, last, number, runs, now)
            last = number
            print(
                f"{number:,} sweeps, {number * runs:,} runs, {number * runs * LINES:,} rows: filled in {time.perf_counter() - begin:.0f} s"
            )
            Store(path).close()  # which puts the log into the database
            with running(folder) as server:
                look(server, f"at {share:.0%}", "s0000000", times)
        with running(folder) as server:
            _prune(server, times)
            look(server, "pruned", f"s{number - 20:07}", times)
        with running(folder) as server:
            look(server, "started again", f"s{number - 20:07}", times)


def _prune(server: Server, times: int) -> None:
    command = [sys.executable, "-m", "sweeper", "server", "prune", "--older-than", "90d", "--keep-best", "--json"]
    env = environ(server.folder) | {"WANDB_BASE_URL": f"http://127.0.0.1:{server.port}"}
    env["WANDB_API_KEY"] = server.load().key
    begin = time.perf_counter()
    said = json.loads(subprocess.run([*command, "--dry-run"], env=env, stdout=subprocess.PIPE, check=True).stdout)
    print(
        f"prune --dry-run: {time.perf_counter() - begin:.0f} s, {sum(len(one['run_ids']) for one in said['sweeps']):,} runs of {len(said['sweeps']):,} sweeps"
    )
    begin, load = time.perf_counter(), server.load()
    with subprocess.Popen([*command, "--yes"], env=env, stdout=subprocess.PIPE) as process:
        done = json.loads(uvloop.run(_beside(load, process)))
    space = done["database"]
    print(
        f"prune: {time.perf_counter() - begin:.0f} s; database {space['bytes_before'] / 2**20:.0f} MiB before, "
        f"{space['bytes'] / 2**20:.0f} MiB after, foreseen {space['about_bytes'] / 2**20:.0f} MiB less; {server.figures()}"
    )
    print(
        f"  meanwhile heartbeat: {shares(load.beats)}; rows: {shares(load.streams)}; errors {load.errors[:3]}",
        flush=True,
    )


async def _beside(load: Load, process: subprocess.Popen[bytes]) -> bytes:
    """Ask as an agent does until a process has ended; give what it said."""
    output = asyncio.create_task(asyncio.to_thread(process.communicate))
    (agent,) = await enter_one(load)
    while not output.done():
        await agent.beat()
        await agent.stream()
        await asyncio.sleep(0.05)
    return output.result()[0]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help="a minute: 50 agents for half of one, 200 sweeps of 20 runs"
    )
    parser.add_argument("--agents", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--sweeps", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=100, help="of each sweep")
    parser.add_argument("--times", type=int, default=30, help="how often each question is put")
    parser.add_argument("--only", choices=["a", "b"])
    wanted = parser.parse_args()
    if wanted.quick:
        wanted.agents, wanted.minutes, wanted.sweeps, wanted.runs, wanted.times = 50, 0.5, 200, 20, 10
    if wanted.only != "b":
        with_faults(wanted.agents, wanted.minutes)
    if wanted.only != "a":
        a_year(wanted.sweeps, wanted.runs, wanted.times)


if __name__ == "__main__":
    main()
