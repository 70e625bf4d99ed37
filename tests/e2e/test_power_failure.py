"""The power fails at any moment while clients write: what the server acknowledged is there after the next start.

One server is recorded (tests/power_layer), killed and started again in between; then its disk is looked at as many
power cuts would have left it, the hardest first: right behind an acknowledgement, with nothing but what was synced.
"""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import socket
import threading
import time
import urllib.error
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sweeper.errors import SweeperError
from sweeper.server.admin import restore
from sweeper.server.admin.integrity import examine
from sweeper.server.rules.early_handout import EAGER_S
from tests.conftest import User, clean_environ
from tests.e2e.conftest import Wire
from tests.power_layer.recorded_disk import RecordedDisk, Recording
from tests.unit.server.artifact_logger import FOUND, Logger
from tests.unit.server.conftest import Client, run_server

pytestmark = [pytest.mark.e2e, pytest.mark.chaos, pytest.mark.timeout(400)]

ROWS = 15
GRID = "method: grid\nmetric: {name: loss}\nparameters: {x: {values: [1, 2, 3, 4, 5, 6]}}"


@dataclass
class Promise:
    """Something that the server has said yes to.

    Attributes:
        place: Where the journal ended then: every later power cut must leave it.
        what: What it was.
        holds: Sees whether a server has it.
    """

    place: int
    what: str
    holds: Callable[[Any], bool]


@dataclass
class Sent:
    """Contents of a file that is sent again and again: the last one acknowledged lies there, or a later one.

    Attributes:
        contents: Each that was sent.
        known: How many were acknowledged, by the place in the journal.
    """

    contents: list[bytes] = field(default_factory=list)
    known: list[tuple[int, int]] = field(default_factory=list)

    def may_be(self, place: int) -> list[bytes]:
        """List what a power cut may leave there."""
        acknowledged = max((count for at, count in self.known if at <= place), default=0)
        return self.contents[max(0, acknowledged - 1) :]


