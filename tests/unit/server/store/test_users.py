"""Users and their keys: who may read them, which are taken, and what is stored of them."""

from __future__ import annotations

import stat
import time

import pytest

from sweeper.errors import ServerError, StoreError
from sweeper.server.store import sessions, users
from sweeper.server.store.users import Keyring, ListedUser


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


def test_a_key_that_is_brought_along_is_the_only_one_of_the_own_user(tmp_path):
    """At the first start, and at a later one with another: the one before ends, and the file tells clients the new."""
    for key in ("a" * 40, "b" * 40, "b" * 40):
        store = users.open_store(tmp_path)
        users.take_key(store, tmp_path, key)
        with store.read() as db:
            owner = users.authenticate(db, key)
            assert owner is not None
            assert owner.name == users.EMBEDDED_USER
            assert db.execute("SELECT count(*) FROM api_keys").fetchone()[0] == 1
        store.close()
        assert users.embedded_key(tmp_path) == key
        assert stat.S_IMODE((tmp_path / users.KEY_FILE).stat().st_mode) == 0o600


def test_a_key_that_clients_would_not_send_is_not_taken(tmp_path):
    """The server does not start with it, and nothing is stored."""
    store = users.open_store(tmp_path)
    with pytest.raises(ServerError, match="4 characters"):
        users.take_key(store, tmp_path, "1234")
    store.close()
    assert not (tmp_path / users.KEY_FILE).exists()


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


def test_a_running_server_hears_of_every_change(tmp_path):
    """Added, rotated, removed: what another process does counts from the next look on, and looks cost no query."""
    first = users.add_user(tmp_path, "ann")
    store = users.open_store(tmp_path)
    keyring = Keyring(store, tmp_path)
    assert keyring.owner(first).name == "ann"
    second = users.add_user(tmp_path, "bob")
    assert keyring.owner(second).name == "bob"
    third = users.rotate_key(tmp_path, "ann")
    assert (keyring.owner(first), keyring.owner(third).name) == (None, "ann")
    users.remove_user(tmp_path, "bob")
    assert keyring.owner(second) is None
    keyring.close()
    store.close()


def test_users_are_listed_with_what_lets_them_in(tmp_path):
    """Keys and the sessions that are not over; a new key ends all of both."""
    users.add_user(tmp_path, "bob")
    users.add_user(tmp_path, "ann")
    users.add_user(tmp_path, "ann")
    store = users.open_store(tmp_path)
    with store.write() as db:
        (ann,) = users.search(db, "NN")
        sessions.begin(db, ann, now=time.time())
        sessions.begin(db, ann, now=time.time())
        sessions.begin(db, ann, now=0)
    store.close()
    assert users.all_users(tmp_path) == [ListedUser("ann", 2, 2), ListedUser("bob", 1, 0)]
    users.rotate_key(tmp_path, "ann")
    assert users.all_users(tmp_path) == [ListedUser("ann", 1, 0), ListedUser("bob", 1, 0)]


def test_the_servers_own_user_stays(tmp_path):
    """It is the one whose key the data directory holds; a rotated key is written there."""
    key = users.embedded_key(tmp_path)
    users.add_user(tmp_path, users.EMBEDDED_USER, key)
    with pytest.raises(ServerError, match="own user"):
        users.remove_user(tmp_path, users.EMBEDDED_USER)
    new = users.rotate_key(tmp_path, users.EMBEDDED_USER)
    assert users.embedded_key(tmp_path) == new != key
    assert stat.S_IMODE((tmp_path / users.KEY_FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize("ask", [users.all_users, lambda data: users.rotate_key(data, "ann")])
def test_asking_about_users_makes_no_database(tmp_path, ask):
    """Where no server has run there is none, and there stays none."""
    with pytest.raises(StoreError, match=r"holds no sweeper\.db"):
        ask(tmp_path / "data")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("change", [users.rotate_key, users.remove_user])
def test_a_user_who_is_not_there_is_named(tmp_path, change):
    """With the command that lists those who are."""
    users.add_user(tmp_path, "bob")
    with pytest.raises(ServerError, match="no user 'ann'") as caught:
        change(tmp_path, "ann")
    assert "sweeper server users" in caught.value.hint


def test_a_key_file_that_was_emptied_is_not_taken_for_a_key(tmp_path):
    """A server that came up with it would let nobody in."""
    (tmp_path / users.KEY_FILE).write_text("")
    with pytest.raises(ServerError, match="holds no API key"):
        users.embedded_key(tmp_path)


def test_the_secret_of_signed_addresses_outlives_a_restart(tmp_path):
    """It is drawn once for a database."""
    secrets = []
    for _ in range(2):
        store = users.open_store(tmp_path)
        with store.write() as db:
            secrets += [users.upload_secret(db), users.upload_secret(db)]
        store.close()
    assert len(set(secrets)) == 1
    assert len(secrets[0]) >= 32


def test_a_key_is_rotated_after_a_rotation_that_was_killed(tmp_path):
    """What the first one left beside the key is in nobody's way."""
    users.add_user(tmp_path, "local")
    (tmp_path / "api-key.new").write_text("half of a k")
    key = users.rotate_key(tmp_path, "local")
    assert (tmp_path / "api-key").read_text() == key + "\n"
    assert not (tmp_path / "api-key.new").exists()


def test_a_keyring_gives_a_users_own_keys_alone(tmp_path):
    """What was signed for one user ends with their keys, and no other's."""
    for name in ("ann", "bob"):
        users.add_user(tmp_path, name)
    store = users.open_store(tmp_path)
    keys = users.Keyring(store, tmp_path)
    with store.read() as db:
        ann, bob = users.find(db, "ann"), users.find(db, "bob")
    assert len(keys.of(ann.id)) == len(keys.of(bob.id)) == 1
    assert keys.of(ann.id) != keys.of(bob.id)
    assert keys.of(99) == []
    keys.close()
    store.close()


def test_a_made_up_key_is_nobodys(db):
    """However many are tried: all of a key counts."""
    user = users.ensure_user(db, "ann", "k" * 40, now=0)
    assert users.authenticate(db, "k" * 40) == user
    assert [key for number in range(2000) if users.authenticate(db, key := f"{number:040}")] == []
