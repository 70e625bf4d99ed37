"""A server's data in one file, made while it runs.

The file is a tar, gzipped if its name says so: `backup.json`, the folders with contents, the key, the database.
The database is copied first, as it is at one moment; a file that is uploaded anew meanwhile is taken as it is when its
turn comes, and its row with it, so the two agree. What is deleted meanwhile is left out of the backup's database too.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import tarfile
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from sweeper import private_files
from sweeper.errors import StoreError
from sweeper.server.artifacts import commit
from sweeper.server.artifacts.blobs import ARTIFACTS, BlobStore
from sweeper.server.store import artifact_files, artifacts, disk, mirror_files, run_files, snapshot
from sweeper.server.store.database import Connection, reading
from sweeper.server.store.run_files import FileStore
from sweeper.server.store.users import DATABASE, KEY_FILE, OWN_FILES

MANIFEST = "backup.json"
FORMAT = 1
CONTENTS = "files"
"""The folder of the runs' files. It and that of the artifacts have rows; beside them only the key is taken."""
OF_THE_PROCESS = OWN_FILES - {KEY_FILE}
"""What belongs to a running server and not to its data."""

REPLACED = "replaced-"
"""Begins the name of a folder with what was there before a restore."""

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Backup:
    """What a backup holds.

    Attributes:
        place: The file.
        files: How many files it holds beside the database.
        bytes: The size of the backup.
        missing: Files, and contents of artifacts, that the database knows and that were not, or no longer, there.
    """

    place: Path
    files: int = 0
    bytes: int = 0
    missing: list[str] = field(default_factory=list)