class Work:
    """What clients do meanwhile, and what they were told."""

    def __init__(self, recording: Recording, wire: Callable[[], Wire]) -> None:
        self.recording, self.wire = recording, wire
        self.promises: list[Promise] = []
        self.files: dict[tuple[str, str], Sent] = {}

    def heard(self, call: Callable[..., Any], *args: Any, **options: Any) -> tuple[Any, int]:
        """Repeat a request until it is acknowledged; give the answer, and where the journal then ended."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                return call(*args, **options), self.recording.now()
            except urllib.error.HTTPError as error:
                if error.code != 503:
                    raise AssertionError(f"{error.code} {error.read()!r}") from error
            except (OSError, ValueError):  # it is being started again
                time.sleep(0.05)
        raise AssertionError("the server does not come back")

    def promise(self, place: int, what: str, holds: Callable[[Client], bool]) -> None:
        """Note what was acknowledged."""
        self.promises.append(Promise(place, what, holds))

    def log(self, run: str, rows: list[dict[str, Any]], first: int) -> None:
        """Log rows behind those that are there."""
        _, place = self.heard(self.wire().log, run, first, *rows)
        end = first + len(rows)
        self.promise(place, f"rows {first}-{end} of {run}", lambda client: history(client, run)[first:end] == rows)

    def upload(self, run: str, path: str, content: bytes) -> None:
        """Upload a file."""
        sent = self.files.setdefault((run, path), Sent())
        sent.contents.append(content)
        _, place = self.heard(self.wire().upload, run, path, content)
        sent.known.append((place, len(sent.contents)))

    def agent(self, sweep: str) -> None:
        """Do runs of a sweep until there are no more."""
        agent, _ = self.heard(self.wire().agent, sweep)
        time.sleep(EAGER_S)
        while (told := self.heard(self.wire().beat, agent))[0].get("type") != "exit":
            command, _ = told
            if not command:
                time.sleep(0.05)
                continue
            run = command["run_id"]
            point = command["args"]
            # not before: a hand-out that no process has begun is no one's loss, and waits for no disk
            _, place = self.heard(self.wire().init, run, sweep)
            self.promise(place, f"{run} has begun", lambda client, run=run, point=point: is_at(client, run, point))
            for first in (0, 2):
                self.log(run, [{"_step": first + i, "loss": random.random()} for i in range(2)], first)
            self.upload(run, f"media/{run}/table.json", random.randbytes(9000))
            self.upload(run, "model.onnx", random.randbytes(random.randint(1, 100_000)))
            _, place = self.heard(self.wire().stream, run, complete=True, exitcode=0)
            self.promise(place, f"{run} has ended", lambda client, run=run: read(client, run, "state") == "finished")

    def bare(self, run: str, number: int) -> None:
        """Log to a run of no sweep, and upload one file again and again."""
        self.heard(self.wire().init, run)
        for i in range(number):
            self.log(run, [{"_step": i, "text": "x" * random.randint(1, 3000)}], i)
            self.upload(run, "same.bin", random.randbytes(random.choice((10, 10, 70_000))))

    def artifacts(self, number: int) -> None:
        """Log artifacts that share contents."""
        self.heard(self.wire().init, "r")
        for i in range(number):
            logger = Logger(Answers(self), contents={"same": b"same", "own": b"%d" % i * 5000})
            logger.log()
            version = {"same": b"same", "own": b"%d" % i * 5000}
            self.promise(
                self.recording.now(), f"artifact v{i}", lambda client, i=i, v=version: contents(client, f"v{i}") == v
            )

    def sweeps(self, number: int) -> None:
        """Create sweeps."""
        for i in range(number):
            text = f"name: s{i}\nmethod: grid\nparameters: {{x: {{values: [{i}]}}}}"
            sweep, place = self.heard(self.wire().sweep, text)
            self.promise(place, f"sweep {i}", lambda client, sweep=sweep: knows_sweep(client, sweep))


class Answers:
    """A client as `Logger` wants one, over the wire."""

    def __init__(self, work: Work) -> None:
        self.work, self.http = work, self

    def graphql(self, query: str, status: int = 200, **variables: Any) -> Any:
        """Send a query."""
        assert status == 200
        return self.work.heard(self.work.wire().graphql, query, **variables)[0]

    def put(self, url: str, content: bytes, headers: Any) -> SimpleNamespace:
        """Upload."""
        assert headers
        self.work.heard(self.work.wire().send, "PUT", url, content)
        return SimpleNamespace(status_code=200)


def read(client: Client, run: str, field: str) -> Any:
    """Read a field of a run; None if nobody knows the run, or its project."""
    query = f'query($r: String!) {{ project(name: "p") {{ run(name: $r) {{ {field} }} }} }}'
    project = client.graphql(query, r=run)["project"]
    return project and project["run"] and next(iter(project["run"].values()))


def history(client: Client, run: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in read(client, run, "history(samples: 100000)") or ()]


def is_at(client: Client, run: str, point: dict[str, Any]) -> bool:
    return json.loads(read(client, run, "config") or "{}").get("x") == point["x"]


def knows_sweep(client: Client, sweep: str) -> bool:
    query = 'query($s: String!) { project(name: "p") { sweep(sweepName: $s) { name } } }'
    project = client.graphql(query, s=sweep)["project"]
    return bool(project and project["sweep"])


def contents(client: Client, alias: str) -> dict[str, bytes]:
    project = client.graphql(FOUND, n=f"data:{alias}")["project"]
    found = project and project["artifactCollectionMembership"]
    edges = found["artifact"]["files"]["edges"] if found else []
    return {edge["node"]["name"]: client.http.get(edge["node"]["directUrl"]).content for edge in edges}


def lies(client: Client, run: str, path: str, may_be: list[bytes]) -> bool:
    found = client.http.get(f"/files/local/p/{run}/{path}")
    return found.status_code == 200 and found.content in may_be


@dataclass
class Recorded:
    """A server's work on disk, and what it has promised.

    Attributes:
        disk: What happened on its disk.
        work: What was acknowledged.
        backup: When `sweeper server backup` had ended.
        key: When a key was rotated, and what it was from then on.
    """

    disk: RecordedDisk
    work: Work
    backup: int
    key: tuple[int, str]

    def losses(self, cut: int, place: Path, **options: Any) -> list[str]:
        """Cut the power, start the server on what is left, and ask it for all that was promised by then."""
        self.disk.left(cut, place, **options)
        try:
            return list(self._losses(cut, place))
        finally:
            shutil.rmtree(place)

    def _losses(self, cut: int, place: Path) -> Iterator[str]:
        data, work = place / "home" / "server", self.work
        promised = [promise for promise in work.promises if promise.place <= cut]
        files = {name: sent.may_be(cut) for name, sent in work.files.items() if sent.known and sent.known[0][0] <= cut}
        if promised and not data.is_dir():
            yield "the data directory"
            return
        with contextlib.contextmanager(run_server)(data) as client:
            yield from (promise.what for promise in promised if not promise.holds(client))
            yield from (f"{run}/{path}" for (run, path), may in files.items() if not lies(client, run, path, may))
            yield from (one.found for one in examine(data, deep=True) if one.verdict == "fail")
        if cut >= self.key[0] and (data / "api-key").read_text().strip() != self.key[1]:
            yield "the new key"
        if cut >= self.backup:
            (place / "again").mkdir()
            restore.restore(place / "home" / "b.tar", place / "again", now=0)


@pytest.fixture(scope="module")
def power_user(tmp_path_factory):
    """A user of this module, whose state directory is not there yet."""
    folder = tmp_path_factory.mktemp("power")
    (folder / "root").mkdir()
    home = folder / "root" / "home"
    user = User(folder, home, clean_environ(home))
    yield user
    user.end()


@pytest.fixture(scope="module")
def recorded(power_user, power_layer):
    """The work of one server, killed once on the way."""
    user = power_user
    recording = Recording(user.folder / "root", user.folder / "journal", power_layer)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = user.home / "server"

    def serve():
        return user.start("serve", "--data", data, "--port", port, **recording.environ)

    def wire() -> Wire:
        return Wire(f"http://127.0.0.1:{port}", (data / "api-key").read_text().strip())

    server, work = serve(), Work(recording, wire)
    sweep, _ = work.heard(lambda: wire().sweep(GRID))
    tasks = [lambda: work.agent(sweep), lambda: work.agent(sweep), lambda: work.bare("a", ROWS)]
    tasks += [lambda: work.bare("b", ROWS), lambda: work.artifacts(6), lambda: work.sweeps(10)]
    errors: list[BaseException] = []

    def guarded(task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as error:  # noqa: BLE001 - told below
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(task,), daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    time.sleep(2)
    server.kill()
    server.communicate()
    server = serve()
    for thread in threads:
        thread.join(120)
    assert errors == []
    user.run("server", "backup", user.home / "b.tar", "--data", data, **recording.environ)
    backup = recording.now()
    user.run("server", "rotate-key", "local", "--data", data, **recording.environ)
    key = recording.now(), (data / "api-key").read_text().strip()
    server.kill()
    server.communicate()
    return Recorded(recording.disk(), work, backup, key)


def test_what_was_acknowledged_outlives_a_power_cut(recorded, tmp_path):
    """Rows, files, artifacts, sweeps, ends, a backup and a new key, with nothing but what was synced; and undamaged."""
    places = sorted({promise.place for promise in recorded.work.promises})
    cuts = [*random.Random(1).sample(places, 10), recorded.backup, recorded.key[0], recorded.disk.end]
    assert {cut: lost for cut in cuts if (lost := recorded.losses(cut, tmp_path / "left"))} == {}


def test_what_the_system_had_written_by_itself_does_no_harm(recorded, tmp_path):
    """Any part of what was not synced, torn writes too, at any moment."""
    found = {}
    for seed in range(10):
        chance = random.Random(seed)
        cut = chance.randint(recorded.work.promises[0].place, recorded.disk.end)
        found[seed] = recorded.losses(cut, tmp_path / "left", chance=chance)
    assert {seed: lost for seed, lost in found.items() if lost} == {}


DEAF = {
    "the log of the database": lambda path: path.endswith("-wal"),
    "uploads": lambda path: "/files/.upload-" in path,
    "folders of files": lambda path: "." not in Path(path).name and "/files" in path,
    "contents of artifacts": lambda path: "/artifacts/.upload-" in path,
    "folders of artifacts": lambda path: "/artifacts" in path and ".upload-" not in path,
    "the data directory": lambda path: path.endswith("/server"),
    "what leads to it": lambda path: path in {"", "/home"},
    "the key": lambda path: "api-key" in path,
    "the backup": lambda path: "b.tar" in path,
}


def test_a_missing_sync_would_be_noticed(recorded, tmp_path):
    """Without any one of them something that was acknowledged is lost."""
    cut = recorded.disk.end
    found = {}
    for name, deaf in DEAF.items():
        try:
            found[name] = bool(recorded.losses(cut, tmp_path / "left", deaf=deaf))
        except SweeperError:  # not even a server that starts, or a backup that is one
            found[name] = True
    assert found == dict.fromkeys(DEAF, True)


def test_a_real_server_goes_on_after_the_power_cut(recorded, user, wire):
    """It starts on what is left, takes rows and files, and its check finds nothing."""
    shutil.rmtree(user.home)
    recorded.disk.left(recorded.disk.end, user.home.parent / "left")
    (user.home.parent / "left" / "home").rename(user.home)
    sdk = user.serve()
    client = wire(sdk["WANDB_BASE_URL"], sdk["WANDB_API_KEY"])
    before = client.history("a")
    assert len(before) == ROWS
    client.log("a", ROWS, {"_step": ROWS, "text": "on"})
    client.upload("a", "same.bin", b"on")
    assert client.history("a") == [*before, {"_step": ROWS, "text": "on"}]
    assert client.download("a", "same.bin") == b"on"
    checked = json.loads(user.run("server", "check", "--deep", "--json").stdout)
    assert {finding["verdict"] for finding in checked} <= {"ok", "warn"}
