"""Rows taken in per second while the page of a sweep of 10,000 runs is read again and again; part of server_load.py.

.venv/bin/python benchmarks/server_page.py
"""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time
from pathlib import Path

import psutil
import uvloop
from server_load import SWEEP, Load, cpu_s, rows_from, server, stored_rows

from sweeper.run import RunState
from sweeper.server.store import lines, projects, runs, sweeps, users
from sweeper.server.store.lines import HistoryLine

PAGE_RUNS, WRITERS, ROWS = 10_000, 8, 500
START = 'mutation($n: String) { upsertBucket(input: {name: $n, modelName: "bench"}) { inserted } }'


def fill(folder: Path) -> str:
    """Make a sweep of many finished runs; its page."""
    store, now = users.open_store(folder), time.time()
    with store.write() as db:
        user = users.ensure_user(db, users.EMBEDDED_USER, users.embedded_key(folder), now=now)
        place = projects.ensure(db, users.EMBEDDED_USER, "bench", now=now)
        sweep = sweeps.create(db, place.id, json.dumps(SWEEP), user_id=user.id, seed=1, display_name=None, now=now)
        for i in range(PAGE_RUNS):
            row = {"loss": random.random(), "_step": 0}  # noqa: S311 - no secret
            run = runs.propose(db, sweep, {"x": random.random()}, now=now, display_name=f"run-{i + 1}")  # noqa: S311
            runs.update(db, run.id, state=RunState.FINISHED, summary=json.dumps(row), started_at=now, ended_at=now + 60)
            lines.put_metric(db, sweep.id, run.id, "loss", [HistoryLine(0, "", row)])
    store.close()
    return f"/{users.EMBEDDED_USER}/bench/sweeps/{sweep.name}"


async def write(load: Load, name: str, end: float) -> int:
    """Send rows of one run until the end, one request after the other; how many were taken."""
    connection, sent = load.connect(), 0
    await load.graphql(connection, START, n=name)
    while time.perf_counter() < end:
        await connection.post(f"/files/local/bench/{name}/file_stream", rows_from(sent, ROWS))
        sent += ROWS
    return sent


async def pace(load: Load, name: str, seconds: float) -> float:
    """Let several runs write for so long; rows a second."""
    begin = time.perf_counter()
    taken = await asyncio.gather(*(write(load, f"{name}{i}", begin + seconds) for i in range(WRITERS)))
    return sum(taken) / (time.perf_counter() - begin)


async def read(load: Load, path: str, times: list[float]) -> None:
    """Read a page for ever."""
    connection = load.connect()
    request = connection.request(path, b"", "GET")
    while True:
        await load.timed(times, connection.send(request))


async def measure(process: psutil.Process, load: Load, path: str, seconds: float) -> tuple[float, float, list[float]]:
    """Give rows a second alone and beside the reader, and how long the page took him."""
    alone, times = await pace(load, "alone", seconds), list[float]()
    reader = asyncio.create_task(read(load, path, times))
    begin = cpu_s(process)
    beside = await pace(load, "beside", seconds)
    print(f"  server CPU beside the page: {(cpu_s(process) - begin) / seconds:.0%} of a core")
    reader.cancel()
    return alone, beside, times


def beside_a_page(seconds: float) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        path = fill(Path(name) / "server")
        with server(Path(name)) as (process, load):
            alone, beside, times = uvloop.run(measure(process, load, path, seconds))
            kept = stored_rows(Path(name))
    shown = f"{len(times)} times, {sum(times) / len(times):.1f} s each" if times else "not once to its end"
    print(f"{ROWS} rows a request over {WRITERS} connections: {alone:.0f} rows/s alone,")
    print(f"  {beside:.0f} rows/s while the page of {PAGE_RUNS} runs is read ({shown}); {kept} kept; {load.errors[:3]}")


if __name__ == "__main__":
    beside_a_page(20.0)
