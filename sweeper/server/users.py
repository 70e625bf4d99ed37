"""Users and their API keys; the database holds only the keys' SHA-256."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from sweeper.errors import ServerError
from sweeper.server.store import Store

EMBEDDED_USER = "local"
KEY_FILE = "api-key"
DATABASE = "sweeper.db"
_KEY = re.compile(r"[A-Za-z0-9_-]{40,200}\Z")  # what wandb 0.31.0 takes for a key before it sends it
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\Z")


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with a key; the name is also the default entity."""

    id: int
    name: str


def new_key() -> str:
    """Make a key in the form the SDK accepts: 40 hex digits behind a prefix."""
    return f"local-{secrets.token_hex(20)}"


def authenticate(db: sqlite3.Connection, key: str) -> User | None:
    """Find the owner of a key; None for a key nobody has."""
    digest = _digest(key)
    found = None
    query = "SELECT k.sha256, u.id, u.name FROM api_keys k JOIN users u ON u.id = k.user_id"
    for row in db.execute(query):  # all of them: the time taken tells nothing about a key
        if hmac.compare_digest(row["sha256"], digest):
            found = User(row["id"], row["name"])
    return found


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
    store = open_store(data_dir)
    try:
        chosen = key or new_key()
        with store.write() as db:
            ensure_user(db, name, chosen, now=time.time())
        return chosen
    finally:
        store.close()


def open_store(data_dir: Path) -> Store:
    """Open the database in a data directory nobody else can read, made if need be."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    data_dir.chmod(0o700)
    return Store(data_dir / DATABASE)


def embedded_key(data_dir: Path) -> str:
    """Read the key of the embedded user; on the first call make it, readable by its owner only."""
    path = data_dir / KEY_FILE
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        key = path.read_text("ascii").strip()
        if not _KEY.match(key):
            raise ServerError(f"{path} holds no API key", "Delete it: the next start makes a new one.") from None
        return key
    key = new_key()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key + "\n")
    return key


def upload_secret(db: sqlite3.Connection) -> bytes:
    """Read the secret that signs upload addresses, made on the first call."""
    fresh = (secrets.token_bytes(32),)
    db.execute("INSERT OR IGNORE INTO secrets VALUES ('upload', ?)", fresh)
    value: bytes = db.execute("SELECT value FROM secrets WHERE name = 'upload'").fetchone()["value"]
    return value


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
