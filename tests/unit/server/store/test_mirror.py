"""The mirror of a database on another disk: what was acknowledged is in it, whenever the node vanishes."""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from sweeper.errors import ServerError
from sweeper.server.store import mirror as mirror_module
from sweeper.server.store import mirror_files
from sweeper.server.store.database import Store
from sweeper.server.store.mirror import Mirror, OvertakenError

NAME = "sweeper.db"


@contextlib.contextmanager
def running(data: Path, local: Path, *, every_s: float = 3600):
    """A server's database with its mirror; gives both, and a list of why it was ended."""
    data.mkdir(exist_ok=True)
    mirror, ended = Mirror(data, local, NAME, every_s=every_s), []
    with mirror.held():
        with contextlib.closing(Store(mirror.database)) as store, store.write() as db:
            db.execute("CREATE TABLE IF NOT EXISTS t (n INTEGER, text TEXT)")
        mirror.begin()
        with contextlib.closing(Store(mirror.database, mirror.ship)) as store, mirror.tended(store, ended.append):
            yield mirror, store, ended


def told_to_end(ended: list[str]) -> None:
    deadline = time.monotonic() + 30
    while not ended:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def rows(place: Path) -> list[int]:
    with contextlib.closing(sqlite3.connect(place)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        return [n for (n,) in db.execute("SELECT n FROM t ORDER BY n")]


def brought_back(data: Path, place: Path) -> list[int]:
    """What a server that starts now would have."""
    mirror_files.bring_back(data, place)
    try:
        return rows(place)
    finally:
        mirror_files.remove_database(place)


def add(store: Store, *numbers: int, size: int = 10) -> None:
    with store.write() as db:
        db.executemany("INSERT INTO t VALUES (?, ?)", [(number, "x" * size) for number in numbers])


def renew(mirror: Mirror, store: Store) -> tuple[int, int] | None:
    with contextlib.closing(sqlite3.connect(mirror.database, isolation_level=None)) as db:
        return mirror._renew(store, db, lambda: False)


def test_what_is_acknowledged_is_in_the_mirror_at_once(tmp_path):
    """Not only after some interval: a node that vanishes now takes nothing with it."""
    with running(tmp_path / "data", tmp_path / "local") as (_, store, _):
        for number in range(20):
            add(store, number)
            assert brought_back(tmp_path / "data", tmp_path / "copy") == list(range(number + 1))


def test_a_base_takes_the_place_of_the_logs_before_it(tmp_path):
    """The mirror stays as small as the database, and each state between is whole."""
    data = tmp_path / "data"
    with running(data, tmp_path / "local") as (mirror, store, _):
        for number in range(30):
            add(store, number, size=20_000)
            if number % 5 == 4:
                assert renew(mirror, store)
            assert brought_back(data, tmp_path / "copy") == list(range(number + 1))
        bases, logs = mirror_files.files_of(mirror._generation)
        assert len(bases) == 1
        assert len(logs) < 6


def test_a_reader_that_still_needs_the_log_puts_off_the_next_base(tmp_path):
    """Nothing is copied half, and what is written meanwhile goes on being kept."""
    data = tmp_path / "data"
    with running(data, tmp_path / "local") as (mirror, store, _):
        add(store, 0)
        with store.read() as db:
            db.execute("SELECT * FROM t").fetchall()
            add(store, 1)
            assert renew(mirror, store) is None
        add(store, 2)
        # the mirror's own thread may look at the log in that moment, which puts it off once more
        assert any(renew(mirror, store) or time.sleep(0.1) for _ in range(50))
        with store.read() as db:  # which keeps SQLite from beginning its log anew
            db.execute("SELECT * FROM t").fetchall()
            add(store, 3)
            assert brought_back(data, tmp_path / "copy") == [0, 1, 2, 3]


def test_a_large_transaction_that_was_taken_back_leaves_no_trace(tmp_path):
    """SQLite had written its pages into the log already; the next transaction writes over them."""
    data = tmp_path / "data"
    with running(data, tmp_path / "local") as (mirror, store, _):
        add(store, 0)
        with contextlib.suppress(ZeroDivisionError), store.write() as db:
            db.execute("PRAGMA cache_size = 10")
            db.executemany("INSERT INTO t VALUES (?, ?)", [(n, "y" * 5000) for n in range(1, 300)])
            store.settle()
            raise ZeroDivisionError
        assert (mirror.database.parent / f"{NAME}-wal").stat().st_size > 300 * 4096
        add(store, 1)
        assert brought_back(data, tmp_path / "copy") == [0, 1]


@pytest.mark.parametrize("seed", range(8))
def test_any_history_of_writes_renewals_and_restarts_is_kept(tmp_path, seed):
    """Random transactions of random sizes, readers, bases, kills: what comes back is all that was acknowledged."""
    draw, data = random.Random(seed), tmp_path / "data"
    kept: list[int] = []
    for start in range(4):
        with running(data, tmp_path / f"local-{start}") as (mirror, store, _), contextlib.ExitStack() as readers:
            with store.read() as db:
                assert [row[0] for row in db.execute("SELECT n FROM t ORDER BY n")] == kept
            for _ in range(draw.randrange(1, 40)):
                what = draw.random()
                if what < 0.6:
                    fresh = list(range(len(kept), len(kept) + draw.choice([1, 1, 2, 50])))
                    add(store, *fresh, size=draw.choice([1, 100, 9000]))
                    kept += fresh
                elif what < 0.75:
                    renew(mirror, store)
                elif what < 0.85:
                    readers.close()
                    db = readers.enter_context(store.read())
                    db.execute("SELECT count(*) FROM t").fetchone()
                elif what < 0.9:
                    readers.close()
                else:
                    assert brought_back(data, tmp_path / "copy") == kept
            readers.close()
            # as after a kill: of the local disk nothing is used, and the mirror is as it is at this moment
            shutil.copytree(data, tmp_path / f"killed-{start}")
        if draw.random() < 0.7:
            shutil.rmtree(data)
            shutil.copytree(tmp_path / f"killed-{start}", data)
        assert brought_back(data, tmp_path / "copy") == kept


@pytest.mark.parametrize("seed", range(4))
def test_a_log_that_was_cut_off_anywhere_gives_all_that_was_acknowledged_before_the_cut(tmp_path, seed):
    """Its last piece may be half on the disk when the node dies: nobody was told of that yet."""
    draw, data = random.Random(seed), tmp_path / "data"
    with running(data, tmp_path / "local") as (mirror, store, _):
        add(store, *range(10))
        renew(mirror, store)
        lengths = {}
        for number in range(10, 40):
            add(store, number, size=draw.choice([1, 5000]))
            lengths[number] = mirror._shipped
        last = mirror_files.files_of(mirror._generation)[1][-1].file
    whole = last.read_bytes()
    for cut in [0, 1, 31, 32, *(draw.randrange(len(whole)) for _ in range(15)), *lengths.values()]:
        last.write_bytes(whole[:cut])
        expected = list(range(10)) + [number for number, length in lengths.items() if length <= cut]
        assert brought_back(data, tmp_path / "copy") == expected
    for _ in range(5):  # and a tail of anything, as a disk may have it that was cut off from its power
        cut = draw.randrange(len(whole))
        last.write_bytes(whole[:cut] + draw.randbytes(len(whole) - cut))
        expected = list(range(10)) + [number for number, length in lengths.items() if length <= cut]
        assert brought_back(data, tmp_path / "copy") == expected


def test_many_threads_write_while_bases_are_copied(tmp_path):
    """Each row whose writer was told so comes back, at the end and in the middle."""
    data, told = tmp_path / "data", []
    with running(data, tmp_path / "local", every_s=0.05) as (_, store, ended):

        def work(first: int) -> None:
            for number in range(first, first + 60):
                add(store, number, size=3000)
                told.append(number)

        threads = [threading.Thread(target=work, args=(1000 * number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            before = list(told)
            assert set(before) <= set(brought_back(data, tmp_path / "copy"))
        for thread in threads:
            thread.join()
        assert not ended
    assert brought_back(data, tmp_path / "copy") == sorted(told)


def test_a_server_that_was_overtaken_keeps_nothing_more_and_ends(tmp_path):
    """It was taken for dead: what it acknowledged before is with the other one, and later rows it refuses."""
    data = tmp_path / "data"
    with running(data, tmp_path / "old") as (_, store, ended):
        add(store, 0)
        with running(data, tmp_path / "new") as (_, successor, _):
            add(successor, 1)
            with pytest.raises(OvertakenError, match="taken over"):
                add(store, 2)
            told_to_end(ended)
            assert "another server has taken over" in ended[0]
            assert brought_back(data, tmp_path / "copy") == [0, 1]
    assert brought_back(data, tmp_path / "copy") == [0, 1]


def test_of_two_servers_that_start_at_once_one_goes_on(tmp_path):
    """The other one is told before it has said that it runs."""
    data = tmp_path / "data"
    with running(data, tmp_path / "first") as (_, store, _):
        add(store, 0)
    one, two = (Mirror(data, tmp_path / name, NAME, every_s=1) for name in ("one", "two"))
    with one.held(), two.held():
        two.begin()
        with pytest.raises(OvertakenError):
            one.begin()
    assert brought_back(data, tmp_path / "copy") == [0]


def test_a_data_directory_whose_mirror_is_deleted_ends_its_server(tmp_path):
    """Nothing that it takes would be kept."""
    data = tmp_path / "data"
    with running(data, tmp_path / "local") as (_, store, ended):
        shutil.rmtree(data / "mirror")
        with pytest.raises(OvertakenError, match="taken away"):
            add(store, 0)
        told_to_end(ended)


def test_what_lay_in_the_data_directory_moves_into_the_mirror(tmp_path):
    """With its log; and a server without a mirror takes it back."""
    data = tmp_path / "data"
    data.mkdir()
    place = data / NAME
    with contextlib.closing(Store(place)) as store:
        with store.write() as db:
            db.execute("CREATE TABLE t (n INTEGER, text TEXT)")
        add(store, 0)
    with running(data, tmp_path / "local") as (_, store, _):
        assert not place.exists()
        add(store, 1)
    mirror_files.settle(data, place)
    assert rows(place) == [0, 1]
    assert {entry.name for entry in data.iterdir()} == {NAME}


def test_a_folder_with_another_servers_database_is_refused(tmp_path):
    """It would be replaced."""
    data, local = tmp_path / "data", tmp_path / "local"
    data.mkdir()
    local.mkdir()
    (local / NAME).write_text("mine")
    with (
        pytest.raises(ServerError, match="holds a database of another server"),
        Mirror(data, local, NAME, every_s=1).held(),
    ):
        pass
    assert (local / NAME).read_text() == "mine"


def test_a_folder_that_a_server_uses_is_refused(tmp_path):
    """Two servers on one database would write over each other's rows."""
    data = tmp_path / "data"
    with (
        running(data, tmp_path / "local"),
        pytest.raises(ServerError, match="already"),
        Mirror(data, tmp_path / "local", NAME, every_s=1).held(),
    ):
        pass


def test_a_clean_end_leaves_nothing_on_the_local_disk(tmp_path):
    """The mirror has all of it, of which nobody waited for the disk, too."""
    data = tmp_path / "data"
    with running(data, tmp_path / "local") as (_, store, _), store.write(durable=False) as db:
        db.execute("INSERT INTO t VALUES (5, '')")
    assert list((tmp_path / "local").iterdir()) == []
    assert brought_back(data, tmp_path / "copy") == [5]


def test_a_full_shared_disk_is_no_success_and_heals(tmp_path):
    """The piece that was written half is written over when there is space again."""
    data = tmp_path / "data"
    with running(data, tmp_path / "local") as (mirror, store, _):
        add(store, 0)
        mirror._owner, own = mirror_files.Owner(mirror._owner.token, "none"), mirror._owner
        mirror._salts = b""  # the next piece wants a new file, where there is no folder
        with pytest.raises(OSError, match="none"):
            add(store, 1)
        mirror._owner, mirror._salts = own, mirror_module.wal_index.read(mirror._open("-shm")).salts
        add(store, 2)
        assert brought_back(data, tmp_path / "copy") == [0, 1, 2]
