"""A full disk: what it refuses is told apart from faults of ours."""

from __future__ import annotations

import errno
import os
import sqlite3

import pytest

from sweeper.server.store import disk
from sweeper.server.store.database import Store
from sweeper.server.store.disk import DiskFullError


@pytest.mark.parametrize("durable", [True, False])
def test_a_full_disk_refuses_and_recovers(tmp_path, durable):
    """What does not fit is refused whole, with words that clients take for "later"; then all is as before."""
    store = Store(tmp_path / "db")
    pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
    store._writer.execute(f"PRAGMA max_page_count = {pages + 1}")
    insert = "INSERT INTO projects (entity, name, created_at) VALUES ('e', ?, 1)"
    with pytest.raises(DiskFullError, match="make space") as caught, store.write(durable=durable) as db:
        db.executemany(insert, [("small",), ("x" * 100_000,)])
    assert caught.value.status == 507
    assert store.refusals == 1
    store._writer.execute("PRAGMA max_page_count = 1000000")
    with store.write(durable=durable) as db:
        db.execute(insert, ("later",))
    with store.read() as db:
        assert [row["name"] for row in db.execute("SELECT name FROM projects")] == ["later"]
    store.close()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_what_the_system_says_of_a_full_disk_is_told_apart(number):
    """No space, a quota used up and a file too long for it are answered so that the SDK tries again."""
    with pytest.raises(DiskFullError, match=os.strerror(number)) as caught, disk.refusing():
        raise OSError(number, os.strerror(number))
    assert caught.value.status == 507


@pytest.mark.parametrize("number", [errno.EROFS, errno.EIO])
def test_a_disk_that_is_read_only_by_now_is_told_from_a_full_one(number):
    """Clients repeat what they sent; who looks after the machine reads what to do."""
    with pytest.raises(DiskFullError, match=r"data directory writable again") as caught, disk.refusing():
        raise OSError(number, os.strerror(number))
    assert caught.value.status == 507


def test_a_database_that_cannot_be_written_any_more_is_told_so(tmp_path):
    """As after a remount of its disk."""
    store = Store(tmp_path / "db")
    store._writer.execute("PRAGMA query_only = ON")
    with pytest.raises(DiskFullError, match="writable again"), store.write() as db:
        db.execute("INSERT INTO projects (entity, name, created_at) VALUES ('e', 'p', 1)")
    store.close()


@pytest.mark.parametrize(
    "error", [PermissionError(errno.EACCES, "no"), ValueError("no"), sqlite3.OperationalError("no such table")]
)
def test_other_faults_stay_what_they_are(error):
    """A fault of ours must not look like one that goes away by itself."""
    with pytest.raises(type(error)) as caught, disk.refusing():
        raise error
    assert caught.value is error


def test_folders_are_made_down_from_the_root(tmp_path):
    """All on the way, and a second time nothing."""
    for _ in range(2):
        disk.make_folders(tmp_path / "a" / "b" / "c", tmp_path)
    assert (tmp_path / "a" / "b" / "c").is_dir()


def test_the_size_of_a_file_that_is_not_there_is_nothing(tmp_path):
    """As of one without content."""
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "empty").touch()
    assert [disk.size_of(str(tmp_path / name)) for name in ("a", "empty", "none", "none/x")] == [5, 0, 0, 0]
