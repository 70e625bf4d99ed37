"""Backups put back: what is whole comes back whole, and nothing else comes at all."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tarfile

import pytest

from sweeper.errors import StoreError
from sweeper.server.admin import backup, restore
from sweeper.server.store import users
from sweeper.server.store.database import Store
from tests.power_layer.recorded_disk import Recording
from tests.unit.server.admin.conftest import ALL_WELL, findings
from tests.unit.server.artifact_logger import Logger


def test_a_restore_puts_nothing_away_unasked(full, tmp_path):
    """Over data it needs --force, and then keeps them in a folder."""
    client, _, run = full
    place, data = tmp_path / "b.tar", tmp_path / "old"
    backup.write(client.data_dir, place, now=0)
    Store(_folder(data) / "sweeper.db").close()
    with pytest.raises(StoreError, match="holds a server's data"):
        restore.restore(place, data, now=0)
    aside = restore.restore(place, data, now=0, force=True)
    assert [entry.name for entry in aside.iterdir()] == ["sweeper.db"]
    assert findings(data) == ALL_WELL
    assert (data / "files" / "local" / "p" / run / "model.onnx").read_bytes() == b"weights"


def _folder(path):
    path.mkdir(parents=True)
    return path


def _tar(place, **members):
    with tarfile.open(place, "w") as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(name.replace("__", "/"))
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


def test_what_is_no_whole_backup_is_not_restored(full, tmp_path):
    """Text, another tar, one that climbs out, one cut off, one changed: each is refused, and the folder stays empty."""
    client, *_ = full
    data, good = _folder(tmp_path / "data2"), tmp_path / "good.tar"
    backup.write(client.data_dir, good, now=0)
    content = good.read_bytes()
    (tmp_path / "text").write_text("hello")
    _tar(tmp_path / "other", readme=b"x")
    manifest = json.dumps({"format": backup.FORMAT}).encode()
    _tar(tmp_path / "climbs", **{"backup.json": manifest, "..__..__evil": b"x"})
    (tmp_path / "cut").write_bytes(content[: len(content) // 2])
    (tmp_path / "changed").write_bytes(content.replace(b"weights", b"weighty"))
    for name in ("text", "other", "climbs", "cut", "changed", "absent"):
        with pytest.raises(StoreError) as caught:
            restore.restore(tmp_path / name, data, now=0)
        assert "\n" not in caught.value.message
        assert list(data.iterdir()) == [], name


def member(name, content=b"x", **fields):
    """Make a member of an archive, with whatever it says of itself."""
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    for key, value in fields.items():
        setattr(entry, key, value)
    return entry, content


LINK, HARD = {"type": tarfile.SYMTYPE}, {"type": tarfile.LNKTYPE}
MEMBERS = {
    "absolute": [member("/evil")],
    "climbs": [member("files/../../evil")],
    "climbs at its end": [member("files/e/p/r/..")],
    "empty part": [member("files//p/r/x")],
    "here": [member("./sweeper.db")],
    "link": [member("files/e/p/r/x", b"", **LINK, linkname="/etc")],
    "hard link": [member("files/e/p/r/x", b"", **HARD, linkname="backup.json")],
    "through a link": [member("files", b"", **LINK, linkname="../.."), member("files/e/p/r/x")],
    "database as a link": [member("sweeper.db", b"", **LINK, linkname="/dev/zero")],
    "device": [member("files/e/p/r/x", b"", type=tarfile.CHRTYPE, devmajor=1, devminor=5)],
    "pipe": [member("files/e/p/r/x", b"", type=tarfile.FIFOTYPE)],
    "sparse": [member("files/e/p/r/x", b"", type=tarfile.GNUTYPE_SPARSE)],
    "sparse, newer": [member("files/e/p/r/x", pax_headers={"GNU.sparse.size": str(2**50), "GNU.sparse.map": "0,1"})],
    "unknown kind": [member("files/e/p/r/x", b"", type=b"Z")],
    "server.json": [member("server.json", b"{}")],
    "log": [member("server.log")],
    "lock": [member("serve.lock")],
    "write-ahead log": [member("sweeper.db-wal")],
    "hidden": [member(".bashrc")],
    "another folder": [member("plugins/x")],
    "folder of another name": [member("plugins", b"", type=tarfile.DIRTYPE)],
    "too shallow": [member("files/e/x")],
    "no content": [member("artifacts/1/aa/evil")],
    "twice": [member("files/e/p/r/x"), member("files/e/p/r/x", b"y")],
    "file and folder": [member("files/e/p/r/x"), member("files/e/p/r/x/y")],
    "file as folder": [member("files/e/p/r/x"), member("files/e/p/r/x", b"", type=tarfile.DIRTYPE)],
    "line break": [member("files/e/p/r/x\ny")],
    "no name": [member("")],
    "part too long": [member("files/e/p/r/" + "x" * 300)],
    "nothing but a manifest": [],
    "larger than it is": [member("files/e/p/r/x", b"x", pax_headers={"size": "4096"})],
    "larger than the disk": [member("files/e/p/r/x", b"x", pax_headers={"size": str(2**60)})],
    "no key": [member("api-key", b"../../evil")],
    "long key": [member("api-key", b"k" * 300)],
    "long header": [member("files/e/p/r/x", pax_headers={"comment": "x" * 2**21})],
}


@pytest.fixture(scope="module")
def whole(serve_module, tmp_path_factory):
    """What a good backup holds: its members with their contents."""
    folder = tmp_path_factory.mktemp("whole")
    server = serve_module(folder / "data")
    client = next(server)
    client.init("r")
    client.upload("r", "x.txt", b"x")
    backup.write(client.data_dir, folder / "b.tar", now=0)
    server.close()
    with tarfile.open(folder / "b.tar") as tar:
        return [(entry, tar.extractfile(entry).read()) for entry in tar]


@pytest.mark.parametrize("members", MEMBERS.values(), ids=MEMBERS)
def test_only_files_and_folders_of_known_names_come_out_of_a_backup(whole, tmp_path, members):
    """No link, device, sparse file, other name, lying size or long header is taken, and nothing leaves the folder."""
    data, place = _folder(tmp_path / "in" / "data"), tmp_path / "hostile"
    manifest, *rest = whole
    rest = [one for one in rest if one[0].name not in {entry.name for entry, _ in members}]
    with tarfile.open(place, "w:gz") as tar:
        for entry, content in [manifest, *members, *(rest if members else [])]:
            tar.addfile(entry, io.BytesIO(content))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(StoreError) as caught:
        restore.restore(place, data, now=0)
    assert "\n" not in caught.value.message
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("manifest", [b"", b"[]", b"5", b'{"format": 99}', b"x" * 2**21, b"\xff"])
def test_a_manifest_of_another_form_is_refused(tmp_path, manifest):
    """Whatever it is, it is told in one line."""
    data = _folder(tmp_path / "data")
    _tar(tmp_path / "odd", **{"backup.json": manifest})
    with pytest.raises(StoreError, match=r"no .*backup"):
        restore.restore(tmp_path / "odd", data, now=0)


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TRIGGER t AFTER INSERT ON users BEGIN DELETE FROM api_keys; END",
        "CREATE VIEW v AS SELECT * FROM users",
        "UPDATE projects SET entity = '../..'",
        "UPDATE projects SET name = '/tmp'",
    ],
)
def test_a_strangers_database_is_not_restored(full, tmp_path, change):
    """One with SQL of its own that would run in our name, or with names that climb."""
    client, *_ = full
    place, data = tmp_path / "b.tar", _folder(tmp_path / "data2")
    backup.write(client.data_dir, place, now=0)
    with tarfile.open(place) as tar:
        tar.extractall(tmp_path / "x", filter="data")
    with sqlite3.connect(tmp_path / "x" / "sweeper.db") as db:
        db.execute(change)
    db.close()
    with tarfile.open(place, "w") as tar:
        for name in ("backup.json", "files", "api-key", "sweeper.db"):
            tar.add(tmp_path / "x" / name, name)
    with pytest.raises(StoreError):
        restore.restore(place, data, now=0)
    assert list(data.iterdir()) == []


def test_folders_in_an_archive_are_taken(whole, tmp_path):
    """As somebody packs it who unpacked a backup."""
    data, place = _folder(tmp_path / "data"), tmp_path / "packed"
    manifest, *rest = whole
    with tarfile.open(place, "w:gz") as tar:
        for entry, content in [manifest, member("files", b"", type=tarfile.DIRTYPE), *rest]:
            tar.addfile(entry, io.BytesIO(content))
    restore.restore(place, data, now=0)
    assert sorted(entry.name for entry in data.iterdir()) == ["api-key", "files", "sweeper.db"]


def test_what_is_restored_is_its_owners_alone(full, tmp_path):
    """Whatever an archive says of rights and owners."""
    client, *_ = full
    place, data = tmp_path / "b.tar", _folder(tmp_path / "data2")
    backup.write(client.data_dir, place, now=0)
    with tarfile.open(place) as old, tarfile.open(tmp_path / "open.tar", "w") as new:
        for entry in old:
            entry.mode = 0o6777
            new.addfile(entry, old.extractfile(entry))
    restore.restore(tmp_path / "open.tar", data, now=0)
    for found in data.rglob("*"):
        assert found.stat().st_mode & 0o7777 == (0o700 if found.is_dir() else 0o600), found


def test_a_backup_with_a_changed_artifact_is_not_restored(log, client, tmp_path):
    """The deep check before a restore reads artifacts too."""
    log.contents = {"weights": b"weights of a model"}
    log.log()
    place = tmp_path / "all.tar"
    backup.write(client.data_dir, place, now=0)
    place.write_bytes(place.read_bytes().replace(b"weights of a model", b"weights of a muddle"[:18]))
    (tmp_path / "restored").mkdir()
    with pytest.raises(StoreError, match="local/p/data:v0/weights has another content"):
        restore.restore(place, tmp_path / "restored", now=0)
    assert list((tmp_path / "restored").iterdir()) == []


RESTORE = """
import pathlib, sys
from sweeper.server.admin.restore import restore
restore(*map(pathlib.Path, sys.argv[1:]), now=0, force=True)
"""


@pytest.fixture(scope="module")
def restored(serve_module, tmp_path_factory, power_layer):
    """A restore over an older server's data, recorded: the backup, and what happened on the disk."""
    folder = tmp_path_factory.mktemp("cut")
    data = _folder(folder / "root" / "data")
    for content in (b"old", b"new"):
        server = serve_module(data)
        client = next(server)
        client.init("r")
        client.upload("r", "x.txt", content)
        Logger(client, contents={"a": content}).log()
        if content == b"old":
            backup.write(data, folder / "old.tar", now=0)
        server.close()
    recording = Recording(folder / "root", folder / "journal", power_layer)
    command = [sys.executable, "-c", RESTORE, folder / "old.tar", data]
    subprocess.run(command, env={**os.environ, **recording.environ}, check=True, timeout=60)
    return folder / "old.tar", recording.disk()


