"""Users and their API keys; the database holds only the keys' SHA-256."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sweeper import private_files
from sweeper.errors import ServerError, StoreError
from sweeper.server.names import RESERVED
from sweeper.server.store import change_mark, disk, mirror_files
from sweeper.server.store.database import Store

EMBEDDED_USER = "local"
KEY_FILE = "api-key"
DATABASE = "sweeper.db"
MARK_FILE = "keys-changed"
"""Its content changes with the keys."""
CERTIFICATE, CERTIFICATE_KEY = "certificate.pem", "certificate-key.pem"
OWN_FILES = frozenset({KEY_FILE, MARK_FILE, "server.json", "server.log", "last-port", "serve.lock", "start.lock"}) | {
    *("job.json", CERTIFICATE, CERTIFICATE_KEY)
}
"""What a server that has no database yet leaves in its directory."""
HALF_RESTORED = ".replacing-"
"""Begins the name of a folder that is there while a restore moves things to their places."""
REPEAT = "sweeper server restore BACKUP --force"
_KEY = re.compile(r"[A-Za-z0-9_-]{40,200}\Z")  # what wandb 0.31.0 takes for a key before it sends it
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\Z")


@dataclass(frozen=True, slots=True)
class ListedUser:
    """A user with the number of their keys and of the browsers that are logged in."""

    name: str
    keys: int
    sessions: int


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with a key; the name is also the default entity.

    Attributes:
        id: The row.
        name: What they are called.
        key: The digest of the key they came with; empty if it was with none.
    """

    id: int
    name: str
    key: bytes = field(default=b"", compare=False, repr=False)


def new_key() -> str:
    """Make a key in the form the SDK accepts: 40 hex digits behind a prefix."""
    return f"local-{secrets.token_hex(20)}"


def is_key(text: str) -> bool:
    """Whether a text has the form of a key."""
    return _KEY.match(text) is not None


def authenticate(db: sqlite3.Connection, key: str) -> User | None:
    """Find the owner of a key; None for a key nobody has."""
    return _owner(_owners(db), key)


def _owners(db: sqlite3.Connection) -> list[tuple[bytes, User]]:
    """List the keys' digests with their users."""
    query = "SELECT k.sha256, u.id, u.name FROM api_keys k JOIN users u ON u.id = k.user_id"
    return [(row["sha256"], User(row["id"], row["name"], row["sha256"])) for row in db.execute(query)]


def _owner(owners: list[tuple[bytes, User]], key: str) -> User | None:
    digest = _digest(key)
    found = None
    for known, user in owners:  # all of them: the time taken tells nothing about a key
        if hmac.compare_digest(known, digest):
            found = user
    return found


class Keyring:
    """The keys of a running server, in memory; what any process changes counts from the next look on.

    Args:
        store: The database.
        data_dir: The directory it lies in.
    """

    def __init__(self, store: Store, data_dir: Path) -> None:
        self._store = store
        self._mark = change_mark.Mark(data_dir / MARK_FILE)
        self._seen = b""
        self._owners: list[tuple[bytes, User]] = []

    def owner(self, key: str) -> User | None:
        """Find the owner of a key; None for a key nobody has."""
        return _owner(self._known(), key)

    def of(self, user_id: int) -> list[bytes]:
        """List the digests of a user's keys."""
        return [digest for digest, user in self._known() if user.id == user_id]

    def _known(self) -> list[tuple[bytes, User]]:
        if self._seen != self._mark.read():
            # inside a write transaction: no other process is between changing the mark and its commit
            with self._store.write(durable=False) as db:
                self._seen, self._owners = self._mark.read(), _owners(db)
        return self._owners

    def close(self) -> None:
        """Let go of the mark."""
        self._mark.close()


def name_of(db: sqlite3.Connection, user_id: int | None) -> str | None:
    """Find what a user is called; None if nobody is known, or not any more."""
    row = db.execute("SELECT name FROM users WHERE id = ?", (user_id,)).fetchone()
    return str(row["name"]) if row else None


def find(db: sqlite3.Connection, name: str) -> User | None:
    """Find a user by their name."""
    row = db.execute("SELECT id, name FROM users WHERE name = ?", (name,)).fetchone()
    return User(*row) if row else None


