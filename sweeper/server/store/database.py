"""The database: one SQLite file in WAL mode, one writer, migrated when it is opened.

The modules named after tables hold the queries, each as a function of a connection; what belongs together is done
inside one `with store.write()`.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sweeper.errors import StoreError
from sweeper.machine_errors import database_fix
from sweeper.server.store import disk, schema, snapshot, space
from sweeper.server.store.wal_sync import WalSync

Connection = sqlite3.Connection
"""One transaction's view of the database: who holds one asks this room's functions, and writes no SQL."""
MEMORY = ":memory:"
RESTORE = "sweeper server restore BACKUP; without a backup the database's other rows can still be read"
"""What to do about a database that is damaged."""
_BUSY_TIMEOUT_S = 30.0
"""How long a command beside the server, such as `add-user`, waits for the write lock, and the server for it."""
_LOG_PAGES = 4000
"""Pages of the log, 16 MiB, after which a commit copies them into the database: a page written often is copied once."""
_WRITER_KIB = 32 * 1024
"""Of the database that the one writer keeps in memory: the last pages of some thousand runs."""
_MOST_IDLE = 16
"""Readers kept open; each may hold 2 MiB of pages."""


@dataclass(slots=True)
class Group:
    """A transaction that several writes of one thread share.

    Attributes:
        thread: The thread.
        durable: Whether one of them is to wait for the disk; who wants to know of which one sets it back before.
        torn: What made SQLite take all of it back.
        afterwards: Whom to call when it is stored.
    """

    thread: int
    durable: bool = False
    torn: BaseException | None = None
    afterwards: list[Callable[[], None]] = field(default_factory=list)

    def check_whole(self) -> None:
        """Raise what made SQLite take all of it back, if that has happened."""
        if self.torn:
            raise self.torn


class Store:
    """The server's database.

    Args:
        path: The file, created when absent; ":memory:" for a database that ends with the store. One of an older
            sweeper is migrated, after a copy beside it.
        ship: What brings its log to another disk, on which it is safe; nothing is then copied from the log into the
            database but by who ships it. None for the log of this disk.

    Attributes:
        refusals: How often the disk has taken no more.
        mark: Another number whenever something has been written: what was worked out by the same one still holds.

    Raises:
        StoreError: The file is no database of ours, or one of a newer sweeper; or there is no space for the copy.
    """

    def __init__(self, path: Path | str, ship: Callable[[], None] | None = None) -> None:
        self._path = str(path)
        self._log_pages = 0 if ship else _LOG_PAGES
        # holds the writer; reentrant: over MEMORY, who reads inside a write gets the same connection
        self._lock = threading.RLock()
        self._idle_lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._log: WalSync | None = None
        self._group: Group | None = None
        self._closed = False
        self.refusals = 0
        self.mark = 0
        try:
            with disk.refusing():
                self._writer = self._connect()
                with _closed_on_error(self._writer):
                    self._migrate()
                    self._writer.execute("PRAGMA synchronous = NORMAL")  # from here on we wait for the disk ourselves
                    self._writer.execute(f"PRAGMA cache_size = -{_WRITER_KIB}")
                    if self._path != MEMORY:
                        self._log = WalSync(Path(self._path), ship)
        except sqlite3.Error as error:
            raise StoreError(f"{self._path} cannot be opened as the server's database: {error}", _fix(error)) from error
        except disk.DiskFullError as error:
            raise StoreError(f"{self._path} cannot be opened: {error.__cause__}", "make space on its disk") from error
        self._identity = disk.identity(self._path)

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self._path)

    def displaced(self) -> str:
        """Say that the file lies no more where it was opened: what is written to it is lost. Empty if it does."""
        if self._path == MEMORY or (now := disk.identity(self._path)) == self._identity:
            return ""
        return f"{self._path} was {'replaced by another file' if now else 'deleted or moved away'}"

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """Give the write connection inside one transaction: all of it is stored, or nothing.

        Args:
            durable: Wait for the disk, after the next writer has been let in. Without it a power failure (not: a
                killed server) may undo the transaction.

        Raises:
            DiskFullError: The disk takes no more; nothing was stored.
        """
        with self._noting_refusal(), self._lock:
            self._check_open()
            if self._group:
                yield from self._part(self._group, durable=durable)
                return
            with self._transaction() as db:
                yield db
        if durable:
            self.settle()

    @contextmanager
    def together(self) -> Iterator[Group]:
        """Make one transaction of all that this thread writes inside: many requests for the price of one commit.

        Each `write` in it is still all or nothing by itself: one that fails takes back what it did, and nothing else.
        It waits for no disk: that is left to `settle`.

        Raises:
            DiskFullError: The disk takes no more; nothing of it all was stored.
        """
        group = Group(threading.get_ident())
        with self._noting_refusal(), self._lock:
            self._check_open()
            self._group = group
            try:
                with self._transaction():
                    yield group
            finally:
                self._group = None
        for callback in group.afterwards:
            callback()

    def settle(self) -> None:
        """Wait until all that is stored by now is on the disk.

        Raises:
            DiskFullError: The disk takes no more; whether it is, nobody knows.
        """
        if self._log:
            with self._noting_refusal():
                self._log.wait()

    @contextmanager
    def _noting_refusal(self) -> Iterator[None]:
        try:
            with disk.refusing():
                yield
        except disk.DiskFullError:
            self.refusals += 1
            raise

    def when_stored(self, callback: Callable[[], None]) -> None:
        """Call somebody who will look at the database: now, or when what this thread writes together can be seen."""
        if group := self._own_group():
            group.afterwards.append(callback)
        else:
            callback()

    def _own_group(self) -> Group | None:
        """Give the transaction that this thread's writes share, if it is in one."""
        group = self._group  # another thread may end its own at any moment
        return group if group and group.thread == threading.get_ident() else None

    def _part(self, group: Group, *, durable: bool) -> Iterator[sqlite3.Connection]:
        """Write as a part of a transaction that others share."""
        group.check_whole()
        self._writer.execute("SAVEPOINT part")
        try:
            yield self._writer
            self._writer.execute("RELEASE part")
        except BaseException as error:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK TO part")
                self._writer.execute("RELEASE part")
            else:  # a full disk has ended it, and with it what the others wrote
                group.torn = error
            raise
        group.durable = group.durable or durable

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        # IMMEDIATE: one that began by reading would fail where another process writes between its read and its write
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            yield self._writer
            if self._group:
                self._group.check_whole()
            self._writer.execute("COMMIT")
            self.mark += 1
        except BaseException:
            if self._writer.in_transaction:  # a full disk may have ended it already
                self._writer.execute("ROLLBACK")
            raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that reads one state of the database; it waits for no other reader and no writer."""
        if self._path == MEMORY:  # a second connection would be a second, empty database
            with self._lock:
                self._check_open()
                yield self._writer
            return
        if self._own_group():  # what this thread wrote just now is to be seen
            yield self._writer
            return
        connection = self._borrow()
        try:
            connection.execute("BEGIN")  # what is read here belongs together: a count fits the rows before it
            yield connection
        finally:
            if connection.in_transaction:
                connection.execute("COMMIT")
            self._give_back(connection)

    def close(self) -> None:
        """Close every connection; the store cannot be used any more."""
        with self._lock, self._idle_lock:
            self._closed = True
            if self._log:
                self._log.close()
            for connection in [self._writer, *self._idle]:
                connection.close()
            self._idle.clear()

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError(f"{self._path} is closed")

    def _connect(self) -> sqlite3.Connection:
        # isolation_level: we begin and end transactions; check_same_thread: requests run in any thread of a pool
        connection = sqlite3.connect(self._path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        with _closed_on_error(connection):  # the first statement finds out whether the file is a database
            if not disk.size_of(self._path):  # once it has tables, it would do nothing but wait for the writer
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")  # a run acknowledged is a run kept
            connection.execute("PRAGMA foreign_keys = ON")  # SQLite forgets it with each connection
            connection.execute(f"PRAGMA wal_autocheckpoint = {self._log_pages}")
        return connection

    def _borrow(self) -> sqlite3.Connection:
        with self._idle_lock:
            self._check_open()
            if self._idle:
                return self._idle.pop()
        return self._connect()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._idle_lock:
            if self._closed or len(self._idle) >= _MOST_IDLE:
                connection.close()
            else:
                self._idle.append(connection)

    def _migrate(self) -> None:
        known = schema.known_migrations()
        done = schema.begin(self._writer)
        if newer := done - known.keys():
            raise StoreError(
                f"{self._path} was written by a newer sweeper: it has migration {max(newer)}, "
                f"this one knows {max(known)}",
                "Upgrade sweeper, or give another data directory.",
            )
        missing = sorted(known.keys() - done)
        if missing and done and self._path != MEMORY:  # a new database has nothing to lose
            snapshot.before_migration(self._writer, Path(self._path), missing[0])
        for number in missing:  # one transaction each: a server killed in between goes on from there
            with self.write() as db:
                schema.apply(db, number, *known[number])
        if missing and done:
            space.prepare(self._writer)


def open_reader(path: Path) -> sqlite3.Connection:
    """Open the database of a store in another process, for reading only."""
    # a URI: `mode=ro` makes no database where there is none, and as_uri quotes a `?` in the path
    address = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(address, uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection that reads the database of a store, in use or not, for who has no store of it.

    Raises:
        StoreError: SQLite cannot read it.
    """
    try:
        with closing(open_reader(path)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be read: {error}", _fix(error)) from error


def _fix(error: sqlite3.Error) -> str:
    return database_fix(getattr(error, "sqlite_errorname", "")) or f"restore it: {RESTORE}"


@contextmanager
def one_state(connection: sqlite3.Connection) -> Iterator[None]:
    """Let all that is read inside come from one state of the database, whatever others write meanwhile."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")


@contextmanager
def _closed_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise
