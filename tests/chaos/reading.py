"""Reads the facts of a world: over the public API, by commands, from files and from /proc."""

from __future__ import annotations

import contextlib
import fcntl
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.chaos.facts import Facts, RunFacts
from tests.chaos.world import World
from tests.conftest import User, command_of

SHARED = Path("/dev/shm")  # noqa: S108 whose names are looked at
ENDING_S = 5.0
_COMPLAINTS = re.compile(
    r"this is a fault of sweeper|^Traceback|Fatal Python error|WARNING: ThreadSanitizer", re.MULTILINE
)


def shared_memory() -> set[str]:
    """List the names of shared memory there is."""
    return {path.name for path in SHARED.iterdir()} if SHARED.is_dir() else set()


def read_facts(world: World, shared_before: set[str]) -> Facts:
    """Read everything while the server runs, then stop it and look what is left."""
    told = json.loads(_python(world, "read_runs.py", world.sweep))
    status = json.loads(world.run("status", world.sweep, "--json", "--all"))
    best = json.loads(world.run("best", world.sweep, "--json"))
    check = json.loads(_output(world, "server", "check", "--deep", "--json"))
    acknowledged = world.proxy.acknowledged if world.proxy else {}
    return Facts(
        points=world.plan.points,
        count=world.plan.count,
        steps=world.plan.steps,
        runs=[RunFacts(**run) for run in told["runs"]],
        ledgers={file.stem: _lines(file) for file in world.ledgers.glob("*.jsonl")},
        acknowledged={run: dict(rows) for run, rows in acknowledged.items()},
        status=status,
        best=best,
        check=check,
        words=complaints(_logs(world)),
        left=what_is_left(world, shared_before),
    )


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def _python(world: World, script: str, *arguments: str) -> str:
    server = {"WANDB_BASE_URL": f"http://127.0.0.1:{world.port}", "WANDB_SILENT": "true"}
    key = {"WANDB_API_KEY": (world.data / "api-key").read_text().strip()}
    command = [sys.executable, script, *arguments]
    reading = world.user.folder / "reading"  # a script of the user's, whose SDK leaves folders where it likes
    reading.mkdir(exist_ok=True)
    environ = {**world.environ, **server, **key, "TMPDIR": str(reading)}
    done = subprocess.run(command, cwd=world.user.folder, env=environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def _output(world: World, *command: object) -> str:
    """Give what a command prints, whatever its exit code."""
    words = [*world.user.sweeper, *map(str, command)]
    done = subprocess.run(
        words, cwd=world.user.folder, env=world.user.environ, capture_output=True, text=True, timeout=120
    )
    return done.stdout or json.dumps([{"check": "it", "verdict": "error", "found": done.stderr}])


def _logs(world: World) -> list[Path]:
    return [*world.logs.glob("*.log"), *world.data.glob("*.log"), *world.user.home.glob("sweeps/**/launches/*/*.log")]


def complaints(logs: Iterable[Path]) -> list[str]:
    """Find in the logs of launches, workers and the server what sweeper never wants to say."""
    found = []
    for log in logs:
        text = log.read_text(errors="replace")
        if match := _COMPLAINTS.search(text):
            found.append(f"{log.name}: {text[match.start() : match.start() + 2000]}")
    return found


def what_is_left(world: World, shared_before: set[str]) -> list[str]:
    """Stop the server, and look what has not ended with it."""
    world.run("server", "stop")
    world.serve()  # a killed one's folder is removed by whoever comes next
    world.run("server", "stop")
    return leftovers(world.user, world.port, world.scratch, shared_before)


def leftovers(user: User, port: int, scratch: Path, shared_before: set[str]) -> list[str]:
    """List what is there of a user who has ended everything: what is just ending has five seconds."""
    deadline = time.monotonic() + ENDING_S
    while user.processes() and time.monotonic() < deadline:
        time.sleep(0.1)
    left = [f"process {process.pid}: {command_of(process)}" for process in user.processes()]
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        left.append(f"port {port} is open")
    locks = [*user.home.rglob("*.lock"), *user.home.glob("sweeps/**/launcher"), *user.home.glob("slots/*/*.json")]
    left += [f"lock {path}" for path in locks if _is_held(path)]
    left += [f"temporary {path.relative_to(scratch)}" for path in sorted(scratch.rglob("*"))]
    left += [f"shared memory {name}" for name in sorted(shared_memory() - shared_before)]
    return left


def _is_held(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    return False
