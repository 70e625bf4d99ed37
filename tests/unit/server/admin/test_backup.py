"""Backups, restores and the check of a data directory, and the copies made before a migration."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sqlite3
import stat
import tarfile

import pytest

from sweeper.errors import StoreError
from sweeper.server.admin import backup, integrity
from sweeper.server.store import run_files, snapshot
from sweeper.server.store.database import Store, known_migrations, open_reader

GRID = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"lr": {"values": [0.1, 0.2]}}}


def findings(data, **options):
    """What the check says: by what it looked at, the verdict."""
    return {finding.check: finding.verdict.value for finding in integrity.examine(data, **options)}


def found(data, check, **options):
    return next(finding for finding in integrity.examine(data, **options) if finding.check == check)


@pytest.fixture
def full(client):
    """A server with a sweep, a run of it with a history, and two files."""
    sweep = client.sweep(GRID)
    (command,) = client.beat(client.agent(sweep))
    client.init(command["run_id"], sweep=sweep)
    client.log(command["run_id"], {"loss": 2.0, "_step": 0}, {"loss": 1.0, "_step": 1})
    client.upload(command["run_id"], "model.onnx", b"weights")
    client.upload(command["run_id"], "media/images/a b.png", b"pixels")
    return client, sweep, command["run_id"]


ALL_WELL = dict.fromkeys(("version", "database", "references", "states", "files", "artifacts"), "ok")


def test_a_backup_of_a_running_server_comes_back_whole(full, serve, tmp_path):
    """History, files, key and the state of the sweep are those of the moment, in a file that is its owner's alone."""
    client, sweep, run = full
    place, data = tmp_path / "all.tar.gz", tmp_path / "restored"
    done = backup.write(client.data_dir, place, now=0)
    assert (done.files, done.missing, stat.S_IMODE(place.stat().st_mode)) == (3, [], 0o600)
    client.log(run, {"loss": 9.0, "_step": 2}, offset=2)
    data.mkdir()
    assert backup.restore(place, data, now=0) is None
    assert findings(data, deep=True) == ALL_WELL
    with contextlib.contextmanager(serve)(data) as again:
        assert again.run(run, "state historyLineCount") == {"state": "running", "historyLineCount": 2}
        assert again.http.get(f"/files/local/p/{run}/media/images/a%20b.png").content == b"pixels"
        assert again.http.headers["Authorization"] == client.http.headers["Authorization"]
        assert again.beat(again.agent(sweep))[0]["args"] == {"lr": {"value": 0.2}}
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["all.tar.gz", "data", "restored"]


def test_a_file_replaced_during_the_backup_agrees_with_its_row(full, tmp_path):
    """The database was copied before: its row is corrected to the content that was taken."""
    client, _, run = full
    folder = _folder(tmp_path / "work")
    with contextlib.closing(open_reader(client.data_dir / "sweeper.db")) as db:
        snapshot.copy(db, folder / "sweeper.db")
    client.upload(run, "model.onnx", b"other weights")
    done = backup.Backup(tmp_path / "x.tar")
    with (
        tarfile.open(tmp_path / "x.tar", "w") as tar,
        contextlib.closing(backup._open_copy(folder / "sweeper.db")) as db,
        contextlib.closing(open_reader(client.data_dir / "sweeper.db")) as live,
    ):
        assert sum(backup._add_files(tar, db, live, client.data_dir, done)) == 13 + 6
        row = db.execute("SELECT size, md5 FROM files WHERE path = 'model.onnx'").fetchone()
    assert tuple(row) == (13, run_files.md5_of(client.data_dir / "files" / "local" / "p" / run / "model.onnx"))


def test_a_backup_replaces_nothing_unasked(full, tmp_path):
    """A file that is there stays, and so does one when the new backup fails half-way."""
    client, *_ = full
    place = tmp_path / "b.tar"
    backup.write(client.data_dir, place, now=0)
    first = place.read_bytes()
    with pytest.raises(StoreError, match="is there already"):
        backup.write(client.data_dir, place, now=1)

    def fail(_done, _total):
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="no backup was written"):
        backup.write(client.data_dir, place, now=1, force=True, progress=fail)
    assert place.read_bytes() == first
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []
    backup.write(client.data_dir, place, now=1, force=True)
    assert place.read_bytes() != first


