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
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from server_load import Connection, Load, row, server, wait_for

RUNS, TURNS = 8, 5
SIZES = {15: 20, 500: 4}
"""Rows of a request, and how many requests each run sends in a turn."""
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


async def send(load: Load, entity: str, name: str, bodies: Sequence[bytes]) -> float:
    """Send the same requests for all runs at once; how many a second."""
    connections = [load.connect() for _ in range(RUNS)]
    for i, connection in enumerate(connections):
        await load.graphql(connection, START, n=f"run{name}x{i}")
    begin = time.perf_counter()
    paths = [f"/files/{entity}/bench/run{name}x{i}/file_stream" for i in range(RUNS)]
    await asyncio.gather(*(fill(*pair, bodies) for pair in zip(connections, paths, strict=True)))
    return RUNS * len(bodies) / (time.perf_counter() - begin)


async def fill(connection: Connection, path: str, bodies: Sequence[bytes]) -> None:
    """Send one run's rows, one request after the other."""
    for body in bodies:
        await connection.post(path, body)


def requests(size: int, count: int) -> list[bytes]:
    """Write requests of so many rows each; before the clock runs, for it takes as long as taking them in."""
    chunks = [
        {"offset": first, "content": [json.dumps(row(first + i)) for i in range(size)]}
        for first in range(0, size * count, size)
    ]
    return [json.dumps({"files": {"wandb-history.jsonl": chunk}}).encode() for chunk in chunks]


async def measure(ours: Load, theirs: Load, share: float) -> dict[int, list[tuple[float, float]]]:
    """Let both take turns, so that a busy machine is fair to both; rows per second of both, by size of request."""
    paces: dict[int, list[tuple[float, float]]] = {}
    for size, count in SIZES.items():
        bodies = requests(size, max(1, round(share * count)))
        for turn in range(TURNS):
            mine = size * await send(ours, "local", f"{size}x{turn}", bodies)
            other = size * await send(theirs, "default", f"{size}x{turn}", bodies)
            paces.setdefault(size, []).append((mine, other))
    return paces


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
        with server(ours_at) as (_, ours), openwandb(theirs_at) as theirs:
            paces = asyncio.run(measure(ours, theirs, share))
        rows = kept(ours_at / "server" / "sweeper.db", "SELECT count(*) FROM lines WHERE stream = 'history'")
        values = kept(theirs_at / "data" / "openwandb.db", "SELECT count(*) FROM metrics")
    for size, turns in paces.items():
        mine, other = (statistics.median(pace[i] for pace in turns) for i in (0, 1))
        ratio = statistics.median(pace[0] / pace[1] for pace in turns)
        print(f"{size} rows a request: sweeper {mine:.0f} rows/s, openwandb {other:.0f}; ratio {ratio:.1f}")
    print(f"kept: sweeper {rows} rows, openwandb {values} values (7 a row)")


if __name__ == "__main__":
    main()
