"""The check of a data directory: each kind of damage is seen, named and told what to do about."""

from __future__ import annotations

import contextlib
import os
import sqlite3

import pytest

from sweeper.errors import StoreError
from sweeper.server.admin import integrity
from sweeper.server.store import run_files, snapshot
from sweeper.server.store.database import reading
from tests.unit.server.admin.conftest import ALL_WELL, faults, findings, found, place_of
from tests.unit.server.graphql.test_artifact_operations import md5_of


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
    with reading(full[0].data_dir / "sweeper.db") as db:
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


def test_the_check_sees_damaged_contents(log, client):
    """A missing, a cut and a changed content, a missing manifest and a stray content are each named."""
    log.log()
    assert faults(client.data_dir, deep=True) == {}
    a, manifest = place_of(client, b"A"), place_of(client, log.manifest_text())
    a.write_bytes(b"Z")
    assert faults(client.data_dir) == {}
    assert "local/p/data:v0/a has another content" in faults(client.data_dir, deep=True)["artifacts"][1]
    a.write_bytes(b"AA")
    assert "local/p/data:v0/a has 2 bytes instead of 1" in faults(client.data_dir)["artifacts"][1]
    a.unlink()
    manifest.rename(manifest.with_name("0" * 32))
    verdict, said = faults(client.data_dir)["artifacts"]
    assert verdict == "fail"
    assert "local/p/data:v0/a is missing" in said
    assert "local/p/data:v0 (manifest) is missing" in said
    verdict, said = faults(client.data_dir)["artifact orphans"]
    assert (verdict, "0" * 32 in said) == ("warn", True)


def test_the_check_trusts_a_content_more_than_its_announced_size(log, client):
    """A client that says a wrong size has damaged nothing; an artifact being uploaded needs nothing yet."""
    artifact = log.create()["id"]
    urls = log.announce(artifact)
    assert faults(client.data_dir, deep=True) == {}
    assert [log.put(url, content) for url, content in zip(urls, (b"A", b"B"), strict=True)] == [200, 200]
    entries = {path: {"digest": md5_of(text), "size": 7} for path, text in log.contents.items()}
    log.manifest(artifact, entries)
    log.commit(artifact)
    assert faults(client.data_dir, deep=True) == faults(client.data_dir) == {}


def test_a_file_on_its_way_is_no_damage(full):
    """A running server moves an upload before it changes the row: the check knows which file that may be."""
    client, _, run = full
    place = client.data_dir / "files" / "local" / "p" / run / "model.onnx"
    arriving = client.data_dir / "files" / ".upload-a"
    arriving.write_bytes(b"new weights")
    arrival = run_files.Arrival(arriving, 11, run_files.md5_of(arriving))
    with client.http.app.state.store.write() as db:
        (noted, *_) = [file for file in run_files.of_all_runs(db) if file.path == "model.onnx"]
        run_files.announce(db, noted.run_id, noted.path, arrival)
    assert findings(client.data_dir) == ALL_WELL
    arrival.move(place)
    assert findings(client.data_dir) == ALL_WELL
    place.write_bytes(b"other weights")
    with client.http.app.state.store.write() as db:
        run_files.forget_arrivals(db)
    assert findings(client.data_dir)["files"] == "fail"


def test_a_database_of_somebody_else_is_no_damage_of_ours(tmp_path):
    """A sound database without our tables is said to be none of ours."""
    with contextlib.closing(sqlite3.connect(tmp_path / "sweeper.db")) as db:
        db.execute("CREATE TABLE theirs (x)")
    assert found(tmp_path, "version").found == "the database is not sweeper's"


def test_a_file_that_is_no_database_is_told_how_to_restore(tmp_path):
    """What SQLite cannot read is an error of ours, with the command that puts a backup back."""
    (tmp_path / "sweeper.db").write_bytes(b"hello" * 1000)
    with pytest.raises(StoreError, match="cannot be read") as caught:
        findings(tmp_path)
    assert "sweeper server restore" in caught.value.hint