@pytest.mark.parametrize(("name", "words"), [("no/such/b.tar", "not there"), (".", "is a folder")])
def test_a_backup_needs_a_place(full, tmp_path, name, words):
    """What cannot be written is said before anything is copied."""
    with pytest.raises(StoreError, match=words):
        backup.write(full[0].data_dir, tmp_path / name, now=0)


def test_a_restore_puts_nothing_away_unasked(full, tmp_path):
    """Over data it needs --force, and then keeps them in a folder."""
    client, _, run = full
    place, data = tmp_path / "b.tar", tmp_path / "old"
    backup.write(client.data_dir, place, now=0)
    Store(_folder(data) / "sweeper.db").close()
    with pytest.raises(StoreError, match="holds a server's data"):
        backup.restore(place, data, now=0)
    aside = backup.restore(place, data, now=0, force=True)
    assert [entry.name for entry in aside.iterdir()] == ["sweeper.db"]
    assert findings(data) == ALL_WELL
    assert (data / "files" / "local" / "p" / run / "model.onnx").read_bytes() == b"weights"


def _folder(path):
    path.mkdir()
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
            backup.restore(tmp_path / name, data, now=0)
        assert "\n" not in caught.value.message
        assert list(data.iterdir()) == [], name


def test_the_check_sees_each_kind_of_damage(full):
    """A missing, a cut and a changed file, a loose row, a strange state and a stray file are each named, with a fix."""
    client, sweep, run = full
    data = client.data_dir
    assert findings(data, deep=True) == ALL_WELL
    model = data / "files" / "local" / "p" / run / "model.onnx"
    model.write_bytes(b"weighty")
    assert findings(data)["files"] == "ok"
    assert f"{run}/model.onnx has another content" in found(data, "files", deep=True).found
    model.write_bytes(b"w")
    assert "has 1 bytes instead of 7" in found(data, "files").found
    model.unlink()
    assert "is missing" in found(data, "files").found
    (data / "files" / "stray").touch()
    assert (found(data, "orphans").verdict, "stray" in found(data, "orphans").found) == ("warn", True)
    with contextlib.closing(sqlite3.connect(data / "sweeper.db")) as db:
        db.execute("UPDATE sweeps SET state = 'ASLEEP'")
        db.execute("INSERT INTO prior_runs VALUES (1, 99)")
        db.commit()
    assert sweep in found(data, "states").found
    assert "prior_runs" in found(data, "references").found
    assert all(finding.fix for finding in integrity.examine(data) if finding.verdict != "ok")


def test_the_check_sees_a_damaged_page(full, tmp_path):
    """Bytes changed in the middle of the database are seen, or the database is refused."""
    with contextlib.closing(open_reader(full[0].data_dir / "sweeper.db")) as db:
        snapshot.copy(db, tmp_path / "sweeper.db")
    with (tmp_path / "sweeper.db").open("r+b") as file:
        file.seek(4096 * 6)
        file.write(os.urandom(4096 * 3))
    with contextlib.suppress(StoreError):
        assert findings(tmp_path)["database"] == "fail"


def test_the_check_knows_versions(full, tmp_path):
    """A newer database fails, an older one warns, and a folder without one is said to be none."""
    data = full[0].data_dir
    with contextlib.closing(sqlite3.connect(data / "sweeper.db")) as db:
        db.execute("INSERT INTO migrations VALUES (9999, 'x')")
        db.commit()
        assert found(data, "version").verdict == "fail"
        db.execute("DELETE FROM migrations WHERE number IN (10, 9999)")
        db.commit()
        assert found(data, "version").verdict == "warn"
    with pytest.raises(StoreError, match=r"holds no sweeper\.db"):
        findings(tmp_path / "nowhere")


