"""Rows of history taken in per second through file_stream, beside the PyPI package `openwandb`.

The same client sends the same requests to both, over eight connections, each one run. openwandb gets an environment of
its own (benchmarks/.cache, made by uv when it is missing) and is asked with the cookie of a login: a key, which the SDK
would send, costs it a bcrypt of 0.2 s a request. Small requests are what the stock SDK sends every 15 s of a slow
trainer, big ones of a fast one.

    .venv/bin/python benchmarks/ingest.py [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from server_load import Connection, Load, row, server, wait_for

RUNS = 8
SIZES = {15: 40, 500: 6}
"""Rows of a request, and how many requests each run sends."""
CACHE = Path(__file__).parent / ".cache" / "openwandb"
LOGIN = {"username": "admin", "password": "admin123"}
"""What openwandb makes of itself on its first start."""
START = 'mutation($n: String) { upsertBucket(input: {name: $n, modelName: "bench"}) { bucket { id } } }'


@contextlib.contextmanager
def openwandb(folder: Path) -> Iterator[Load]:
    """Run the other server."""
    if not (CACHE / "bin" / "openwandb").exists():
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "--quiet", str(CACHE)], check=True)
        subprocess.run(
            [*uv, "pip", "install", "--quiet", "--python", str(CACHE / "bin" / "python"), "openwandb"], check=True
        )
    port = 30000 + os.getpid() % 10000
    command = [str(CACHE / "bin" / "openwandb"), "serve", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--data-dir", str(folder / "data"), "--log-level", "error"],
            env={"HOME": str(folder), "PATH": os.environ["PATH"]},
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(port)
        yield Load(port, "", cookie=login(port))
    finally:
        process.terminate()
        process.wait()


def login(port: int) -> str:
    """Log in; the cookie."""
    address, body = f"http://127.0.0.1:{port}/api/v2/auth/login", json.dumps(LOGIN).encode()
    asked = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked) as answer:  # noqa: S310
        return str(answer.headers["set-cookie"]).partition(";")[0]


async def send(load: Load, entity: str, size: int, requests: int) -> float:
    """Send rows of all runs at once; rows per second."""
    connections = [load.connect() for _ in range(RUNS)]
    for i, connection in enumerate(connections):
        await load.graphql(connection, START, n=f"run{size}x{i}")
    begin = time.perf_counter()
    await asyncio.gather(
        *(
            fill(connection, f"/files/{entity}/bench/run{size}x{i}/file_stream", size, requests)
            for i, connection in enumerate(connections)
        )
    )
    return RUNS * size * requests / (time.perf_counter() - begin)


async def fill(connection: Connection, path: str, size: int, requests: int) -> None:
    """Send one run's rows, one request after the other."""
    for first in range(0, size * requests, size):
        rows = [json.dumps(row(first + i)) for i in range(size)]
        files = {"wandb-history.jsonl": {"offset": first, "content": rows}}
        await connection.post(path, json.dumps({"files": files}).encode())


async def measure(load: Load, entity: str, share: float) -> dict[int, float]:
    """Give the rows per second by size of request."""
    return {size: await send(load, entity, size, max(1, round(share * requests))) for size, requests in SIZES.items()}


def kept(database: Path, query: str) -> int:
    """Count rows in a database."""
    with contextlib.closing(sqlite3.connect(database)) as db:
        return int(db.execute(query).fetchone()[0])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a quarter of the rows")
    share = 0.25 if parser.parse_args().quick else 1.0
    with tempfile.TemporaryDirectory() as name:
        ours_at, theirs_at = Path(name) / "ours", Path(name) / "theirs"
        ours_at.mkdir()
        theirs_at.mkdir()
        with server(ours_at) as (_, load):
            ours = asyncio.run(measure(load, "local", share))
        with openwandb(theirs_at) as load:
            theirs = asyncio.run(measure(load, "default", share))
        rows = kept(ours_at / "server" / "sweeper.db", "SELECT count(*) FROM lines WHERE stream = 'history'")
        values = kept(theirs_at / "data" / "openwandb.db", "SELECT count(*) FROM metrics")
    for size in SIZES:
        ratio = ours[size] / theirs[size]
        print(
            f"{size} rows a request: sweeper {ours[size]:.0f} rows/s, openwandb {theirs[size]:.0f}; ratio {ratio:.1f}"
        )
    print(f"kept: sweeper {rows} rows, openwandb {values} values (7 a row)")


if __name__ == "__main__":
    main()
