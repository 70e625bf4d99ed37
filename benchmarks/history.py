"""A history of a million rows: sampled, paged and scanned, and the server's memory meanwhile.

The rows come in through file_stream, a key in every tenth and one in every thousandth. Then: 500 samples of two keys,
of rarer keys, a page of 1,000 rows and more, and one `scan_history` by the real SDK. Compared with reading the whole
history and picking from it, as this server did before.

    .venv/bin/python benchmarks/history.py [--quick] [--rows 1000000]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil
from server_load import Load, row, server

BATCH = 1000
SCAN = """
import sys, time, wandb
run = wandb.Api().run("bench/long")
begin = time.perf_counter()
count = sum(1 for _ in run.scan_history(page_size=10_000))
print(count, time.perf_counter() - begin)
"""


class Memory:
    """Watches how much memory a process holds at most."""

    def __init__(self, process: psutil.Process) -> None:
        self.peak_mib, self._process, self._over = 0.0, process, threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Memory:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            self.peak_mib = max(self.peak_mib, self._process.memory_info().rss / 2**20)


async def fill(load: Load, rows: int) -> float:
    """Send the rows; how many a second."""
    connection = load.connect()
    start = 'mutation { upsertBucket(input: {name: "long", modelName: "bench"}) { inserted } }'
    await load.graphql(connection, start)
    begin = time.perf_counter()
    for first in range(0, rows, BATCH):
        files = {"wandb-history.jsonl": {"offset": first, "content": [text(first + i) for i in range(BATCH)]}}
        await connection.post("/files/local/bench/long/file_stream", json.dumps({"files": files}).encode())
    return rows / (time.perf_counter() - begin)


def text(step: int) -> str:
    """Write one row."""
    values: dict[str, Any] = row(step)
    if step % 10 == 0:
        values["val_loss"] = 1 / (step + 1)
    if step % 1000 == 0:
        values["epoch_loss"] = 1 / (step + 1)
    return json.dumps(values)


def questions(rows: int) -> dict[str, tuple[str, int]]:
    """Give what is asked, as a field of a run with how many rows must come."""
    page = rows // 2

    def sampled(*keys: str, **more: int) -> str:
        spec = json.dumps({"keys": ["_step", *keys], "samples": 500, **more})
        return f"sampledHistory(specs: [{json.dumps(spec)}])"

    return {
        "500 samples of two keys": (sampled("loss", "metric_1"), 500),
        "500 samples of a key in every 10th row": (sampled("val_loss"), 500),
        "500 samples of a key in every 1000th row": (sampled("epoch_loss"), min(500, rows // 1000)),
        "500 samples of whole rows": ("history(samples: 500)", 500),
        "a page of 1,000 rows": (f"history(minStep: {page}, maxStep: {page + 1000}, samples: 1000)", 1000),
        "500 samples of a tenth of it": (sampled("loss", minStep=page, maxStep=page + rows // 10), 500),
        "where the live data begins": ('parquetHistory(liveKeys: ["_step"]) { liveData }', 0),
    }


async def ask(load: Load, field: str, expected: int) -> float:
    """Ask five times; the median time in milliseconds."""
    connection, times = load.connect(), []
    for _ in range(5):
        begin = time.perf_counter()
        found = await load.graphql(connection, f'{{ project(name: "bench") {{ run(name: "long") {{ {field} }} }} }}')
        times.append(1000 * (time.perf_counter() - begin))
        (given,) = found["project"]["run"].values()
        count = len(given[0] if given and isinstance(given, list) and isinstance(given[0], list) else given)
        if not 0.99 * expected <= count <= max(expected, 1000):
            raise SystemExit(f"{field}: {count} rows instead of {expected}")
    return statistics.median(times)


def whole(database: Path) -> float:
    """Read all rows and keep those with two keys, as the server did before; milliseconds."""
    begin = time.perf_counter()
    with contextlib.closing(sqlite3.connect(database)) as db:
        texts = [found for (found,) in db.execute("SELECT text FROM lines WHERE stream = 'history' ORDER BY number")]
        rows = [json.loads(found) for found in texts if "loss" in found and "metric_1" in found]
        kept = [{"loss": found["loss"], "metric_1": found["metric_1"]} for found in rows]
    del texts, rows, kept
    return 1000 * (time.perf_counter() - begin)


def scan(load: Load, folder: Path) -> tuple[int, float]:
    """Let the real SDK read all rows; how many, and how long it took."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
    env |= {"WANDB_BASE_URL": f"http://127.0.0.1:{load.port}", "WANDB_API_KEY": load.key, "WANDB_SILENT": "true"}
    env |= {"WANDB_ERROR_REPORTING": "false", "HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", SCAN], env=env, cwd=folder, stdout=subprocess.PIPE, text=True, check=True
    )
    count, seconds = done.stdout.split()[-2:]
    return int(count), float(seconds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="100,000 rows")
    parser.add_argument("--rows", type=int, default=1_000_000)
    wanted = parser.parse_args()
    rows = 100_000 if wanted.quick else wanted.rows
    with tempfile.TemporaryDirectory() as name, server(Path(name)) as (process, load):
        with Memory(process) as inserting:
            pace = asyncio.run(fill(load, rows))
        print(f"{rows} rows came in at {pace:.0f} a second; memory at most {inserting.peak_mib:.0f} MiB")
        with Memory(process) as reading:
            old = whole(Path(name) / "server" / "sweeper.db")
            for what, (field, expected) in questions(rows).items():
                took = asyncio.run(ask(load, field, expected))
                print(f"{what}: {took:.0f} ms; reading it all / this = {old / took:.0f}")
            count, seconds = scan(load, Path(name))
        print(f"scan_history by the SDK: {count} rows in {seconds:.1f} s")
        print(f"memory while reading: at most {reading.peak_mib:.0f} MiB")


if __name__ == "__main__":
    main()