def search(db: sqlite3.Connection, part: str) -> list[User]:
    """List the users whose names hold a text, in any case."""
    query = "SELECT id, name FROM users WHERE instr(lower(name), lower(?)) ORDER BY name"
    return [User(*row) for row in db.execute(query, (part,))]


def ensure_user(db: sqlite3.Connection, name: str, key: str, *, now: float) -> User:
    """Give a user a key; both are made if they are not there.

    Raises:
        ServerError: The name or the key has a form that clients would not accept, or the key is
            another user's.
    """
    if not _NAME.match(name):
        raise ServerError(f"{name!r} cannot be a user's name", "Use letters, digits and . _ - (at most 64).")
    if name in RESERVED:  # it is also their entity
        raise ServerError(f"{name!r} cannot be a user's name: addresses of the server begin with it", "Choose another.")
    if not _KEY.match(key):
        raise ServerError(
            f"the key has {len(key)} characters or some that keys do not have",
            "Use 40 or more of A-Z a-z 0-9 _ -, or leave --key out to have one made.",
        )
    db.execute("INSERT OR IGNORE INTO users (name, created_at) VALUES (?, ?)", (name, now))
    user = User(*db.execute("SELECT id, name FROM users WHERE name = ?", (name,)).fetchone())
    owner = authenticate(db, key)
    if owner not in {None, user}:
        raise ServerError("that key belongs to another user", "Leave --key out to have one made.")
    db.execute("INSERT OR IGNORE INTO api_keys VALUES (?, ?, ?)", (_digest(key), user.id, now))
    return user


def add_user(data_dir: Path, name: str, key: str | None = None) -> str:
    """Make a user of the server whose data lies in `data_dir`, running or not; give the key back.

    Raises:
        ServerError: The name or the key cannot be used.
        StoreError: The database cannot be opened.
    """
    chosen = new_key() if key is None else key
    with _changing(data_dir) as db:
        ensure_user(db, name, chosen, now=time.time())
    return chosen


def all_users(data_dir: Path) -> list[ListedUser]:
    """List the users by name."""
    query = (
        "SELECT name, (SELECT count(*) FROM api_keys WHERE user_id = users.id),"
        " (SELECT count(*) FROM sessions WHERE user_id = users.id AND expires_at > ?) FROM users ORDER BY name"
    )
    if mirror_files.holds(data_dir):
        with (
            tempfile.TemporaryDirectory() as folder,
            mirror_files.readable(data_dir, data_dir / DATABASE, Path(folder)) as copy,
            closing(Store(copy)) as store,
            store.read() as db,
        ):
            return [ListedUser(*row) for row in db.execute(query, (time.time(),))]
    _check_there(data_dir)
    with closing(Store(data_dir / DATABASE)) as store, store.read() as db:
        return [ListedUser(*row) for row in db.execute(query, (time.time(),))]


def _store_of_ours(data_dir: Path) -> Store:
    """Open the database of a directory that is a server's, or will be one's: not of somebody's folder of other things.

    Raises:
        ServerError: It is one.
    """
    check_not_elsewhere(data_dir)
    others = {entry.name for entry in data_dir.iterdir()} - OWN_FILES if data_dir.is_dir() else set()
    if others and not (data_dir / DATABASE).exists():
        raise ServerError(f"{data_dir} holds other things than a server's data", "give an empty or new --data DIR")
    return open_store(data_dir)


def rotate_key(data_dir: Path, name: str) -> str:
    """Give a user a new key; their old ones and their sessions end at once.

    Raises:
        ServerError: There is no such user.
    """
    key = new_key()
    _check_there(data_dir)
    with _changing(data_dir) as db:
        _id_of(db, name)
        _give_alone(db, name, key)
        if name == EMBEDDED_USER:
            # put in its place whole: a client that looks it up at this moment finds the old key or the new one
            private_files.replace(data_dir / KEY_FILE, key + "\n")
    return key


def _give_alone(db: sqlite3.Connection, name: str, key: str) -> None:
    """Give a user a key, made if they are not there; those that they had, and their sessions, end."""
    if user := find(db, name):
        for table in ("api_keys", "sessions", "login_links"):
            db.execute(f"DELETE FROM {table} WHERE user_id = ?", (user.id,))  # noqa: S608 - names of ours
    ensure_user(db, name, key, now=time.time())


