"""A sweep under way that faults may strike: its server, its launches, its processes by what they are."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil

from tests.chaos.machine import Machine
from tests.chaos.proxy import Proxy
from tests.conftest import User, command_of, has_ended

FILES = Path(__file__).parent / "files"
HEARTBEAT_S = 8
"""Silence after which the server takes an agent for lost: stalls are shorter, or longer."""
SERVER_S = 90.0
"""Within which a server answers: one that is stalled goes on, and a full disk is emptied, before that."""
SLOTS = 4


@dataclass(frozen=True)
class Plan:
    """What a round is about.

    Attributes:
        name: Its name.
        sweep: The sweep file.
        points: The grid's values of `x`; None where a search chooses them.
        count: How many runs there will be.
        steps: How many rows each logs.
        pace_s: How long a step takes.
    """

    name: str
    sweep: str
    points: tuple[int, ...] | None
    count: int
    steps: int = 20
    pace_s: float = 0.15


POINTS = tuple(range(1, 13))
GRID = f"metric: {{name: loss}}\nparameters: {{x: {{values: {list(POINTS)}}}}}\nmethod: grid\n"
BAYES = """
method: bayes
metric: {name: loss}
parameters: {x: {min: 0.0, max: 10.0}}
run_cap: 12
early_terminate: {type: hyperband, min_iter: 4, eta: 2}
"""
SCHEDULER = """
method: custom
program: chaos_trainer:train
metric: {name: loss, goal: minimize}
run_cap: 8
scheduler: {engine: optuna, source: chaos_study.py, optimizer: study, search_space: space}
"""
FUNCTION = "program: chaos_trainer:train\n"
PLANS = (
    Plan("function", GRID + FUNCTION, POINTS, len(POINTS)),
    Plan("script", GRID + "program: chaos_trainer.py\n", POINTS, len(POINTS)),
    Plan("bayes", BAYES + FUNCTION, None, 12, steps=25),
    Plan("scheduler", SCHEDULER, None, 8),
)


class World:
    """A user, their server on one port, a proxy before it perhaps, and a sweep.

    Args:
        user: Whose processes these are.
        scratch: Their TMPDIR.
        plan: What the round is about.
        seed: Decides about the proxy's weather.
        proxied: Whether launches reach the server through a proxy, as one of W&B's; else as the embedded one.

    Attributes:
        events: What happened, with the time since the start.
        launches: The launches there were.
    """

    def __init__(self, user: User, scratch: Path, plan: Plan, *, seed: int, proxied: bool) -> None:
        self.user, self.plan, self.scratch = user, plan, scratch
        self.began = time.monotonic()
        self.events: list[str] = []
        self.launches: list[subprocess.Popen[bytes]] = []
        self.sweep = ""
        self.data = user.home / "server"
        self.ledgers, self.logs = user.folder / "ledgers", user.folder / "logs"
        for folder in (self.ledgers, self.logs, self.data):
            folder.mkdir(mode=0o700)
        for file in FILES.glob("*.py"):
            shutil.copy(file, user.folder)
        self.port = _free_port()
        self.proxy = Proxy(self.port, seed) if proxied else None
        self.machine = Machine(user.folder)
        self._servers: list[subprocess.Popen[bytes]] = []
        self._due: list[tuple[float, Callable[[], None]]] = []
        self._files: list[IO[bytes]] = []
        own = {"CHAOS_LEDGERS": self.ledgers, "CHAOS_STEPS": plan.steps, "CHAOS_PACE_S": plan.pace_s, "TMPDIR": scratch}
        own["PYTHONFAULTHANDLER"] = 1  # a process that crashes says where
        user.environ |= {name: str(value) for name, value in own.items()}

    def say(self, what: str) -> None:
        """Write down what happened."""
        self.events.append(f"{time.monotonic() - self.began:6.1f} s  {what}")

    @property
    def environ(self) -> dict[str, str]:
        """The environment of launches and commands."""
        environ = {**self.user.environ, **self.machine.environ}
        if self.proxy:
            environ |= {
                "WANDB_BASE_URL": f"http://127.0.0.1:{self.proxy.port}",
                "WANDB_API_KEY": (self.data / "api-key").read_text().strip(),
                "WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL": "1",
                "WANDB_ENTITY": "local",
            }
        return environ

    def start(self, name: str, *command: object, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start `sweeper ...`, and have it write what it says to a log."""
        file = (self.logs / f"{name}-{len(self._files):03}.log").open("wb")
        self._files.append(file)
        words = [*self.user.sweeper, *map(str, command)]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": file, "stderr": file}
        return subprocess.Popen(words, cwd=self.user.folder, env=dict(environ), **pipes)

    def serve(self) -> None:
        """Have a server on the port: the one that is there, or a new one, as often as need be; it has answered.

        On a full disk none starts: what is due meanwhile makes space.
        """
        deadline = time.monotonic() + SERVER_S
        while time.monotonic() < deadline:
            self.do_due()
            if not self.of("server"):
                self._note_ends()
                words = ("--port", self.port, "--heartbeat-timeout", HEARTBEAT_S, "--lost-retries", 1000)
                environ = {**self.user.environ, **self.machine.environ}
                self._servers.append(self.start("server", "serve", "--data", self.data, *words, environ=environ))
                self.pause(1.0)
            elif self._answers():
                return
            self.pause(0.1)
        raise AssertionError("the server does not come up")

    def _note_ends(self) -> None:
        """Say how servers ended that nobody has ended."""
        codes = [server.wait() for server in self._servers]
        self._servers.clear()
        for code in set(codes) - {0, -signal.SIGKILL}:
            self.say(f"the server ended with {code}")

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return (self.data / "api-key").exists()
        return False

    def create(self) -> None:
        """Create the sweep."""
        file = self.user.write("sweep.yaml", self.plan.sweep)
        self.sweep = json.loads(self.run("create", file, "--json"))["sweep"]

    def run(self, *command: object) -> str:
        """Run `sweeper ...` and give what it prints; `CalledProcessError` with what it said if it fails."""
        words = [*self.user.sweeper, *map(str, command)]
        done = subprocess.run(
            words, cwd=self.user.folder, env=self.environ, capture_output=True, text=True, timeout=120, check=True
        )
        return done.stdout

    def launch(self, *more: object) -> None:
        """Start a launch of the sweep."""
        words = ("launch", self.sweep, "--workers", SLOTS, "--retries", 1000, "--grace", 5, *more)
        self.launches.append(self.start("launch", *words, environ=self.environ))
        self.say(f"launch {len(self.launches)} begins")

    def launching(self) -> list[subprocess.Popen[bytes]]:
        """List the launches that live."""
        return [launch for launch in self.launches if launch.poll() is None]

    def of(self, role: str) -> list[psutil.Process]:
        """List the living processes of a role."""
        return self.roles().get(role, [])

    def roles(self) -> dict[str, list[psutil.Process]]:
        """Tell what each of the user's processes is."""
        found: dict[str, list[psutil.Process]] = {}
        processes = {process.pid: process for process in self.user.processes() if not has_ended(process)}
        commands = {pid: command_of(process) for pid, process in processes.items()}
        parents: dict[int, int] = {}
        for pid, process in processes.items():
            with contextlib.suppress(psutil.Error):
                parents[pid] = process.ppid()
        for pid, process in processes.items():
            depth, above = 0, parents.get(pid, 0)
            while "sweeper.worker" in commands.get(above, ""):
                depth, above = depth + 1, parents.get(above, 0)
            found.setdefault(_role(commands[pid], depth), []).append(process)
        return found

    def later(self, after_s: float, what: Callable[[], None]) -> None:
        """Do something in a while."""
        self._due.append((time.monotonic() + after_s, what))

    def pause(self, seconds: float) -> None:
        """Let time pass, and do what is due."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.do_due()
            time.sleep(0.05)

    def do_due(self, *, all_of_it: bool = False) -> None:
        """Do what is due; or everything that would be, sooner or later."""
        due = [one for one in self._due if all_of_it or one[0] <= time.monotonic()]
        self._due = [one for one in self._due if one not in due]
        for _, what in due:
            what()

    def status(self) -> dict[str, Any] | None:
        """Read `sweeper status --json`; None if nobody answers."""
        try:
            status: dict[str, Any] = json.loads(self.run("status", self.sweep, "--json"))
        except (subprocess.SubprocessError, ValueError):
            return None
        return status

    def drive(self, limit_s: float) -> str:
        """Launch again until the sweep is over; say why it is not, if it does not come to its end."""
        until = time.monotonic() + limit_s
        status = None
        while time.monotonic() < until:
            self.do_due()
            self.serve()
            if not self.launching():
                status = self.status()
                if status and status["state"] == "finished" and status["done"] == self.plan.count:
                    return ""
                self.launch()
            time.sleep(0.5)
        status = status if status and not self.launching() else self.status()
        runs = [(run["id"], run["state"], run["reason"]) for run in (status or {}).get("runs", [])]
        return f"after {limit_s:g} s the sweep is not over: {status and status['state']}, {runs}"

    def close(self) -> None:
        """End everything."""
        self.do_due(all_of_it=True)
        self.user.end()
        for launch in self.launches:
            launch.wait()
        for file in self._files:
            file.close()
        if self.proxy:
            self.proxy.close()


def _role(command: str, depth: int) -> str:
    """Name what a process is by its command line, and by how many of the workers' kind stand above it."""
    words = {
        "wandb-core": "core",
        "search_process": "search",
        "sweep-scheduler": "scheduler",
        "chaos_trainer.py": "script",
        "sweeper serve": "server",
        "sweeper launch": "launcher",
    }
    for word, role in words.items():
        if word in command:
            return role
    if "sweeper.worker" in command:
        return {0: "forkserver", 1: "worker", 2: "run"}.get(depth, "below a run")
    return "other"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
