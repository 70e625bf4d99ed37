"""What a mirror costs: rows per second that a server acknowledges with `--local` and without, in one run.

    .venv/bin/python -m benchmarks.mirror [SECONDS]

Four clients log rows one by one, each waiting for its answer, which is the worst case: every row waits for the disk.
Both servers write to the disk that holds the temporary directory, in turns; the ratio of the best rounds is printed.
"""

from __future__ import annotations

import base64
import http.client
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from tests.conftest import clean_environ

CLIENTS, ROUNDS = 4, 2


def rows_per_second(folder: Path, options: list[str], seconds: float) -> float:
    """Start a server on a new data directory, and count what it acknowledges."""
    data = folder / "data"
    command = [sys.executable, "-m", "sweeper", "serve", "--data", str(data), "--port", "0", "--json", *options]
    with subprocess.Popen(
        command, env=clean_environ(folder), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        out = server.stdout or sys.stdin
        lines: list[str] = []
        while not lines or lines[-1] not in {"}\n", ""}:
            lines.append(out.readline())
        host = json.loads("".join(lines))["url"].removeprefix("http://")
        key = (data / "api-key").read_text(encoding="utf-8").strip()
        try:
            return _rate(host, key, seconds)
        finally:
            server.terminate()


def _rate(host: str, key: str, seconds: float) -> float:
    counts = [0] * CLIENTS
    ready = threading.Barrier(CLIENTS)
    took = [seconds] * CLIENTS

    def work(number: int) -> None:
        client = http.client.HTTPConnection(host)
        headers = {"Authorization": "Basic " + base64.b64encode(f"api:{key}".encode()).decode()}

        def post(path: str, body: Any) -> None:
            client.request("POST", path, json.dumps(body), headers)
            answer = client.getresponse()
            answer.read()
            if answer.status != 200:
                raise OSError(f"HTTP status {answer.status}")

        run = f"r{number}"
        query = 'mutation($n: String) { upsertBucket(input: {name: $n, modelName: "p"}) { inserted } }'
        post("/graphql", {"query": query, "variables": {"n": run}})
        ready.wait()
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            row = json.dumps({"_step": counts[number], "loss": counts[number] / 7})
            content = {"wandb-history.jsonl": {"offset": counts[number], "content": [row]}}
            post(f"/files/local/p/{run}/file_stream", {"files": content})
            counts[number] += 1
        took[number] = time.monotonic() - began
        client.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / max(took)


def main() -> None:
    """Measure in turns, and print the ratio."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    best = {"without": 0.0, "with": 0.0}
    with tempfile.TemporaryDirectory() as name:
        for turn in range(ROUNDS):
            for kind, before in list(best.items()):
                folder = Path(name) / f"{kind}-{turn}"
                options = ["--local", str(folder / "local"), "--snapshot-every", "2s"] if kind == "with" else []
                best[kind] = max(before, rows_per_second(folder, options, seconds))
    print(f"rows/s without a mirror {best['without']:.0f}, with one {best['with']:.0f}")
    print(f"ratio {best['with'] / best['without']:.2f}")


if __name__ == "__main__":
    main()
