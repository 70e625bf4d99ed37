"""Users and their keys: who may read them, which are taken, and what is stored of them."""

from __future__ import annotations

import stat

import pytest

from sweeper.errors import ServerError
from sweeper.server.store import users


def test_key_file_is_its_owners_alone(tmp_path):
    """The embedded user's key is readable by nobody else and stays the same."""
    key = users.embedded_key(tmp_path)
    assert stat.S_IMODE((tmp_path / users.KEY_FILE).stat().st_mode) == 0o600
    assert key.startswith("local-")
    assert len(key) == 46
    assert users.embedded_key(tmp_path) == key


def test_data_directory_is_its_owners_alone(tmp_path):
    """The data directory is closed to others even where it was open before."""
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    users.open_store(data).close()
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_added_user_comes_in_with_the_key(tmp_path):
    """A user added to a data directory is known by the key that was made, and by no other."""
    key = users.add_user(tmp_path, "ann")
    store = users.open_store(tmp_path)
    with store.read() as db:
        found = users.authenticate(db, key)
        assert found is not None
        assert found.name == "ann"
        assert users.authenticate(db, key[:-1] + ("0" if key[-1] != "0" else "1")) is None
    store.close()


def test_keys_are_stored_as_digests(tmp_path):
    """The database holds no key in clear text."""
    key = users.add_user(tmp_path, "ann")
    for path in tmp_path.iterdir():
        assert key.encode() not in path.read_bytes()


@pytest.mark.parametrize(("name", "key"), [("a/b", None), ("", None), ("ann", "short"), ("ann", "x y" * 20)])
def test_unusable_name_or_key_is_refused(tmp_path, name, key):
    """A name or a key that clients would not accept is refused before it is stored."""
    with pytest.raises(ServerError):
        users.add_user(tmp_path, name, key)


def test_key_of_another_user_is_refused(tmp_path):
    """Two users cannot share a key."""
    key = users.add_user(tmp_path, "ann")
    with pytest.raises(ServerError, match="another user"):
        users.add_user(tmp_path, "bob", key)
