"""Thousands of agents on one server: how long a heartbeat takes, and whether a row is lost.

Each agent beats every 5 s and sends 15 rows of history with a summary every 15 s, over connections of its own, as the
stock SDK does (without held heartbeats: that is more requests). Server, generator and database share two cores; the
generator writes its requests ahead, and its share is printed. It then asks a bare uvicorn that answers every request
with a constant: what an HTTP server in Python costs. At last, eight runs send rows as fast as they are taken while the
page of a sweep of 10,000 runs is read again and again.

    .venv/bin/python benchmarks/server_load.py [--quick] [--agents 1000 3000] [--seconds 60]
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
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import uvloop

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
SWEEP = {"method": "random", "metric": {"name": "loss"}, "parameters": {"x": {"min": 0.0, "max": 1.0}}}
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


class Connection(asyncio.Protocol):
    """A keep-alive connection, as cheap as can be."""

    def __init__(self, port: int, head: str) -> None:
        self._port, self._head = port, head
        self._transport: asyncio.WriteTransport | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._status, self._length, self._came = b"", -1, bytearray()

    def request(self, path: str, body: bytes, method: str = "POST") -> bytes:
        """Write a request."""
        return f"{method} {path} HTTP/1.1\r\n{self._head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    async def post(self, path: str, body: bytes) -> bytes:
        """Send a request; the body of its answer, which must have status 200."""
        return await self.send(self.request(path, body))

    async def send(self, request: bytes) -> bytes:
        """Send what `request` has written; the body of its answer, which must have status 200."""
        loop = asyncio.get_running_loop()
        if self._transport is None:
            self._transport, _ = await loop.create_connection(lambda: self, "127.0.0.1", self._port)
        self._answer = loop.create_future()
        self._transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        """Take a piece of an answer."""
        self._came += data
        if self._length < 0:
            head, found, body = bytes(self._came).partition(b"\r\n\r\n")
            if not found:
                return
            self._status, self._came = head[:20], bytearray(body)
            self._length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(self._came) >= self._length and self._answer is not None:
            content, self._came, self._length = bytes(self._came), bytearray(), -1
            if b" 200 " in self._status:
                self._answer.set_result(content)
            else:
                self._answer.set_exception(RuntimeError(f"{self._status!r} {content!r}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Notice that the server has gone."""
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError())


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
        self.load, self._path = load, f"/files/local/bench/{run}/file_stream"
        self._beats, self._stream = load.connect(), load.connect()
        variables = {"id": name, "metrics": "{}", "runState": json.dumps({run: True})}
        self._beat = self._beats.request("/graphql", json.dumps({"query": HEARTBEAT, "variables": variables}).encode())
        self._offset = 0

    async def beat(self) -> None:
        """Send a heartbeat."""
        await self.load.timed(self.load.beats, self._beats.send(self._beat))

    async def stream(self) -> None:
        """Send rows."""
        request = self._stream.request(self._path, rows_from(self._offset, ROWS))
        if await self.load.timed(self.load.streams, self._stream.send(request)):
            self._offset += ROWS
            self.load.rows += ROWS

    async def live(self, end: float) -> None:
        """Do both until the end."""
        await asyncio.gather(every(BEAT_S, end, self.beat), every(STREAM_S, end, self.stream))


def row(step: int) -> dict[str, float]:
    """Make a row of history as a trainer logs it."""
    values = {f"metric_{i}": random.random() for i in range(6)}  # noqa: S311 - no secret
    # of one process: `_timestamp` and `_runtime` go by the same clock
    return {**values, "loss": random.random(), "_step": step, "_runtime": step * 1.5, "_timestamp": 1.7e9 + step * 1.5}  # noqa: S311


@cache
def rows_from(first: int, count: int) -> bytes:
    """Write the body of a file stream: rows, and a summary. All runs send the same, so it is written once."""
    rows = [json.dumps(row(first + i)) for i in range(count)]
    summary = {"offset": 0, "content": [rows[-1]]}
    files = {"wandb-history.jsonl": {"offset": first, "content": rows}, "wandb-summary.json": summary}
    return json.dumps({"files": files}).encode()


async def enter(load: Load, count: int) -> list[Agent]:
    """Register agents and start a run with each; not timed."""
    first = load.connect()
    query = 'mutation($c: String) { upsertSweep(input: {config: $c, projectName: "bench"}) { sweep { name } } }'
    sweeps = [await load.graphql(first, query, c=json.dumps(SWEEP)) for _ in range(SWEEPS)]
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
    port = 20000 + os.getpid() % 6000  # below those that systems give to clients, of which there are thousands here
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
    port = 26000 + os.getpid() % 6000
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


def with_agents(count: int, seconds: float) -> None:
    """Measure and print what so many agents cost."""
    with tempfile.TemporaryDirectory() as name, server(Path(name)) as (process, load):
        spent, own, wall = uvloop.run(measure(process, load, count, seconds))
        kept = stored_rows(Path(name))
    requests = len(load.beats) + len(load.streams)
    with bare() as (process, idle):
        begin = cpu_s(process)
        agents = [Agent(idle, f"a{i}", f"r{i}") for i in range(count)]
        uvloop.run(ask(agents, seconds / 3))
        bare_ms = 1000 * (cpu_s(process) - begin) / (len(idle.beats) + len(idle.streams))
    print(f"{count} agents for {seconds:.0f} s: {len(load.beats)} heartbeats, {len(load.streams)} streams")
    for what, times in [("heartbeat", load.beats), ("stream", load.streams), ("heartbeat, bare server", idle.beats)]:
        shown = ", ".join(f"p{share:g} {percentile(times, share / 100):.0f} ms" for share in (50, 99, 100))
        print(f"  {what}: {shown}")
    ours_ms = 1000 * spent / requests
    print(f"  server CPU a request: {ours_ms:.2f} ms, {ours_ms / bare_ms:.1f} times a bare server's {bare_ms:.3f} ms")
    print(f"  CPU: server {spent / wall:.0%} of a core, generator {own / wall:.0%}")
    lost = load.rows - kept
    print(
        f"  errors: {len(load.errors)} {load.errors[:3]}; rows sent {load.rows}, kept {kept}, lost {lost}", flush=True
    )


async def measure(process: psutil.Process, load: Load, count: int, seconds: float) -> tuple[float, float, float]:
    """Let the agents in, load the server; seconds of its CPU, of ours, and of the clock."""
    agents = await enter(load, count)
    times = cpu_s(process), time.process_time(), time.perf_counter()
    await ask(agents, seconds)
    return cpu_s(process) - times[0], time.process_time() - times[1], time.perf_counter() - times[2]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="20 s instead of 60")
    parser.add_argument("--agents", type=int, nargs="*", default=[1000, 3000])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--no-page", action="store_true", help="leave out the page")
    wanted = parser.parse_args()
    seconds = 20.0 if wanted.quick else wanted.seconds
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    for count in wanted.agents:
        with_agents(count, seconds)
    if not wanted.no_page:
        from server_page import beside_a_page

        beside_a_page(seconds / 2)


if __name__ == "__main__":
    main()
