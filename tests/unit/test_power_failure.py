"""What is said to be on the disk is there after a power cut: every fsync, at its moment, file and folder.

A process does it all on a recorded disk (tests/power_layer). The whole server: tests/e2e/test_power_failure.py.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from sweeper.journal.attempt import AttemptOutcome
from sweeper.journal.directories import SweepDir
from sweeper.ref import SweepRef
from sweeper.server.admin.integrity import examine
from sweeper.server.artifacts.blobs import BlobStore
from sweeper.server.store import run_files, users
from sweeper.server.store.database import reading
from tests.power_layer.recorded_disk import Recording

STEPS = """
import hashlib, os, shutil, sys, time
from pathlib import Path
import anyio
from sweeper import private_files
from sweeper.ref import SweepRef
from sweeper.results.sync_ledger import Ledger
from sweeper.results.table_files import replacing
from sweeper.run import RunState
from starlette.testclient import TestClient
from sweeper.server.http.app import create_app
from sweeper.server.admin import backup
from sweeper.server.artifacts import collections, commit, manifests
from sweeper.server.artifacts.blobs import BlobStore
from sweeper.server.store import artifact_collections, artifact_files, artifacts
from sweeper.server.store import disk, projects, run_files, runs, snapshot, users
from sweeper.server.store.run_files import FileStore

root = Path(sys.argv[1])
journal = root.parent / "journal"
data = root / "home" / "server"

def told(what):
    print(what, journal.stat().st_size, flush=True)

async def pieces(content):
    yield content

def upload(path, content):
    arrival = anyio.run(files.take, pieces(content))
    place = files.locate("local", "p", "r", path)
    files.make_room(place)
    with store.write() as db:
        run_files.announce(db, run.id, path, arrival)
    return arrival, place

store = users.open_store(data)
with store.write() as db:
    users.ensure_user(db, "first", "k" * 40, now=1)
told("database")
key = users.embedded_key(data)
told("key")
with store.write() as db:
    users.ensure_user(db, "local", key, now=1)
with store.write() as db:
    run = runs.create(db, projects.ensure(db, "local", "p", now=0).id, "r", state=RunState.RUNNING, now=0)
told("row")
store.close()
store = users.open_store(data)  # its log is a new file
with store.write() as db:
    runs.create(db, run.project_id, "r2", state=RunState.RUNNING, now=0)
told("reopened")
disk.make_folders(data / "files", data)
files = FileStore(data / "files")
arrival, place = upload("media/x.txt", b"one" * 1000)
arrival.move(place)
with store.write() as db:
    run_files.record(db, run.id, "media/x.txt", arrival.size, arrival.md5, now=0)
told("file")
(data / "files" / "local" / "p" / "r" / "made" / "by").mkdir(parents=True)  # by somebody who has not waited yet
arrival, place = upload("made/by/y.txt", b"two")
arrival.move(place)
with store.write() as db:
    run_files.record(db, run.id, "made/by/y.txt", arrival.size, arrival.md5, now=0)
told("second")
shutil.rmtree(data / "files" / "local" / "p" / "r" / "made")
arrival, place = upload("made/by/y.txt", b"again")
arrival.move(place)
with store.write() as db:
    run_files.record(db, run.id, "made/by/y.txt", arrival.size, arrival.md5, now=0)
told("again")
arrival, place = upload("media/z.txt", b"three")
arrival.temporary.replace(place)  # and killed before it could wait
with store.write() as db:
    run_files.settle(db, files, now=1)
told("settled")
blobs = BlobStore(data / "artifacts")
blobs.clean(lambda *_: True, now=0)
blobs.write(1, b"manifest")
told("written")
anyio.run(lambda: blobs.save(2, "5d41402abc4b2a76b9719d911017c592", pieces(b"hello"), limit=5))
told("saved")
with store.write() as db:
    collection = collections.ensure(db, run.project_id, "data", artifact_collections.SEQUENCE, "dataset", now=0)
    artifact = artifacts.create(db, collection, "theirs", now=0, user_id=1)
text = b'{"version": 1, "contents": {"a": {"digest": "2FDwTNtIMSqb4XHiFMC07g==", "size": 5}}}'
for content in (b"there", text):  # moved by somebody who has not waited for it
    place = blobs.place(run.project_id, hashlib.md5(content).hexdigest())
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    private_files.flush(place)
with store.write() as db:
    artifact_files.add_manifest(db, artifact.id, manifests.FULL, None, hashlib.md5(text).hexdigest())