def _is_whole(data, content):
    assert findings(data, deep=True) == ALL_WELL
    return (data / "files" / "local" / "p" / "r" / "x.txt").read_bytes() == content


@pytest.mark.parametrize("ends", ["killed", "power cut", "power cut, and some was written"])
def test_a_restore_that_is_broken_off_anywhere_can_be_repeated(restored, tmp_path, ends):
    """At each step the old data are whole, or no server starts; a repeat brings the backup and keeps all of the old."""
    place, disk = restored
    seen = set()
    moves = [number for number in range(len(disk.places)) if number % 5 == 0 or number > len(disk.places) - 14]
    for number in moves:
        cut = disk.places[number]
        root = tmp_path / str(number)
        chance = random.Random(number) if ends.endswith("written") else None
        disk.left(cut, root, all_written=ends == "killed", chance=chance)
        data = root / "data"
        if any(data.glob(".replacing-*/sweeper.db")):
            seen.add("half")
            for looks in (users.open_store, findings):
                with pytest.raises(StoreError, match="broken off half-way") as caught:
                    looks(data)
                assert "repeat it: sweeper server restore" in caught.value.hint
        else:
            users.open_store(data).close()
            seen.add("new" if _is_whole(data, b"old") else "old")
            assert _is_whole(data, b"old") or _is_whole(data, b"new")
        restore.restore(place, data, now=number, force=True)
        assert _is_whole(data, b"old")
        assert {entry.name for entry in data.iterdir() if entry.name.startswith(".re")} == set()
        whole = [found for found in data.glob("replaced-*") if (found / "sweeper.db").is_file()]
        assert [(found / "api-key").is_file() for found in whole if _is_whole(found, b"new")] == [True]
        shutil.rmtree(root)
    assert seen == {"old", "half", "new"}


def test_a_restore_that_is_told_to_have_ended_outlives_a_power_cut(restored, tmp_path):
    """Each content, each name and the database, and what was put aside."""
    _, disk = restored
    disk.left(disk.end, tmp_path / "root")
    data = tmp_path / "root" / "data"
    assert _is_whole(data, b"old")
    (aside,) = data.glob("replaced-*")
    assert _is_whole(aside, b"new")
