"""The server killed (-9) at any moment, again and again, while clients write: what it acknowledged is there, once.

`pytest -m chaos tests/e2e/test_kills.py --kills 200` is the long form.
"""

from __future__ import annotations

import http.client
import json
import random
import socket
import subprocess
import threading
import time
import urllib.error
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from sweeper.server.admin.integrity import examine
from sweeper.server.rules.early_handout import EAGER_S

pytestmark = [pytest.mark.e2e, pytest.mark.chaos, pytest.mark.timeout(600)]

AGENT = """
import sys, time, wandb

def train():
    with wandb.init() as run:
        for step in range(20):
            run.log({"loss": float(run.config.x * 100 + step)})
            time.sleep(0.1)

wandb.agent(sys.argv[1], function=train, project="p")
"""


MOMENTS = ("beat", "beat", "log", "upload", "stream", "sweep")
"""In which requests the server is killed: while somebody sends one, or up to 0.1 s later."""


@dataclass
class Mortal:
    """A server process that is killed and started again, at one address."""

    start: Callable[[], subprocess.Popen]
    url: str
    process: subprocess.Popen | None = None

    def revive(self) -> None:
        """Start it; it may take a moment to answer."""
        self.process = self.start()

    def kill(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def mortal(user):
    """A server that has answered once."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = user.home / "server"
    server = Mortal(lambda: user.start("serve", "--data", data, "--port", port), f"http://127.0.0.1:{port}")
    server.revive()
    user.wait(lambda: user.start("server", "status").wait() == 0, "the server")
    return server


@dataclass
class Acknowledged:
    """What the server has said yes to."""

    rows: dict[str, list] = field(default_factory=dict)
    files: dict[tuple[str, str], bytes] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    sweeps: dict[str, int] = field(default_factory=dict)
    sending: dict[str, threading.Event] = field(default_factory=lambda: {name: threading.Event() for name in MOMENTS})
    given: list[str] = field(default_factory=list)


class Client:
    """What writes and repeats each request until it is acknowledged, as the SDK does."""

    def __init__(self, client, seen: Acknowledged, over: threading.Event, seed: int) -> None:
        self.client, self.seen, self.over, self.random = client, seen, over, random.Random(seed)

    def until_heard(self, call, *args, **options):
        """Repeat a request as long as nobody answers."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                if call.__name__ in MOMENTS:
                    self.seen.sending[call.__name__].set()
                return call(*args, **options)
            except urllib.error.HTTPError as error:
                if error.code != 503:
                    raise AssertionError(f"{error.code} {error.read()}") from error
            except (OSError, http.client.HTTPException, ValueError):  # a torn answer is no answer
                pass
            time.sleep(0.02)
        raise AssertionError("the server does not come back")

    def log(self, run: str, count: int) -> None:
        """Log rows, some at a time."""
        rows = self.seen.rows.setdefault(run, [])
        for _ in range(count):
            new = [{"_step": len(rows) + i, "loss": self.random.random()} for i in range(self.random.randint(1, 4))]
            self.until_heard(self.client.log, run, len(rows), *new)
            rows += new

    def upload(self, run: str, path: str) -> None:
        """Upload a file, once more under the same name."""
        content = self.random.randbytes(self.random.randint(1, 200_000))
        self.until_heard(self.client.upload, run, path, content)
        self.seen.files[run, path] = content

    def agent(self, sweep: str) -> None:
        """Do runs of a sweep until it has no more."""
        agent = self.until_heard(self.client.agent, sweep)
        time.sleep(EAGER_S)  # who asks sooner is answered at its run's end, and here the same thread does the run
        while (command := self.until_heard(self.client.beat, agent)).get("type") != "exit":
            if not command:
                time.sleep(0.05)
                continue
            run = command["run_id"]
            self.seen.given.append(run)
            self.until_heard(self.client.init, run, sweep)
            self.log(run, 2)
            assert self.until_heard(self.client.beat, agent, run) == {}
            self.upload(run, "model.onnx")
            self.log(run, 1)
            self.until_heard(self.client.stream, run, complete=True, exitcode=0)
            self.seen.ended.add(run)

    def bare(self, run: str) -> None:
        """Log and upload for ever."""
        self.until_heard(self.client.init, run)
        while not self.over.is_set():
            self.log(run, 1)
            self.upload(run, "same.bin")

    def sweeps(self) -> None:
        """Create sweeps for ever."""
        number = 0
        while not self.over.is_set():
            number += 1
            text = f"name: s{number}\nmethod: grid\nparameters: {{x: {{values: [{number}]}}}}"
            self.seen.sweeps[self.until_heard(self.client.sweep, text)] = number
            time.sleep(0.05)


def work(tasks: list[Callable[[], None]], meanwhile: Callable[[], None], over: threading.Event) -> None:
    """Do everything at once, and tell of the first thing that went wrong."""
    errors: list[BaseException] = []

    def guarded(task):
        try:
            task()
        except BaseException as error:  # noqa: BLE001 it is told below
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(task,), daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    meanwhile()
    over.set()
    for thread in threads:
        thread.join(timeout=300)
    assert errors == []


def test_what_was_acknowledged_is_there_once_after_every_kill(user, mortal, wire, pytestconfig):
    """Rows, files, runs, assignments and sweeps; the grid gives each configuration to one agent."""
    kills, seed = pytestconfig.getoption("--kills"), 11
    client = wire(mortal.url, (user.home / "server" / "api-key").read_text().strip())
    seen, over, chance = Acknowledged(), threading.Event(), random.Random(seed)
    points = 12 * kills
    sweep = client.sweep(f"method: grid\nmetric: {{name: loss}}\nparameters: {{x: {{values: {list(range(points))}}}}}")
    clients = [Client(client, seen, over, seed + number) for number in range(8)]
    tasks = [lambda one=one: one.agent(sweep) for one in clients[:4]]
    tasks += [lambda one=one, i=i: one.bare(f"bare-{i}") for i, one in enumerate(clients[4:7])]
    tasks += [clients[7].sweeps]

    def kill_again_and_again():
        for _ in range(kills):
            time.sleep(chance.choice([0.05, 0.5, 1.0]) + chance.random())  # sometimes it has hardly started
            moment = seen.sending[chance.choice(MOMENTS)]
            moment.clear()
            moment.wait(2)
            time.sleep(chance.random() ** 2 * 0.1)
            mortal.kill()
            unsound = [finding for finding in examine(user.home / "server") if finding.verdict == "fail"]
            assert unsound == []
            mortal.revive()

    work(tasks, kill_again_and_again, over)
    for run, rows in seen.rows.items():
        assert client.history(run) == rows
    for (run, path), content in seen.files.items():
        assert client.download(run, path) == content
    runs = client.runs_of(sweep)
    assert sorted(run["config"]["x"]["value"] for run in runs) == list(range(points))
    assert {run["name"] for run in runs} == seen.ended == set(seen.given)
    assert len(seen.given) == points
    assert {run["state"] for run in runs} == {"finished"}
    assert {name: client.runs_of(name) for name in seen.sweeps} == {name: [] for name in seen.sweeps}
    checked = json.loads(user.run("server", "check", "--deep", "--json").stdout)
    assert [finding for finding in checked if finding["verdict"] != "ok"] == []


def test_real_agents_go_on_over_kills(user, mortal, wire):
    """Stock agents and their runs: each configuration runs once, and every row arrives."""
    client = wire(mortal.url, (user.home / "server" / "api-key").read_text().strip())
    sweep = client.sweep("method: grid\nmetric: {name: loss}\nparameters: {x: {values: [1, 2, 3, 4]}}")
    user.write("agent.py", AGENT)
    sdk = {"WANDB_BASE_URL": client.url, "WANDB_API_KEY": client.key, "WANDB_SILENT": "true"}
    agents = [user.script("agent.py", sweep, **sdk) for _ in range(2)]

    def logging(ended: int) -> bool:
        try:
            states = [run["state"] for run in client.runs_of(sweep)]
            return states.count("finished") >= ended and "running" in states
        except OSError:
            return False  # it is about to come back

    for ended in (0, 1):
        user.wait(lambda ended=ended: logging(ended), f"a run at work and {ended} ended")
        mortal.kill()
        mortal.revive()
    for agent in agents:
        _, stderr = agent.communicate(timeout=150)
        assert agent.returncode == 0, stderr
    runs = client.runs_of(sweep)
    assert sorted(run["config"]["x"]["value"] for run in runs) == [1, 2, 3, 4]
    assert [run["state"] for run in runs] == ["finished"] * 4
    for run in runs:
        first = run["config"]["x"]["value"] * 100
        assert [row["loss"] for row in client.history(run["name"])] == [first + step for step in range(20)]