def write(data: Path, place: Path, *, now: float, force: bool = False, progress: Progress | None = None) -> Backup:
    """Write a server's data into one file that only its owner can read; the server may run on.

    Args:
        data: The data directory.
        place: The file. It appears when it is complete.
        now: The time.
        force: Replace a file that is there.
        progress: Is told how many bytes are done, and of how many.

    Raises:
        StoreError: There is nothing to back up, no place for it, or not enough space.
    """
    _check_place(data, place, force=force)
    try:
        with disk.refusing(), tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}-") as folder:
            done = _write(data, place, Path(folder), now, progress)
            (Path(folder) / place.name).replace(place)
            private_files.flush(place.parent)
    except (disk.DiskFullError, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise StoreError(f"no backup was written to {place}: {why}", "there must be space for it twice") from error
    except StoreError as error:
        raise StoreError(f"no backup was written to {place}: {error}", error.hint) from error
    return done


def _check_place(data: Path, place: Path, *, force: bool) -> None:
    if not ((data / DATABASE).is_file() or mirror_files.holds(data)):
        raise StoreError(f"{data} holds no {DATABASE}: there is nothing to back up", "give --data DIR")
    if place.is_dir() or not place.parent.is_dir():
        what = "is a folder" if place.is_dir() else "lies in a folder that is not there"
        raise StoreError(f"{place} {what}", "give the name of a file, such as sweeper-2026-01-31.tar.gz")
    if place.exists() and not force:
        raise StoreError(f"{place} is there already", "give another name, or --force to replace it")


def _write(data: Path, place: Path, folder: Path, now: float, progress: Progress | None) -> Backup:
    copied, written, done = folder / DATABASE, folder / place.name, Backup(place)
    # refusing inside: that the disk is full is no fault of the database which is read
    readable = mirror_files.readable(data, data / DATABASE, folder)
    with readable as database, reading(database) as source, disk.refusing():
        snapshot.copy(source, copied)
        mode: Any = "w:gz" if place.suffix in {".gz", ".tgz"} else "w"
        with tarfile.open(written, mode) as tar:
            _add_manifest(tar, now)
            with snapshot.changing(copied) as db:
                sent, total = 0, run_files.total_bytes(db) + artifact_files.total_bytes(db)
                for size in _add_contents(tar, db, source, data, done):
                    sent += size
                    if progress:  # min: manifests and the key are sent and were not counted
                        progress(min(sent, total), total)
            tar.add(copied, DATABASE)  # last: only now does it agree with what has been taken
    written.chmod(0o600)  # the key is in it
    private_files.flush(written)
    done.bytes = written.stat().st_size
    return done


def _add_contents(tar: tarfile.TarFile, db: Connection, live: Connection, data: Path, done: Backup) -> Iterator[int]:
    """Add all but the database; give the size of each file.

    Args:
        tar: The backup.
        db: The copied database, which is made to agree with what is taken.
        live: The server's own.
        data: The data directory.
        done: What is in the backup by now.
    """
    steps = _add_files(tar, db, live, data, done), _add_artifacts(tar, db, live, data, done), _add_key(tar, data, done)
    return itertools.chain(*steps)


def _add_manifest(tar: tarfile.TarFile, now: float) -> None:
    made_at = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
    text = json.dumps({"service": "sweeper", "format": FORMAT, "made_at": made_at}).encode()
    entry = tarfile.TarInfo(MANIFEST)
    entry.size, entry.mtime, entry.mode = len(text), int(now), 0o600
    tar.addfile(entry, io.BytesIO(text))


def _add_files(tar: tarfile.TarFile, db: Connection, live: Connection, data: Path, done: Backup) -> Iterator[int]:
    """Add the runs' files, and correct the rows of those replaced or deleted since the database was copied."""
    files = FileStore(data / CONTENTS)
    for noted in run_files.of_all_runs(db):
        place = files.locate(noted.entity, noted.project, noted.run, noted.path)
        name = f"{CONTENTS}/{place.relative_to(files.root.resolve())}"
        found = _add(tar, place, name)
        if found is None:
            done.missing.append(name)
            # a row whose file got lost stays: the check of the restored server then names it
            if run_files.look_up(live, noted.run_id, noted.path) is None:
                run_files.forget(db, noted.run_id, noted.path)
            continue
        if found != (noted.size, noted.md5):
            run_files.correct(db, noted.run_id, noted.path, *found)
        done.files += 1
        yield found[0]
    run_files.forget_arrivals(db)  # the uploads under way are not in the backup


def _add_artifacts(tar: tarfile.TarFile, db: Connection, live: Connection, data: Path, done: Backup) -> Iterator[int]:
    """Add what artifacts hold, and forget the artifacts that were deleted since the database was copied."""
    blobs, absent = BlobStore(data / ARTIFACTS), set()
    for project_id, md5 in artifact_files.all_contents(db):
        place = blobs.place(project_id, md5)
        found = _add(tar, place, f"{ARTIFACTS}/{place.relative_to(blobs.root)}")
        if found is None:
            absent.add((project_id, md5))
            continue
        done.files += 1
        yield found[0]
    lost = [content for content in artifact_files.committed(db) if (content.project_id, content.md5) in absent]
    done.missing += [content.name for content in lost]
    for artifact_id in {content.artifact_id for content in lost}:
        if not artifacts.exists(live, artifact_id):
            commit.forget(db, artifact_id)


def _add_key(tar: tarfile.TarFile, data: Path, done: Backup) -> Iterator[int]:
    """Add the key of the server's own user: clients of the restored server know it."""
    found = _add(tar, data / KEY_FILE, KEY_FILE)
    if found:
        done.files += 1
        yield found[0]


class _Digested:
    """A file that is digested while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.md5 = file, hashlib.md5(usedforsecurity=False)

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        chunk = self._file.read(size)
        self.md5.update(chunk)
        return chunk


def _add(tar: tarfile.TarFile, place: Path, name: str) -> tuple[int, str] | None:
    """Add one file; give its size and MD5, or None if there is none. An upload replaces files, it never changes one."""
    if not place.is_file():
        return None
    try:  # a run may be deleted between the look and the opening
        file = place.open("rb")
    except FileNotFoundError:
        return None
    with file:
        entry = tar.gettarinfo(arcname=name, fileobj=file)
        digested: Any = _Digested(file)
        tar.addfile(entry, digested)
        return entry.size, b64encode(digested.md5.digest()).decode()