def old_database(path, last):
    """A database as the version with that many migrations left it, with a sweep and a run in it."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT")
        for number, (name, sql) in sorted(known_migrations().items()):
            if number <= last:
                db.executescript(sql)
                db.execute("INSERT INTO migrations VALUES (?, ?)", (number, name))
        db.executescript(
            """
            INSERT INTO projects VALUES (1, 'local', 'p', 0);
            INSERT INTO users VALUES (1, 'local', 0);
            INSERT INTO sweeps (id, project_id, name, definition, state, seed, created_at, updated_at) VALUES
                (7, 1, 'abcdefgh', 'method: grid\nparameters: {lr: {values: [1, 2]}}', 'RUNNING', 0, 0, 0);
            INSERT INTO runs (id, project_id, name, display_name, state, sweep_id, params, created_at, heartbeat_at)
                VALUES (3, 1, 'r', 'run-1', 'running', 7, '{"lr": 1}', 0, 0);
            INSERT INTO lines VALUES (3, 'history', 0, 0, '{"loss": 1}');
            """
        )


@pytest.mark.parametrize("last", sorted(known_migrations())[:-1])
def test_an_older_database_is_copied_and_migrated(tmp_path, serve, last):
    """The server of this version goes on with it; the copy beside it is the old one, and its owner's alone."""
    data = _folder(tmp_path / "data")
    old_database(data / "sweeper.db", last)
    with contextlib.contextmanager(serve)(data) as client:
        assert client.run("r", "state historyLineCount") == {"state": "running", "historyLineCount": 1}
        assert client.beat(client.agent("abcdefgh"))[0]["args"] == {"lr": {"value": 2}}
    assert findings(data) == ALL_WELL
    (copy,) = data.glob("sweeper.db.before-*")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with contextlib.closing(sqlite3.connect(copy)) as db:
        assert db.execute("SELECT max(number) FROM migrations").fetchone() == (last,)
        assert db.execute("SELECT count(*) FROM runs").fetchone() == (1,)


def test_two_copies_of_older_versions_are_kept(tmp_path):
    """The oldest one goes; a new database makes none."""
    Store(tmp_path / "db").close()
    assert list(tmp_path.glob("*.before-*")) == []
    with contextlib.closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as db:
        for number in (3, 4, 5):
            snapshot.before_migration(db, tmp_path / "db", number)
    assert sorted(entry.name for entry in tmp_path.glob("db.*before*")) == ["db.before-0004", "db.before-0005"]


def test_what_a_dead_server_moved_is_noted_at_the_next_start(full, serve):
    """Killed between a file's move and its row, or before the move: row and file agree again."""
    client, _, run = full
    place = client.data_dir / "files" / "local" / "p" / run / "model.onnx"
    store, shelf = client.http.app.state.store, client.http.app.state.files
    (client.data_dir / "files" / ".upload-torn").write_bytes(b"half")
    moved, unmoved = (shelf.root / f".upload-{name}" for name in ("a", "b"))
    moved.write_bytes(b"new weights")
    unmoved.write_bytes(b"new pixels")
    with store.write() as db:
        (row,) = db.execute("SELECT id FROM runs").fetchone()
        arrivals = [run_files.Arrival(path, path.stat().st_size, run_files.md5_of(path)) for path in (moved, unmoved)]
        run_files.announce(db, row, "model.onnx", arrivals[0])
        run_files.announce(db, row, "media/images/a b.png", arrivals[1])
    arrivals[0].move(place)
    assert findings(client.data_dir)["files"] == "ok"  # it is known to be on its way
    with contextlib.contextmanager(serve)(client.data_dir) as again:
        with again.http.app.state.store.read() as db:
            assert db.execute("SELECT count(*) FROM arriving_files").fetchone()[0] == 0
        assert again.run(run, "files { edges { node { name sizeBytes } } }")["files"]["edges"] == [
            {"node": {"name": "media/images/a b.png", "sizeBytes": 6}},
            {"node": {"name": "model.onnx", "sizeBytes": 11}},
        ]
    assert findings(client.data_dir, deep=True) == ALL_WELL
    assert list(shelf.root.glob(".upload-*")) == []
