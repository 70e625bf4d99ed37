"""A database on a node's own disk, whose every change is on a shared disk before it is acknowledged.

The node may vanish at any moment: what its server has said to be stored is in the data directory's mirror
(`mirror_files`), from which the next server makes its database. SQLite itself copies nothing of its log into the
database here: only `_renew` does, when all of the log is in the mirror, so the log never begins anew too early.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from sweeper import private_files
from sweeper.errors import ServerError, StoreError
from sweeper.server.errors import RequestError
from sweeper.server.store import mirror_files, snapshot, wal_index
from sweeper.server.store.database import Store
from sweeper.server.store.mirror_files import Owner

log = logging.getLogger(__name__)

EVERY_S = 1.0
"""Seconds after which also what nobody waits for is in the mirror, and another owner is noticed."""
_PIECE = 4 * 2**20
_WORTH = 4
"""A base is copied anew when the logs are more than this part of it: else it costs more than it saves."""
_LONG = 4 * 2**20
LOCK = "serve.lock"
MARK = "data-directory"
"""Says in the local folder whose database lies there."""


class OvertakenError(RequestError):
    """Another server keeps these data now: 503, which clients repeat, and then hear from that one."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{why}: nothing of this request was stored", 503)
        self.why = why


class Mirror:
    """Keeps a data directory's database on a local disk, and its mirror whole.

    Args:
        data: The data directory, on a disk that other machines see.
        local: The folder for the database, on this machine's own disk.
        database: The database's name.
        every_s: Seconds after which the base is copied anew, if enough was written since.

    Attributes:
        database: The database's file.
    """

    def __init__(self, data: Path, local: Path, database: str, *, every_s: float) -> None:
        self.database = local / database
        self._data, self._shared, self._every_s = data, data / database, every_s
        self._lock = threading.Lock()
        self._files: dict[str, int] = {}
        """Descriptors of the database's files: to close one would end SQLite's own locks on it."""
        self._copy: int | None = None
        self._owner = Owner("", "")
        self._salts, self._number, self._shipped = b"", 0, 0
        self._since_base = 0
        self._base_size = 0

    # The start

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the local folder, with the database in it as the mirror or the data directory has it; clear it at last.

        Raises:
            ServerError: Another server uses the folder, or it holds something else.
            StoreError: The mirror is not whole.
        """
        folder = self.database.parent
        private_files.make_folder(folder)
        with (folder / LOCK).open("w", encoding="utf-8") as lock:
            self._occupy(folder, lock)
            try:
                self._owner = mirror_files.claim(self._data)
                self._fetch()
                yield
            finally:
                self._close()
                mirror_files.remove_database(self.database)
                for name in (MARK, LOCK):
                    (folder / name).unlink(missing_ok=True)

    def _occupy(self, folder: Path, lock: IO[Any]) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ServerError(f"a server uses {folder} already", "give another --local DIR") from error
        mark, name = folder / MARK, str(self._data.resolve())
        marked = mark.read_text(encoding="utf-8") if mark.exists() else ""
        if self.database.exists() and marked != name:
            fix = "give a folder of its own: --local DIR; what lies there is replaced by what the data directory holds"
            raise ServerError(f"{folder} holds a database of {marked or 'another server'}", fix)
        private_files.replace(mark, name)
        mirror_files.remove_database(self.database)  # of a server that was killed: the mirror has what counts

    def _fetch(self) -> None:
        if self._owner.generation:
            mirror_files.bring_back(self._data, self.database)
        elif self._shared.exists():
            with contextlib.closing(sqlite3.connect(self._shared, isolation_level=None)) as db:
                snapshot.copy(db, self.database)

    def begin(self) -> None:
        """Make the mirror's first base of the database, which nobody uses yet; what was before it is removed.

        Raises:
            OvertakenError: Another server has started meanwhile.
            OSError: The shared disk takes no more.
        """
        generation = self._data / mirror_files.FOLDER / self._owner.token
        private_files.make_folder(generation)
        with self.database.open("rb") as source:
            self._copy_base(source.fileno(), generation / mirror_files.base_name(0, 0), lambda: False)
        private_files.flush(generation.parent)
        self._check_owner()
        self._owner = Owner(self._owner.token, self._owner.token)
        mirror_files.write_owner(self._data, self._owner)
        mirror_files.remove_others(self._data, self._owner.generation)
        mirror_files.remove_database(self._shared)

    # While the server runs

    def ship(self) -> None:
        """Bring all that is committed by now into the mirror, and onto its disk.

        Raises:
            OvertakenError: Another server keeps these data now.
            OSError: The disk failed: whether it is, nobody knows.
        """
        with self._lock:
            try:
                self._ship()
            finally:  # last: who has the mirror since then has read what was shipped before; or has deleted our part
                self._check_owner()

    def _ship(self) -> None:
        end = wal_index.read(self._open("-shm"))
        if end is None or not end.frames:
            return
        if end.salts != self._salts:
            self._begin_log(end.salts)
        assert self._copy is not None  # noqa: S101 for the type: just begun
        if self._shipped == end.length:
            return
        place = self._shipped
        while place < end.length:
            piece = os.pread(self._open("-wal"), min(_PIECE, end.length - place), place)
            if not piece:
                raise OSError(f"{self.database}-wal is shorter than its index says")
            place += os.pwrite(self._copy, piece, place)  # at its place: one that failed is written over
        getattr(os, "fdatasync", os.fsync)(self._copy)
        self._since_base += end.length - self._shipped
        self._shipped = end.length

    def _begin_log(self, salts: bytes) -> None:
        if os.pread(self._open("-wal"), 8, wal_index.SALTS.start) != salts:
            raise OSError(f"{self.database}-wal is not the log of its index")
        before = self._shipped if self._number else 0
        place = self._generation / mirror_files.log_name(self._number + 1, before)
        fresh = os.open(place, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            private_files.flush(self._generation)
        except BaseException:
            os.close(fresh)
            raise
        if self._copy is not None:
            os.close(self._copy)
        self._copy, self._salts, self._number, self._shipped = fresh, salts, self._number + 1, 0

    @property
    def _generation(self) -> Path:
        return self._data / mirror_files.FOLDER / self._owner.generation

    def _check_owner(self) -> None:
        now = mirror_files.read_owner(self._data)
        if now is None:
            raise OvertakenError(f"the mirror in {self._data} was taken away, or its data are with another server")
        if now.token != self._owner.token:
            raise OvertakenError(f"another server has taken over the data in {self._data}")

    def _open(self, suffix: str) -> int:
        if suffix not in self._files:  # late: SQLite makes the log with the first transaction only
            self._files[suffix] = os.open(f"{self.database}{suffix}", os.O_RDONLY)
        return self._files[suffix]

    @contextlib.contextmanager
    def tended(self, store: Store, end: Callable[[str], object]) -> Iterator[None]:
        """Renew the base and look for another owner, in a thread of its own; ship the rest at last.

        Args:
            store: The database, opened with `ship`.
            end: What ends the server; told why.
        """
        stopping = threading.Event()
        thread = threading.Thread(target=self._tend, args=(store, end, stopping), name="mirror")
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join()
            try:
                store.settle()
            except (RequestError, OSError) as error:
                log.warning("the last rows, of which nobody was told, are not in the mirror: %s", error)

    def _tend(self, store: Store, end: Callable[[str], object], stopping: threading.Event) -> None:
        with contextlib.closing(sqlite3.connect(self.database, isolation_level=None)) as db:
            db.execute("PRAGMA synchronous = OFF")  # the mirror keeps it: this disk's database is never used again
            db.execute("PRAGMA wal_autocheckpoint = 0")
            due, done = time.monotonic() + self._every_s, (self._number, self._shipped)
            while not stopping.wait(min(EVERY_S, self._every_s)):
                try:
                    store.settle()
                    if time.monotonic() >= due and done != (self._number, self._shipped) and self._is_worth_it():
                        due = time.monotonic() + self._every_s
                        if at := self._renew(store, db, stopping.is_set):
                            done = at
                        else:  # a reader still needs the log: with the next look
                            due = time.monotonic()
                except OvertakenError as error:
                    end(error.why)
                    return
                except (RequestError, OSError, sqlite3.Error, StoreError) as error:
                    log.warning("the mirror in %s was not renewed: %s", self._data, error)

    def _is_worth_it(self) -> bool:
        """Whether the log is long; of many short ones a server that starts would have to open each."""
        return self._shipped >= _LONG or self._is_copied_anew()

    def _is_copied_anew(self) -> bool:
        return self._since_base * _WORTH >= self._base_size

    def _renew(self, store: Store, db: sqlite3.Connection, stops: Callable[[], bool]) -> tuple[int, int] | None:
        """Let SQLite begin its log anew, and copy the base where the logs have grown long.

        Returns:
            The log's number and length that are in the database now; None if a reader still needed the log.
        """
        with store.write(durable=False):  # nobody writes between the last piece that is shipped and the copying
            self.ship()
            at = self._number, self._shipped
            busy, frames, copied = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if busy or frames != copied:
            return None
        if self._is_copied_anew():
            since = self._since_base
            # nobody else lets SQLite write into the database, so it stays as it is while it is copied
            if self._copy_base(self._open(""), self._generation / mirror_files.base_name(*at), stops):
                self._since_base -= since
                self._check_owner()
                self._remove_older(at)
        return at

    def _copy_base(self, source: int, place: Path, stops: Callable[[], bool]) -> bool:
        part = place.with_suffix(".part")
        size = 0
        try:
            with private_files.open_file(part, "wb") as copy:
                while piece := os.pread(source, _PIECE, size):
                    if stops():
                        return False
                    size += copy.write(piece)
                copy.flush()
                os.fsync(copy.fileno())
            part.replace(place)
            private_files.flush(place.parent)
        finally:
            part.unlink(missing_ok=True)
        self._base_size = size
        return True

    def _remove_older(self, at: tuple[int, int]) -> None:
        bases, logs = mirror_files.files_of(self._generation)
        for old in [*(one.file for one in bases if one[:2] < at), *(one.file for one in logs if one.number < at[0])]:
            old.unlink(missing_ok=True)

    def _close(self) -> None:
        for descriptor in [*self._files.values(), *([] if self._copy is None else [self._copy])]:
            os.close(descriptor)
        self._files.clear()
        self._copy = None