def take_key(store: Store, data_dir: Path, key: str) -> None:
    """Make a key that was brought along the server's own user's, before it starts; another one ends with its sessions.

    Raises:
        ServerError: It has a form that clients would not accept, or is another user's.
    """
    path = data_dir / KEY_FILE
    if path.exists() and path.read_text("ascii", errors="replace").strip() == key:
        return
    with store.write() as db:
        _give_alone(db, EMBEDDED_USER, key)
    private_files.replace(path, key + "\n")  # after the commit: whoever is killed before it does it again


def remove_user(data_dir: Path, name: str) -> None:
    """Remove a user with their keys and sessions; their runs stay.

    Raises:
        ServerError: There is no such user, or it is the server's own.
    """
    if name == EMBEDDED_USER:
        raise ServerError(f"{name} is the server's own user", f"end its key: sweeper server rotate-key {name}")
    _check_there(data_dir)
    with _changing(data_dir) as db:
        db.execute("DELETE FROM users WHERE id = ?", (_id_of(db, name),))


def _check_there(data_dir: Path) -> None:
    """Make no database for who asks about its users."""
    check_not_elsewhere(data_dir)
    if not (data_dir / DATABASE).exists():
        raise StoreError(f"{data_dir} holds no {DATABASE}: no server has run there", "give --data DIR")


def check_not_elsewhere(data_dir: Path) -> None:
    """See that the database is no server's that keeps it on its own disk: nobody beside that server may write it.

    Raises:
        StoreError: It is.
    """
    if mirror_files.holds(data_dir):
        fix = "stop that server, then start one on this machine without --local, which brings the database back"
        raise StoreError(f"the database of {data_dir} is kept by a server with --local, alone", fix)


@contextmanager
def _changing(data_dir: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection inside a transaction that changes keys; a running server hears of it."""
    with closing(_store_of_ours(data_dir)) as store, store.write() as db:
        change_mark.change(data_dir / MARK_FILE)  # before the commit: whoever is killed here has changed nothing else
        yield db


def _id_of(db: sqlite3.Connection, name: str) -> int:
    found = find(db, name)
    if found is None:
        raise ServerError(f"there is no user {name!r}", "`sweeper server users` lists them")
    return found.id


def check_restored(data_dir: Path) -> None:
    """See that no restore was broken off while it moved things: some would be the old ones, some the new ones.

    Raises:
        StoreError: One was.
    """
    if any(data_dir.glob(f"{HALF_RESTORED}*/{DATABASE}")):  # it is moved last
        raise StoreError(f"a restore into {data_dir} was broken off half-way", f"repeat it: {REPEAT}")


def open_store(data_dir: Path, *, database: Path | None = None, ship: Callable[[], None] | None = None) -> Store:
    """Open the database of a data directory nobody else can read, made if need be.

    Args:
        data_dir: The data directory.
        database: The database, where it lies elsewhere.
        ship: What brings its log to another disk; see `Store`.

    Raises:
        StoreError: It cannot be opened, or is half of what a restore was to make of it.
    """
    check_restored(data_dir)
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    data_dir.chmod(0o700)  # it may be older than we are, or made by hand
    disk.flush_way_to(data_dir)  # or a power failure could take all of it
    return Store(database or data_dir / DATABASE, ship)


def embedded_key(data_dir: Path) -> str:
    """Read the key of the embedded user; on the first call make it, readable by its owner only."""
    path = data_dir / KEY_FILE
    if not path.exists():
        private_files.replace(path, new_key() + "\n")  # whole: whoever is killed here leaves none, and not half of one
    key = path.read_text("ascii").strip()
    if not _KEY.match(key):
        raise ServerError(f"{path} holds no API key", "Delete it: the next start makes a new one.")
    path.chmod(0o600)
    return key


def upload_secret(db: sqlite3.Connection) -> bytes:
    """Read the secret that signs upload addresses, made on the first call."""
    fresh = (secrets.token_bytes(32),)
    db.execute("INSERT OR IGNORE INTO secrets VALUES ('upload', ?)", fresh)
    value: bytes = db.execute("SELECT value FROM secrets WHERE name = 'upload'").fetchone()["value"]
    return value


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
