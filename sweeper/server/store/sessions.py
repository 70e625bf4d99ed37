"""Browsers that were let in, and the addresses that let one in, once.

The database holds only the SHA-256 of their tokens.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3

from sweeper.server.store.users import User

SESSION_S = 30 * 24 * 3600.0
"""Seconds a browser stays logged in."""
LINK_S = 10 * 60.0
"""Seconds in which an address that logs in must be opened."""


def make_link(db: sqlite3.Connection, user: User, *, now: float) -> str:
    """Make the token of an address that logs a user in, once."""
    return _make(db, "login_links", user.id, now, LINK_S)


def redeem(db: sqlite3.Connection, token: str, *, now: float) -> User | None:
    """Use up the token of such an address; None for one that is unknown, used or too old."""
    query = "DELETE FROM login_links WHERE sha256 = ? AND expires_at > ? RETURNING user_id"
    row = db.execute(query, (_digest(token), now)).fetchone()
    if row is None:
        return None
    return User(*db.execute("SELECT id, name FROM users WHERE id = ?", (row["user_id"],)).fetchone())


def begin(db: sqlite3.Connection, user: User, *, now: float) -> str:
    """Begin a session; give the token for its cookie."""
    return _make(db, "sessions", user.id, now, SESSION_S)


def user_of(db: sqlite3.Connection, token: str, *, now: float) -> User | None:
    """Find whose session a cookie's token stands for."""
    query = "SELECT u.id, u.name FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.sha256 = ? AND expires_at > ?"
    row = db.execute(query, (_digest(token), now)).fetchone()
    return User(*row) if row else None


def end(db: sqlite3.Connection, token: str) -> None:
    """End a session."""
    db.execute("DELETE FROM sessions WHERE sha256 = ?", (_digest(token),))


def _make(db: sqlite3.Connection, table: str, user_id: int, now: float, lifetime_s: float) -> str:
    db.execute(f"DELETE FROM {table} WHERE expires_at <= ?", (now,))  # noqa: S608 - names of ours
    token = secrets.token_urlsafe(32)
    row = (_digest(token), user_id, now + lifetime_s)
    db.execute(f"INSERT INTO {table} VALUES (?, ?, ?)", row)  # noqa: S608 - names of ours
    return token


def _digest(token: str) -> bytes:
    # a fast digest will do: there is nothing to guess in 32 random bytes. surrogatepass: a cookie holds what it likes
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
