"""Artifacts in the check of a data directory, in backups and in restores."""

from __future__ import annotations

import contextlib
import hashlib
import tarfile
from pathlib import Path

import pytest

from sweeper.errors import StoreError
from sweeper.server.admin import backup, integrity
from sweeper.server.store import snapshot
from sweeper.server.store.database import open_reader
from tests.unit.server.graphql.test_artifact_operations import DELETE, Logger, md5_of


@pytest.fixture
def log(client):
    """A client that logs an artifact with two files."""
    client.init("r")
    return Logger(client)


def findings(data: Path, *, deep: bool = False) -> dict[str, tuple[str, str]]:
    """What the check says is not well."""
    found = integrity.examine(data, deep=deep)
    return {one.check: (one.verdict.value, one.found) for one in found if one.verdict != "ok"}


def place_of(client, content: bytes) -> Path:
    """Where a content lies."""
    (place,) = client.data_dir.glob(f"artifacts/*/*/{hashlib.md5(content, usedforsecurity=False).hexdigest()}")
    return place


def test_the_check_sees_damaged_contents(log, client):
    """A missing, a cut and a changed content, a missing manifest and a stray content are each named."""
    log.log()
    assert findings(client.data_dir, deep=True) == {}
    a, manifest = place_of(client, b"A"), place_of(client, log.manifest_text())
    a.write_bytes(b"Z")
    assert findings(client.data_dir) == {}
    assert "local/p/data:v0/a has another content" in findings(client.data_dir, deep=True)["artifacts"][1]
    a.write_bytes(b"AA")
    assert "local/p/data:v0/a has 2 bytes instead of 1" in findings(client.data_dir)["artifacts"][1]
    a.unlink()
    manifest.rename(manifest.with_name("0" * 32))
    verdict, said = findings(client.data_dir)["artifacts"]
    assert verdict == "fail"
    assert "local/p/data:v0/a is missing" in said
    assert "local/p/data:v0 (manifest) is missing" in said
    verdict, said = findings(client.data_dir)["artifact orphans"]
    assert (verdict, "0" * 32 in said) == ("warn", True)


def test_the_check_trusts_a_content_more_than_its_announced_size(log, client):
    """A client that says a wrong size has damaged nothing; an artifact being uploaded needs nothing yet."""
    artifact = log.create()["id"]
    urls = log.announce(artifact)
    assert findings(client.data_dir, deep=True) == {}
    assert [log.put(url, content) for url, content in zip(urls, (b"A", b"B"), strict=True)] == [200, 200]
    entries = {path: {"digest": md5_of(text), "size": 7} for path, text in log.contents.items()}
    log.manifest(artifact, entries)
    log.commit(artifact)
    assert findings(client.data_dir, deep=True) == findings(client.data_dir) == {}


def test_a_backup_brings_artifacts_back(log, client, serve, tmp_path):
    """The restored server gives what was logged; what nothing needs is not taken along."""
    log.log()
    stray = place_of(client, b"A").with_name("0" * 32)
    stray.write_bytes(b"stray")
    done = backup.write(client.data_dir, tmp_path / "all.tar", now=0)
    assert (done.files, done.missing) == (4, [])  # two contents, a manifest and the key
    (tmp_path / "restored").mkdir()
    backup.restore(tmp_path / "all.tar", tmp_path / "restored", now=0)
    assert findings(tmp_path / "restored", deep=True) == {}
    with contextlib.contextmanager(serve)(tmp_path / "restored") as again:
        edges = Logger(again).found()["artifact"]["files"]["edges"]
        assert [again.http.get(edge["node"]["directUrl"]).content for edge in edges] == [b"A", b"B"]


def test_a_backup_with_a_changed_artifact_is_not_restored(log, client, tmp_path):
    """The deep check before a restore reads artifacts too."""
    log.contents = {"weights": b"weights of a model"}
    log.log()
    place = tmp_path / "all.tar"
    backup.write(client.data_dir, place, now=0)
    place.write_bytes(place.read_bytes().replace(b"weights of a model", b"weights of a muddle"[:18]))
    (tmp_path / "restored").mkdir()
    with pytest.raises(StoreError, match="local/p/data:v0/weights has another content"):
        backup.restore(place, tmp_path / "restored", now=0)
    assert list((tmp_path / "restored").iterdir()) == []


def test_what_is_deleted_during_a_backup_is_named_and_left_out(log, client, tmp_path):
    """The version left takes over `latest` in the backup; an artifact whose content got lost stays known."""
    log.log()
    log.contents = {"c": b"C"}
    second = log.log()
    log.name, log.contents = "other", {"d": b"D"}
    log.log()
    copied = tmp_path / "copy.db"
    with contextlib.closing(open_reader(client.data_dir / "sweeper.db")) as live:
        snapshot.copy(live, copied)
        client.graphql(DELETE, i={"artifactID": second, "deleteAliases": True})
        place_of(client, b"D").unlink()
        done = backup.Backup(tmp_path / "x.tar")
        with tarfile.open(done.place, "w") as tar, contextlib.closing(backup._open_copy(copied)) as db:
            list(backup._add_artifacts(tar, db, live, client.data_dir, done))
            assert set(done.missing) == {"local/p/data:v1/c", "local/p/data:v1 (manifest)", "local/p/other:v0/d"}
            left = db.execute("SELECT alias, artifact_id FROM artifact_aliases ORDER BY artifact_id").fetchall()
            assert [(alias, artifact_id) for alias, artifact_id in left] == [("latest", 1), ("latest", 3)]