commit.commit(store, blobs, artifact.id, now=0)
told("committed")
with store.read() as db:
    db.execute("COMMIT")
    snapshot.before_migration(db, data / "sweeper.db", 7)
    db.execute("BEGIN")
told("snapshot")
backup.write(data, root / "b.tar", now=0)
told("backup")
private_files.replace(root / "private.json", "{}")
private_files.replace(root / "private.json", "[1]")
told("private")
ledger = Ledger(root / "ledger.jsonl", "there")
ledger.begin("r")
told("ledger")
ledger.sent("r")
told("sent")
told("before")
with replacing(root / "table.csv") as part:
    part.write_bytes(b"a,b\\n" * 2000)
told("table")
with TestClient(create_app(root / "app", search_ahead=False)):
    told("app")
users.rotate_key(data, "local")
told("rotated")
store.close()
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory, power_layer):
    """What happened, and the moment after each step."""
    folder = tmp_path_factory.mktemp("power")
    (folder / "root").mkdir()
    recording = Recording(folder / "root", folder / "journal", power_layer)
    environ = {**os.environ, **recording.environ}
    command = [sys.executable, "-c", STEPS, folder / "root"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    steps = dict(line.split() for line in done.stdout.splitlines())
    return recording.disk(), {name: int(place) for name, place in steps.items()}


def rows(root: Path, query: str) -> list[tuple]:
    with reading(root / "home" / "server" / "sweeper.db") as db:
        return [tuple(row) for row in db.execute(query)]


def file(root: Path, path: str) -> bytes:
    """The content of a run's file, if row and file are there and agree."""
    place = root / "home" / "server" / "files" / "local" / "p" / "r" / path
    assert (path, run_files.md5_of(place)) in rows(root, "SELECT path, md5 FROM files")
    return place.read_bytes()


def blob(root: Path, project: int, content: bytes) -> bool:
    blobs = BlobStore(root / "home" / "server" / "artifacts")
    places = [place for place in blobs.root.glob(f"{project}/*/*") if place.read_bytes() == content]
    return len(places) == 1


def key(root: Path) -> str:
    return (root / "home" / "server" / users.KEY_FILE).read_text().strip()


def ledger(root: Path) -> list[str]:
    lines = (root / "ledger.jsonl").read_text().split("\n")
    return [word for line in lines if line for word in json.loads(line) if word in {"begun", "sent"}]


def backed_up(root: Path) -> bool:
    with tarfile.open(root / "b.tar") as tar:
        return {"backup.json", "api-key", "sweeper.db", "files/local/p/r/media/x.txt"} <= set(tar.getnames())


HOLDS = {
    "database": lambda root: rows(root, "SELECT name FROM users") == [("first",)],
    "key": lambda root: users.is_key(key(root)),
    "row": lambda root: rows(root, "SELECT name FROM runs") == [("r",)],
    "reopened": lambda root: rows(root, "SELECT name FROM runs ORDER BY id") == [("r",), ("r2",)],
    "file": lambda root: file(root, "media/x.txt") == b"one" * 1000,
    "second": lambda root: file(root, "made/by/y.txt") == b"two",
    "again": lambda root: file(root, "made/by/y.txt") == b"again",
    "settled": lambda root: file(root, "media/z.txt") == b"three",
    "written": lambda root: blob(root, 1, b"manifest"),
    "saved": lambda root: blob(root, 2, b"hello"),
    "committed": lambda root: blob(root, 1, b"there") and rows(root, "SELECT state FROM artifacts") == [("COMMITTED",)],
    "snapshot": lambda root: (root / "home/server/sweeper.db.before-0007").stat().st_size > 100_000,
    "backup": backed_up,
    "app": lambda root: {"files", "artifacts", "api-key"} <= {entry.name for entry in (root / "app").iterdir()},
    "private": lambda root: (root / "private.json").read_text() == "[1]",
    "ledger": lambda root: ledger(root) == ["begun"],
    "sent": lambda root: ledger(root) == ["begun", "sent"],
}


@pytest.mark.parametrize("step", HOLDS)
def test_what_is_done_outlives_a_power_cut(recorded, tmp_path, step):
    """Right behind each step, with nothing but what was synced."""
    disk, steps = recorded
    disk.left(steps[step], tmp_path / "root")
    assert HOLDS[step](tmp_path / "root")


def test_a_new_key_outlives_a_power_cut(recorded, tmp_path):
    """The file has it and the database knows it, once the command has ended."""
    disk, steps = recorded
    disk.left(steps["rotated"], tmp_path / "root")
    found = rows(tmp_path / "root", "SELECT sha256 FROM api_keys")
    disk.left(steps["table"], tmp_path / "before")
    assert key(tmp_path / "root") != key(tmp_path / "before")
    assert users._digest(key(tmp_path / "root")) in {digest for (digest,) in found}


def test_a_server_killed_while_it_makes_its_key_leaves_none_or_a_whole_one(recorded, tmp_path):
    """At each step: the next start is not refused."""
    disk, steps = recorded
    moments = [place for place in disk.places if steps["database"] < place <= steps["key"]]
    for moment in [*moments, *(place - 1 for place in moments)]:
        disk.left(moment, tmp_path / str(moment), all_written=True)
        assert users.is_key(users.embedded_key(tmp_path / str(moment) / "home" / "server"))
    assert len(moments) > 1


@pytest.mark.parametrize("seed", range(12))
def test_nothing_is_there_by_half(recorded, tmp_path, seed):
    """A key, a private file, a copy of the database, a backup or a table that has its name is whole, at any moment."""
    disk, steps = recorded
    chance = random.Random(seed)
    data = tmp_path / "root" / "home" / "server"
    for step in ("key", "snapshot", "backup", "private", "table", "rotated"):
        before = max((place for place in steps.values() if place < steps[step]), default=0)
        disk.left(chance.choice([steps[step], chance.randint(before, steps[step])]), tmp_path / "root", chance=chance)
        if (data / users.KEY_FILE).exists():
            assert users.is_key(key(tmp_path / "root"))
        for copy in data.glob("sweeper.db.before-*"):
            with sqlite3.connect(copy) as db:
                assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            db.close()
        if (tmp_path / "root" / "b.tar").exists():
            assert backed_up(tmp_path / "root")
        if (tmp_path / "root" / "private.json").exists():
            assert (tmp_path / "root" / "private.json").read_text() in {"{}", "[1]"}
        if (tmp_path / "root" / "table.csv").exists():
            assert (tmp_path / "root" / "table.csv").read_bytes() == b"a,b\n" * 2000
        if (data / "sweeper.db").exists() and step != "key":
            assert [one.found for one in examine(data, deep=True) if one.verdict == "fail"] == []
        (tmp_path / "root").rename(tmp_path / step)


LAUNCH = """
import sys
from pathlib import Path
from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.directories import SweepDir
from sweeper.ref import SweepRef

launch = SweepDir.of(Path(sys.argv[1]), SweepRef("e", "p", "s")).new_launch()
for number in range(12):
    slot = f"gpu{number % 2}"
    ticket = launch.take_ticket(12, slot)
    begun = Attempt(run_id=f"r{number}", slot=slot, ticket=ticket)
    launch.append(begun)
    launch.order_stop(begun.run_id, asked_at_s=1.0)
    launch.append(begun.ended(AttemptOutcome.FINISHED))
    launch.forget_stop(begun.run_id)
    if number % 3 == 0:
        launch.return_ticket(ticket)
launch.end("enough")
with launch.held():
    pass
"""


WRITTEN = {(f"r{number}", outcome) for number in range(12) for outcome in (None, AttemptOutcome.FINISHED)}


@pytest.fixture(scope="module")
def launched(tmp_path_factory, power_layer):
    """The folder of a launch, recorded."""
    folder = tmp_path_factory.mktemp("launch")
    (folder / "root").mkdir()
    recording = Recording(folder / "root", folder / "journal", power_layer)
    environ = {**os.environ, **recording.environ}
    subprocess.run([sys.executable, "-c", LAUNCH, folder / "root"], env=environ, check=True, timeout=60)
    return recording.disk()


@pytest.mark.parametrize("seed", range(20))
def test_what_a_launch_left_can_be_read_after_a_power_cut(launched, tmp_path, seed):
    """Nobody waits for the disk there: lines, tickets and names may be missing or torn, and none is made up."""
    chance = random.Random(seed)
    launched.left(chance.randint(1, launched.end), tmp_path / "root", chance=chance)
    for launch in SweepDir.of(tmp_path / "root", SweepRef("e", "p", "s")).launches():
        found = launch.attempts()
        assert {(one.run_id, one.outcome) for one in found.values()} <= WRITTEN
        assert launch.ended() in {"", "enough", "\0" * 6}
        assert launch.launcher() is None
        if (launch.path / "tickets").is_dir():
            assert {*launch.tickets_of("gpu0"), *launch.tickets_of("gpu1")} <= set(range(1, 13))
    SweepDir.of(tmp_path / "root", SweepRef("e", "p", "s")).new_launch()
