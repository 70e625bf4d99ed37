"""A thousand agents on one server: how long a heartbeat takes, and whether a row is lost.

Each agent beats every 5 s and sends 15 rows of history with a summary every 15 s, over connections of its own, as the
stock SDK does (without held heartbeats: that is more requests). Server, generator and database share two cores. The
same generator then asks a bare uvicorn that answers every request with a constant: what an HTTP server in Python costs.

    .venv/bin/python benchmarks/server_load.py [--quick] [--agents 1000] [--seconds 60]
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[1]
BEAT_S, STREAM_S, ROWS, SWEEPS = 5.0, 15.0, 15, 20
HEARTBEAT = """
    mutation Heartbeat(
        $id: ID!,
        $metrics: JSONString,
        $runState: JSONString
    ) {
        agentHeartbeat(input: {
            id: $id,
            metrics: $metrics,
            runState: $runState
        }) {
            agent {
                id
            }
            commands
        }
    }
"""
BARE = """
import sys, uvicorn

async def app(scope, receive, send):
    if scope["type"] == "http":
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"{}"})

uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False, lifespan="off", timeout_keep_alive=120)
"""


class Connection:
    """A keep-alive connection, as cheap as can be."""

    def __init__(self, port: int, head: str) -> None:
        self._port, self._head = port, head
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, body: bytes) -> bytes:
        """Send a request; the body of its answer, which must have status 200."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(f"POST {path} HTTP/1.1\r\n{self._head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        content = await reader.readexactly(length)
        if b" 200 " not in head[:20]:
            raise RuntimeError(f"{head!r} {content!r}")
        return content


@dataclass
class Load:
    """What was sent, and how it went."""

    port: int
    key: str
    cookie: str = ""
    beats: list[float] = field(default_factory=list)
    streams: list[float] = field(default_factory=list)
    rows: int = 0
    errors: list[str] = field(default_factory=list)

    def connect(self) -> Connection:
        """Make a connection with the key."""
        basic = base64.b64encode(f"api:{self.key}".encode()).decode()
        right = f"Cookie: {self.cookie}" if self.cookie else f"Authorization: Basic {basic}"
        head = f"Host: 127.0.0.1:{self.port}\r\n{right}\r\nUser-Agent: W&B Public Client 0.31.0\r\n"
        return Connection(self.port, head + "Content-Type: application/json\r\n")

    async def graphql(self, connection: Connection, query: str, **variables: Any) -> Any:
        """Ask; the data."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        return json.loads(await connection.post("/graphql", body)).get("data")

    async def timed(self, times: list[float], request: Awaitable[object]) -> bool:
        """Await an answer, keep how long it took; whether it was a good one."""
        begin = time.perf_counter()
        try:
            await request
        except Exception as error:  # noqa: BLE001 - counted
            self.errors.append(repr(error))
            return False
        times.append(time.perf_counter() - begin)
        return True


async def every(period_s: float, end: float, act: Callable[[], Awaitable[object]]) -> None:
    """Do something again and again, the first time at a random moment of the period."""
    due = time.perf_counter() + random.random() * period_s  # noqa: S311 - no secret
    while due < end:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await act()
        due += period_s


class Agent:
    """One agent with its run."""

    def __init__(self, load: Load, name: str, run: str) -> None:
        self.load, self.name, self.run = load, name, run
        self._beats, self._stream = load.connect(), load.connect()
        self._offset = 0

    async def beat(self) -> None:
        """Send a heartbeat."""
        state = json.dumps({self.run: True})
        request = self.load.graphql(self._beats, HEARTBEAT, id=self.name, metrics="{}", runState=state)
        await self.load.timed(self.load.beats, request)

    async def stream(self) -> None:
        """Send rows."""
        rows = [json.dumps(row(self._offset + i)) for i in range(ROWS)]
        summary = {"offset": 0, "content": [rows[-1]]}
        files = {"wandb-history.jsonl": {"offset": self._offset, "content": rows}, "wandb-summary.json": summary}
        path, body = f"/files/local/bench/{self.run}/file_stream", json.dumps({"files": files}).encode()
        if await self.load.timed(self.load.streams, self._stream.post(path, body)):
            self._offset += ROWS
            self.load.rows += ROWS

    async def live(self, end: float) -> None:
        """Do both until the end."""
        await asyncio.gather(every(BEAT_S, end, self.beat), every(STREAM_S, end, self.stream))


def row(step: int) -> dict[str, float]:
    """Make a row of history as a trainer logs it."""
    values = {f"metric_{i}": random.random() for i in range(6)}  # noqa: S311 - no secret
    return {**values, "loss": random.random(), "_step": step, "_runtime": step * 1.5, "_timestamp": 1.7e9 + step}  # noqa: S311


async def enter(load: Load, count: int) -> list[Agent]:
    """Register agents and start a run with each; not timed."""
    first = load.connect()
    definition = json.dumps(
        {"method": "random", "metric": {"name": "loss"}, "parameters": {"x": {"min": 0.0, "max": 1.0}}}
    )
    query = 'mutation($c: String) { upsertSweep(input: {config: $c, projectName: "bench"}) { sweep { name } } }'
    sweeps = [await load.graphql(first, query, c=definition) for _ in range(SWEEPS)]
    names = [sweep["upsertSweep"]["sweep"]["name"] for sweep in sweeps]
    create = (
        'mutation($s: String!) { createAgent(input: {host: "h", sweep: $s, projectName: "bench"}) { agent { id } } }'
    )
    ids = []
    for i in range(count):
        found = await load.graphql(first, create, s=names[i % SWEEPS])
        ids.append(found["createAgent"]["agent"]["id"])
    await asyncio.sleep(3)  # one that asks at once would be held
    agents = []
    start = 'mutation($n: String) { upsertBucket(input: {name: $n, modelName: "bench"}) { inserted } }'
    for name in ids:
        found = await load.graphql(first, HEARTBEAT, id=name, metrics="{}", runState="{}")
        (command,) = json.loads(found["agentHeartbeat"]["commands"])
        await load.graphql(first, start, n=command["run_id"])
        agents.append(Agent(load, name, command["run_id"]))
    return agents


async def ask(agents: list[Agent], seconds: float) -> None:
    """Let all agents live for so long."""
    end = time.perf_counter() + seconds
    await asyncio.gather(*(agent.live(end) for agent in agents))


@contextlib.contextmanager
def server(folder: Path) -> Iterator[tuple[psutil.Process, Load]]:
    """Run a server of ours."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB_", "SWEEPER_"))}
    env |= {"SWEEPER_HOME": str(folder), "PYTHONPATH": str(ROOT)}
    port = 40000 + os.getpid() % 20000
    command = [sys.executable, "-m", "sweeper", "serve", "--data", str(folder / "server"), "--port", str(port)]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        wait_for(port)
        yield psutil.Process(process.pid), Load(port, (folder / "server" / "api-key").read_text().strip())
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def bare() -> Iterator[tuple[psutil.Process, Load]]:
    """Run a server that does nothing."""
    port = 20000 + os.getpid() % 20000
    process = subprocess.Popen([sys.executable, "-c", BARE, str(port)])
    try:
        wait_for(port)
        yield psutil.Process(process.pid), Load(port, "k" * 40)
    finally:
        process.terminate()
        process.wait()


