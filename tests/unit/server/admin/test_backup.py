"""Backups of a server's data, made while it runs."""

from __future__ import annotations

import contextlib
import json
import stat
import tarfile

import pytest

from sweeper.errors import StoreError
from sweeper.server.admin import backup, restore
from sweeper.server.store import run_files, snapshot
from sweeper.server.store.database import reading
from tests.unit.server.admin.conftest import ALL_WELL, faults, findings, place_of
from tests.unit.server.graphql.test_artifact_operations import DELETE, Logger


def test_a_backup_of_a_running_server_comes_back_whole(full, serve, tmp_path):
    """History, files, key and the state of the sweep are those of the moment, in a file that is its owner's alone."""
    client, sweep, run = full
    place, data = tmp_path / "all.tar.gz", tmp_path / "restored"
    done = backup.write(client.data_dir, place, now=0)
    assert (done.files, done.missing, stat.S_IMODE(place.stat().st_mode)) == (3, [], 0o600)
    client.log(run, {"loss": 9.0, "_step": 2}, offset=2)
    data.mkdir()
    assert restore.restore(place, data, now=0) is None
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
    folder = tmp_path / "work"
    folder.mkdir()
    with reading(client.data_dir / "sweeper.db") as db:
        snapshot.copy(db, folder / "sweeper.db")
    client.upload(run, "model.onnx", b"other weights")
    done = backup.Backup(tmp_path / "x.tar")
    with (
        tarfile.open(tmp_path / "x.tar", "w") as tar,
        snapshot.changing(folder / "sweeper.db") as db,
        reading(client.data_dir / "sweeper.db") as live,
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


def test_a_backup_brings_artifacts_back(log, client, serve, tmp_path):
    """The restored server gives what was logged; what nothing needs is not taken along."""
    log.log()
    stray = place_of(client, b"A").with_name("0" * 32)
    stray.write_bytes(b"stray")
    done = backup.write(client.data_dir, tmp_path / "all.tar", now=0)
    assert (done.files, done.missing) == (4, [])  # two contents, a manifest and the key
    (tmp_path / "restored").mkdir()
    restore.restore(tmp_path / "all.tar", tmp_path / "restored", now=0)
    assert faults(tmp_path / "restored", deep=True) == {}
    with contextlib.contextmanager(serve)(tmp_path / "restored") as again:
        edges = Logger(again).found()["artifact"]["files"]["edges"]
        assert [again.http.get(edge["node"]["directUrl"]).content for edge in edges] == [b"A", b"B"]


def test_what_is_deleted_during_a_backup_is_named_and_left_out(log, client, tmp_path):
    """The version left takes over `latest` in the backup; an artifact whose content got lost stays known."""
    log.log()
    log.contents = {"c": b"C"}
    second = log.log()
    log.name, log.contents = "other", {"d": b"D"}
    log.log()
    copied = tmp_path / "copy.db"
    with reading(client.data_dir / "sweeper.db") as live:
        snapshot.copy(live, copied)
        client.graphql(DELETE, i={"artifactID": second, "deleteAliases": True})
        place_of(client, b"D").unlink()
        done = backup.Backup(tmp_path / "x.tar")
        with tarfile.open(done.place, "w") as tar, snapshot.changing(copied) as db:
            list(backup._add_artifacts(tar, db, live, client.data_dir, done))
            assert set(done.missing) == {"local/p/data:v1/c", "local/p/data:v1 (manifest)", "local/p/other:v0/d"}
            left = db.execute("SELECT alias, artifact_id FROM artifact_aliases ORDER BY artifact_id").fetchall()
            assert [(alias, artifact_id) for alias, artifact_id in left] == [("latest", 1), ("latest", 3)]


def test_a_backup_under_writes_comes_back_whole(full, log, tmp_path):
    """Whatever is uploaded anew (as long as before, too), logged, deleted or added while it is written."""
    client, _, run = full
    log.log()
    before = history(client, run)
    meanwhile = iter(range(100))

    def write_on(_done, _total):
        number = next(meanwhile)
        for path in ("model.onnx", "media/images/a b.png"):
            client.upload(run, path, b"w%06d" % number)
        client.upload(run, f"new-{number}.txt", b"new")
        client.log(run, {"loss": 0.5, "_step": 10 + number}, offset=10 + number)
        log.contents = {"a": b"A", "own": b"%d" % number}
        log.log()
        if number == 1:
            query = "mutation($i: ID!) { deleteRun(input: {id: $i}) { clientMutationId } }"
            client.graphql(query, i=client.run("r", "id")["id"])

    backup.write(client.data_dir, tmp_path / "b.tar", now=0, progress=write_on)
    assert next(meanwhile) > 3
    (tmp_path / "again").mkdir()
    restore.restore(tmp_path / "b.tar", tmp_path / "again", now=0)
    assert findings(tmp_path / "again", deep=True) == ALL_WELL
    with reading(tmp_path / "again" / "sweeper.db") as db:
        rows = db.execute("SELECT text FROM lines WHERE stream = 'history' ORDER BY number").fetchall()
        assert [json.loads(row["text"]) for row in rows] == before
        assert db.execute("SELECT count(*) FROM arriving_files").fetchone()[0] == 0


def history(client, run):
    return [json.loads(line) for line in client.run(run, "history(samples: 1000)")["history"]]


def test_an_upload_under_way_is_none_of_the_restored_servers(full, tmp_path):
    """It is in no backup: the server that starts on what was restored looks for nothing."""
    client, *_ = full
    arrival = run_files.Arrival(client.data_dir / "files" / ".upload-a", 1, "x")
    with client.http.app.state.store.write() as db:
        (noted, *_) = run_files.of_all_runs(db)
        run_files.announce(db, noted.run_id, noted.path, arrival)
    backup.write(client.data_dir, tmp_path / "b.tar", now=0)
    (tmp_path / "again").mkdir()
    restore.restore(tmp_path / "b.tar", tmp_path / "again", now=0)
    with reading(tmp_path / "again" / "sweeper.db") as db:
        assert not run_files.is_arriving(db, noted.run_id, noted.path)
    with reading(client.data_dir / "sweeper.db") as db:
        assert run_files.is_arriving(db, noted.run_id, noted.path)
