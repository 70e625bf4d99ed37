"""Backups put back: what is whole comes back whole, and nothing else comes at all."""

from __future__ import annotations

import io
import json
import tarfile

import pytest

from sweeper.errors import StoreError
from sweeper.server.admin import backup, restore
from sweeper.server.store.database import Store
from tests.unit.server.admin.conftest import ALL_WELL, findings


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
            restore.restore(tmp_path / name, data, now=0)
        assert "\n" not in caught.value.message
        assert list(data.iterdir()) == [], name


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