def wait_for(port: int) -> None:
    """Wait until somebody listens."""
    import socket

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise SystemExit("the server did not start")


def cpu_s(process: psutil.Process) -> float:
    """Give the CPU seconds a process has used."""
    times = process.cpu_times()
    return float(times.user + times.system)


def stored_rows(folder: Path) -> int:
    """Count the rows of history in the database."""
    with contextlib.closing(sqlite3.connect(folder / "server" / "sweeper.db")) as db:
        return int(db.execute("SELECT count(*) FROM lines WHERE stream = 'history'").fetchone()[0])


def percentile(times: list[float], share: float) -> float:
    """Give a percentile in milliseconds."""
    return 1000 * sorted(times)[min(len(times) - 1, int(share * len(times)))]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="20 s instead of 60")
    parser.add_argument("--agents", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0)
    wanted = parser.parse_args()
    seconds = 20.0 if wanted.quick else wanted.seconds
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    with tempfile.TemporaryDirectory() as name, server(Path(name)) as (process, load):
        spent, requests = asyncio.run(measure(process, load, wanted.agents, seconds))
        kept = stored_rows(Path(name))
    with bare() as (process, idle):
        begin = cpu_s(process)
        agents = [Agent(idle, f"a{i}", f"r{i}") for i in range(wanted.agents)]
        asyncio.run(ask(agents, seconds / 3))
        bare_ms = 1000 * (cpu_s(process) - begin) / (len(idle.beats) + len(idle.streams))
    print(f"{wanted.agents} agents for {seconds:.0f} s: {len(load.beats)} heartbeats, {len(load.streams)} streams")
    for what, times in [("heartbeat", load.beats), ("stream", load.streams), ("heartbeat, bare server", idle.beats)]:
        shown = ", ".join(f"p{share:g} {percentile(times, share / 100):.0f} ms" for share in (50, 99, 100))
        print(f"{what}: {shown}")
    print(
        f"server CPU a request: {1000 * spent / requests:.2f} ms; bare / ours = {bare_ms * requests / spent / 1000:.2f}"
    )
    print(f"server CPU: {spent / seconds:.0%} of a core")
    print(f"errors: {len(load.errors)} {load.errors[:3]}; rows sent {load.rows}, kept {kept}, lost {load.rows - kept}")


async def measure(process: psutil.Process, load: Load, count: int, seconds: float) -> tuple[float, int]:
    """Let the agents in, load the server; its CPU seconds and the number of requests."""
    agents = await enter(load, count)
    begin = cpu_s(process)
    await ask(agents, seconds)
    return cpu_s(process) - begin, len(load.beats) + len(load.streams)


if __name__ == "__main__":
    main()
