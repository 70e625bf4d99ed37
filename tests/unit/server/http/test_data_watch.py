"""A server whose data directory is deleted under it: it says so and ends."""

from __future__ import annotations

import asyncio
import shutil

import pytest

from sweeper.server.http.data_watch import DataWatch
from sweeper.server.store.database import MEMORY, Store


def looked(store: Store) -> tuple[bool, list[str]]:
    """Look once; give what was found, and why the server is told to end."""
    ends: list[str] = []
    return asyncio.run(DataWatch(store, ends.append).whole()), ends


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "sweeper.db")
    yield store
    store.close()


def test_a_database_in_its_place_is_whole(store):
    """Nothing ends."""
    assert looked(store) == (True, [])


def test_a_deleted_database_ends_the_server(store, tmp_path):
    """Its name says which."""
    (tmp_path / "sweeper.db").unlink()
    whole, (why,) = looked(store)
    assert not whole
    assert why == f"{tmp_path / 'sweeper.db'} was deleted or moved away"


def test_a_database_that_another_took_the_place_of_ends_the_server(store, tmp_path):
    """What the server wrote would be in neither."""
    shutil.copy(tmp_path / "sweeper.db", tmp_path / "copy")
    (tmp_path / "copy").replace(tmp_path / "sweeper.db")
    assert "was replaced by another file" in looked(store)[1][0]


def test_a_database_in_memory_has_no_place():
    """It cannot be deleted."""
    store = Store(MEMORY)
    assert looked(store) == (True, [])
    store.close()


def test_a_server_without_data_answers_so_and_tells_nobody_it_is_well(client):
    """Commands ask for its health first, and take it for gone."""
    assert client.http.get("/healthz").status_code == 200
    for file in client.data_dir.iterdir():
        if file.name.startswith("sweeper.db"):
            file.unlink()
    answer = client.http.get("/healthz")
    assert answer.status_code == 503
    assert "deleted" in answer.json()["errors"][0]["message"]


def test_a_disk_that_does_not_say_ends_nothing(store, tmp_path):
    """A network disk that hangs has lost nothing yet."""
    (tmp_path / "sweeper.db").rename(tmp_path / "moved")
    (tmp_path / "sweeper.db").symlink_to("sweeper.db")  # it leads to itself: the system gives an error
    assert looked(store) == (True, [])
