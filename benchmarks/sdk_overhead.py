"""What a run waits for in releases of the SDK: with our server, and beside it with `mode="offline"`.

Of each release (in an environment of its own, made when it is missing, as for `make test-sdks`) the medians of some
rounds, which do both: seconds from `wandb.init` until the server has the first row, offline until `run.log` has
returned; then per 1,000 rows what the calls take, and until `run.finish` has returned, when all rows are at the server,
offline on the disk. After each pair stands its ratio.

    .venv/bin/python benchmarks/sdk_overhead.py [--releases 0.18.7 0.22.3 0.31.0] [--rows 5000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from tests.sdks.releases import environment  # noqa: E402 - tests/ is beside this folder

RELEASES = ("0.18.7", "0.22.3", "0.31.0")
START_S = 60
TRAINER = """
import json, sys, time, wandb

mode, run_id, rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
began = time.monotonic()
run = wandb.init(project="overhead", id=run_id, mode=mode)
run.log({"loss": 1.0, "accuracy": 0.0})
print(json.dumps([began, time.monotonic()]), flush=True)
sys.stdin.readline()
began = time.monotonic()
for row in range(rows):
    run.log({"loss": 1 / (row + 2), "accuracy": row / rows})
called = time.monotonic()
run.finish()
print(json.dumps([called - began, time.monotonic() - began]), flush=True)
"""
FIRST_ROW = """query($run: String!) {
    project(entityName: "local", name: "overhead") { run(name: $run) { historyLineCount } } }"""


@dataclass(frozen=True)
class Waited:
    """Seconds of one run.

    Attributes:
        first: Until its first row was there.
        calls: In the calls that log, for 1,000 rows.
        kept: Until all rows were there, for 1,000.
    """

    first: float
    calls: float
    kept: float


@dataclass(frozen=True)
class Place:
    """Where runs are made.

    Attributes:
        url: The server's address.
        key: The API key for it.
        folder: Where runs write their files.
    """

    url: str
    key: str
    folder: str

    def run(self, python: Path, mode: str, run_id: str, rows: int) -> Waited:
        """Log some rows."""
        of_ours = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB_", "SWEEPER_"))}
        address = {"WANDB_BASE_URL": self.url, "WANDB_API_KEY": self.key, "WANDB_DIR": self.folder}
        env = {**of_ours, **address, "WANDB_SILENT": "true", "WANDB_CONSOLE": "off"}
        command = [str(python), "-c", TRAINER, mode, run_id, str(rows)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, env=env, cwd=self.folder, **pipes) as process:  # type: ignore[call-overload]
            began, there = json.loads(process.stdout.readline())
            if mode == "online":
                there = self._has_a_row(run_id)
            stdout, _ = process.communicate("\n")
        if process.returncode != 0:
            raise SystemExit(f"a run of {python} ended with {process.returncode}")
        calls, kept = json.loads(stdout)
        return Waited(there - began, calls / rows * 1000, kept / rows * 1000)

    def _has_a_row(self, run_id: str) -> float:
        """Wait until the server has a row of a run; give when, on the clock of every process of this machine."""
        question = {"query": FIRST_ROW, "variables": {"run": run_id}}
        with httpx.Client(base_url=self.url, auth=("api", self.key), trust_env=False) as http:
            while True:
                project = http.post("/graphql", json=question).raise_for_status().json()["data"]["project"]
                if project and project["run"] and project["run"]["historyLineCount"]:
                    return time.monotonic()
                time.sleep(0.005)


@contextlib.contextmanager
def serving() -> Iterator[Place]:
    """Run a server of our own."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        env = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB_", "SWEEPER_"))}
        env |= {"SWEEPER_HOME": str(home), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "sweeper", "serve", "--data", str(home / "server")]
        process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield Place(*_address(home / "server"), folder)
        finally:
            process.terminate()
            process.wait()


def _address(data: Path) -> tuple[str, str]:
    """Wait until a server answers; give its address and key."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError, httpx.HTTPError):
            url = json.loads((data / "server.json").read_text())["url"]
            httpx.get(f"{url}/healthz", trust_env=False).raise_for_status()
            return url, (data / "api-key").read_text().strip()
        time.sleep(0.1)
    raise SystemExit("the server did not start")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--releases", nargs="+", default=RELEASES)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    titles = ("first row s", "offline", "ratio", "log 1,000 s", "offline", "ratio", "keep 1,000 s", "offline", "ratio")
    print(f"{'SDK':8}" + "".join(f"{title:>13}" for title in titles))
    for release in asked.releases:
        python = environment(release) / "bin" / "python"
        found: dict[str, list[Waited]] = {"online": [], "offline": []}
        with serving() as place:
            for number in range(asked.rounds + 1):  # the first fills caches of the disk, and is not counted
                for mode, waited in found.items():
                    waited.append(place.run(python, mode, f"{mode}-{number}", asked.rows))
        cells = []
        for name in ("first", "calls", "kept"):
            online, offline = (statistics.median(getattr(one, name) for one in found[mode][1:]) for mode in found)
            cells += [f"{online:.3f}", f"{offline:.3f}", f"{online / offline:.2f}"]
        print(f"{release:8}" + "".join(f"{cell:>13}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
