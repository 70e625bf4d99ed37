"""The files of a mirror, and a database made of them; what writes them is in test_mirror."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from sweeper.errors import StoreError
from sweeper.server.store import mirror_files
from sweeper.server.store.mirror_files import Owner


def a_database(place, number: int) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(place)) as db:
        db.execute("CREATE TABLE t AS SELECT ? AS n", (number,))
        db.commit()


def number_in(place) -> int:
    with contextlib.closing(sqlite3.connect(place)) as db:
        return db.execute("SELECT n FROM t").fetchone()[0]


def test_an_owner_is_read_as_it_was_written(tmp_path):
    """Each one that takes the mirror over has a token of its own, and takes what was there."""
    assert mirror_files.read_owner(tmp_path) is None
    assert not mirror_files.holds(tmp_path)
    first = mirror_files.claim(tmp_path)
    assert mirror_files.read_owner(tmp_path) == first
    assert not mirror_files.holds(tmp_path)
    mirror_files.write_owner(tmp_path, Owner(first.token, "abc"))
    second = mirror_files.claim(tmp_path)
    assert second.generation == "abc"
    assert second.token != first.token
    assert mirror_files.holds(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"token": "a", "generation": "../.."}'])
def test_an_owner_that_says_nothing_is_refused(tmp_path, text):
    """No folder elsewhere is taken for a mirror."""
    mirror_files.claim(tmp_path)
    (tmp_path / "mirror" / "owner").write_text(text)
    with pytest.raises(StoreError):
        mirror_files.read_owner(tmp_path)


def test_the_newest_base_counts(tmp_path):
    """An older one may be left by who was killed before it had removed it, and a copy that is not whole, too."""
    generation = tmp_path / "mirror" / "abc"
    a_database(generation / mirror_files.base_name(3, 0), 3)
    a_database(generation / mirror_files.base_name(12, 500), 12)
    (generation / mirror_files.base_name(13, 0)).with_suffix(".part").write_text("half")
    mirror_files.write_owner(tmp_path, Owner("1", "abc"))
    mirror_files.bring_back(tmp_path, tmp_path / "copy")
    assert number_in(tmp_path / "copy") == 12


def test_a_log_that_continues_what_is_not_there_is_refused(tmp_path):
    """Pages of different states would be mixed; nothing is left of the attempt."""
    generation = tmp_path / "mirror" / "abc"
    a_database(generation / mirror_files.base_name(1, 100), 1)
    mirror_files.write_owner(tmp_path, Owner("1", "abc"))
    for name in (mirror_files.log_name(2, 200), mirror_files.log_name(3, 100)):
        (generation / name).write_bytes(b"log")
        with pytest.raises(StoreError, match="is not whole"):
            mirror_files.bring_back(tmp_path, tmp_path / "copy")
        (generation / name).unlink()
    assert {entry.name for entry in tmp_path.iterdir()} == {"mirror"}


def test_a_mirror_without_a_base_is_refused(tmp_path):
    """In words."""
    mirror_files.claim(tmp_path)
    with pytest.raises(StoreError, match="holds no database"):
        mirror_files.bring_back(tmp_path, tmp_path / "copy")
    (tmp_path / "mirror" / "abc").mkdir()
    mirror_files.write_owner(tmp_path, Owner("1", "abc"))
    with pytest.raises(StoreError, match="no copy of the database"):
        mirror_files.bring_back(tmp_path, tmp_path / "copy")


def test_a_server_without_a_mirror_takes_the_database_back(tmp_path):
    """Over an older one that was left; a mirror that never held one goes as well."""
    a_database(tmp_path / "sweeper.db", 1)
    mirror_files.claim(tmp_path)
    mirror_files.settle(tmp_path, tmp_path / "sweeper.db")
    assert number_in(tmp_path / "sweeper.db") == 1
    a_database(tmp_path / "mirror" / "abc" / mirror_files.base_name(0, 0), 2)
    mirror_files.write_owner(tmp_path, Owner("1", "abc"))
    mirror_files.settle(tmp_path, tmp_path / "sweeper.db")
    assert number_in(tmp_path / "sweeper.db") == 2
    assert {entry.name for entry in tmp_path.iterdir()} == {"sweeper.db"}
    mirror_files.settle(tmp_path, tmp_path / "sweeper.db")


def test_a_database_to_read_is_the_servers_own_or_a_copy_of_the_mirror(tmp_path):
    """Which goes again."""
    a_database(tmp_path / "sweeper.db", 1)
    with mirror_files.readable(tmp_path, tmp_path / "sweeper.db", tmp_path) as place:
        assert place == tmp_path / "sweeper.db"
    a_database(tmp_path / "mirror" / "abc" / mirror_files.base_name(0, 0), 2)
    mirror_files.write_owner(tmp_path, Owner("1", "abc"))
    with mirror_files.readable(tmp_path, tmp_path / "sweeper.db", tmp_path) as place:
        assert number_in(place) == 2
    assert not place.exists()
