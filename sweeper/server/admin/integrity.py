"""Is a data directory whole? Every check reads only, so it works beside a running server and on a stopped one."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sweeper.errors import StoreError
from sweeper.findings import Finding, Verdict
from sweeper.run import RunState, SweepState
from sweeper.server.artifacts.blobs import ARTIFACTS, BlobStore, base64_of
from sweeper.server.store import artifact_files, run_files
from sweeper.server.store.artifact_files import Content
from sweeper.server.store.database import Connection, known_migrations, open_reader
from sweeper.server.store.run_files import FileStore
from sweeper.server.store.users import DATABASE

SHOWN = 5
"""Faults of one kind that are named; the others are counted."""
RESTORE = "sweeper server restore BACKUP; without a backup the database's other rows can still be read"


@dataclass(frozen=True, slots=True)
class Rule:
    """What rows must never say.

    Attributes:
        what: Rows that break it, in words.
        query: Gives their names.
        fix: What to do about them.
        verdict: How bad it is.
    """

    what: str
    query: str
    fix: str
    verdict: Verdict = Verdict.FAIL


_BY_HAND = "the rows were changed by hand: set one of the states of docs/glossary.md"
_RULES = (
    Rule("runs with a state that there is none of", "SELECT name FROM runs WHERE state NOT IN ({runs})", _BY_HAND),
    Rule("sweeps with such a state", "SELECT name FROM sweeps WHERE state NOT IN ({sweeps})", _BY_HAND),
    Rule(
        "agents with several running runs",
        """SELECT a.name FROM agents a JOIN runs r ON r.agent_id = a.id AND r.state = 'running'
        GROUP BY a.id HAVING count(*) > 1""",
        "a running server ends those that the agent does not list; else `sweeper retry SWEEP RUN`",
        Verdict.WARN,
    ),
    Rule(
        "runs given to an agent of another sweep",
        """SELECT r.name FROM runs r JOIN agents a ON a.id = r.agent_id
        WHERE r.sweep_id IS NOT NULL AND r.sweep_id <> a.sweep_id""",
        "hand them out again: sweeper retry SWEEP RUN",
    ),
    Rule(
        "ended runs without the time of their end",
        "SELECT name FROM runs WHERE state IN ({ended}) AND ended_at IS NULL",
        "their durations cannot be told; nothing else is wrong with them",
        Verdict.WARN,
    ),
    Rule(
        "values of a metric out of number",
        """SELECT r.name FROM metric_values v JOIN runs r ON r.id = v.run_id
        GROUP BY v.sweep_id, v.run_id HAVING count(*) <> max(v.iteration) OR min(v.iteration) <> 1""",
        "early termination may have compared the wrong values; the histories themselves are whole",
    ),
)


def examine(data: Path, *, deep: bool = False, progress: Callable[[int, int], None] | None = None) -> Iterator[Finding]:
    """Check a data directory.

    Args:
        data: The directory.
        deep: Read every file too, and compare its MD5.
        progress: Is told how many files are done, and of how many.

    Raises:
        StoreError: There is no database in it, or none that can be opened.
    """
    database = data / DATABASE
    if not database.is_file():
        raise StoreError(f"{data} holds no {DATABASE}", "give the data directory of a server: --data DIR")
    try:
        with contextlib.closing(open_reader(database)) as db:
            version = _version(db)
            yield version
            yield from _database(db)
            if version.verdict is Verdict.OK:
                yield from _states(db)
                yield from _files(db, FileStore(data / "files"), deep=deep, progress=progress)
                yield from _artifacts(db, BlobStore(data / ARTIFACTS), deep=deep, progress=progress)
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{database} cannot be read: {error}", f"restore it: {RESTORE}") from error


def _version(db: Connection) -> Finding:
    known = known_migrations()
    try:
        done = {number for (number,) in db.execute("SELECT number FROM migrations")}
    except sqlite3.OperationalError:
        return Finding("version", Verdict.FAIL, "the database is not sweeper's", "give a server's data directory")
    if newer := done - known.keys():
        found = f"written by a newer sweeper: migration {max(newer)}, this one knows {max(known)}"
        return Finding("version", Verdict.FAIL, found, "upgrade sweeper")
    if done != known.keys():
        found = f"of an older sweeper: {len(known.keys() - done)} migrations to come"
        fix = "start the server: it copies the database, migrates it, and then this check can look at everything"
        return Finding("version", Verdict.WARN, found, fix)
    return Finding("version", Verdict.OK, f"migration {max(done)}, the newest")


def _database(db: Connection) -> Iterator[Finding]:
    """Have SQLite look at every page and index, and at every reference."""
    broken = [text for (text,) in db.execute("PRAGMA integrity_check(100)") if text != "ok"]
    sound = Finding("database", Verdict.OK, "every page and index is sound")
    yield _faulty("database", "faults", broken, RESTORE) if broken else sound
    loose = [f"{table} row {row}" for table, row, *_ in db.execute("PRAGMA foreign_key_check")]
    sound = Finding("references", Verdict.OK, "every row has what it refers to")
    yield _faulty("references", "rows that refer to nothing", loose, RESTORE) if loose else sound


def _states(db: Connection) -> Iterator[Finding]:
    words = {
        "runs": ", ".join(f"'{state}'" for state in RunState),
        "sweeps": ", ".join(f"'{state}'" for state in SweepState),
        "ended": ", ".join(f"'{state}'" for state in RunState if state.ended),
    }
    whole = True
    for rule in _RULES:
        if names := [name for (name,) in db.execute(rule.query.format(**words))]:
            whole = False
            yield _faulty("states", rule.what, names, rule.fix, rule.verdict)
    if whole:
        runs, sweeps = db.execute("SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM sweeps)").fetchone()
        yield Finding("states", Verdict.OK, f"of {runs} runs and {sweeps} sweeps agree")


def _files(
    db: Connection, shelf: FileStore, *, deep: bool, progress: Callable[[int, int], None] | None
) -> Iterator[Finding]:
    """Compare the rows of files with what lies there, and what lies there with the rows."""
    query = (
        "SELECT p.entity, p.name, r.name, f.path, f.run_id FROM files f JOIN runs r ON r.id = f.run_id"
        " JOIN projects p ON p.id = r.project_id ORDER BY f.run_id, f.path"
    )
    rows = db.execute(query).fetchall()
    wrong: list[str] = []
    known: set[Path] = set()
    for done, (entity, project, run, path, run_id) in enumerate(rows, 1):
        place = shelf.locate(entity, project, run, path)
        known.add(place)
        if fault := _fault(db, place, run_id, path, deep=deep):
            wrong.append(f"{entity}/{project}/{run}/{path} {fault}")
        if progress:
            progress(done, len(rows))
    what = "with its size and MD5" if deep else "with its size (--deep compares contents too)"
    fix = "upload them again (`wandb sync` the run's folder), or restore a backup: sweeper server restore BACKUP"
    sound = Finding("files", Verdict.OK, f"each of {len(rows)} is there, {what}")
    yield _faulty("files", "files that are not as they were uploaded", wrong, fix) if wrong else sound
    orphans = [str(place.relative_to(shelf.root.resolve())) for place in _lying(shelf.root.resolve()) - known]
    fix = "they do no harm: left by an upload that was never acknowledged, or by a run deleted; delete them if you like"
    if orphans:
        yield _faulty("orphans", "files that no run has", orphans, fix, Verdict.WARN)


def _fault(db: Connection, place: Path, run_id: int, path: str, *, deep: bool) -> str:
    """Say what is wrong with a file; a running server may replace it between one look and the next."""
    fault = ""
    for _ in range(3):
        row = db.execute("SELECT size, md5 FROM files WHERE run_id = ? AND path = ?", (run_id, path)).fetchone()
        if row is None:
            return ""
        fault = _difference(place, *row, deep=deep)
        if not fault:
            return ""
    arriving = "SELECT 1 FROM arriving_files WHERE run_id = ? AND path = ?"
    return "" if db.execute(arriving, (run_id, path)).fetchone() else fault


def _difference(place: Path, size: int, md5: str, *, deep: bool) -> str:
    try:
        found = place.stat().st_size
        if found != size:
            return f"has {found} bytes instead of {size}"
        return "has another content (MD5)" if deep and run_files.md5_of(place) != md5 else ""
    except OSError as error:
        return "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"


def _artifacts(
    db: Connection, shelf: BlobStore, *, deep: bool, progress: Callable[[int, int], None] | None
) -> Iterator[Finding]:
    """Compare what committed artifacts hold with what lies there, and the other way round."""
    lying = _lying(shelf.root.resolve())  # first: what is announced from now on is no orphan
    held = artifact_files.committed(db)
    seen: dict[tuple[int, str], str] = {}
    wrong: list[str] = []
    for done, content in enumerate(held, 1):
        key = content.project_id, content.md5
        if key not in seen:
            seen[key] = _blob_fault(db, shelf, content, deep=deep)
        if seen[key]:
            wrong.append(f"{content.name} {seen[key]}")
        if progress:
            progress(done, len(held))
    what = "with its size and MD5" if deep else "with its size (--deep compares contents too)"
    count = len({content.artifact_id for content in held})
    fix = "log them again (the same contents fill the gap), or restore a backup: sweeper server restore BACKUP"
    sound = Finding("artifacts", Verdict.OK, f"all that {count} hold is there, {what}")
    yield _faulty("artifacts", "contents that are not as they were uploaded", wrong, fix) if wrong else sound
    known = {shelf.place(*key).resolve() for key in artifact_files.all_contents(db)}
    orphans = [str(place.relative_to(shelf.root.resolve())) for place in lying - known if place.exists()]
    fix = "they do no harm: a server that starts deletes those that are older than a week"
    if orphans:
        yield _faulty("artifact orphans", "contents that no artifact has", orphans, fix, Verdict.WARN)


def _blob_fault(db: Connection, shelf: BlobStore, content: Content, *, deep: bool) -> str:
    """Say what is wrong with a content, unless its artifacts were deleted meanwhile.

    A size is what a client said of a file, its name is what was seen of it: the MD5 has the last word.
    """
    place, md5 = shelf.place(content.project_id, content.md5), base64_of(content.md5)
    try:
        found = place.stat().st_size
        fault = "" if content.size in {None, found} else f"has {found} bytes instead of {content.size}"
        if (deep or fault) and run_files.md5_of(place) == md5:
            return ""
        fault = fault or ("has another content (MD5)" if deep else "")
    except OSError as error:
        fault = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
    return fault if fault and artifact_files.needed(db, content.project_id, content.md5) else ""


def _lying(root: Path) -> set[Path]:
    """List the files under a folder, but for uploads under way."""
    found = ((Path(folder), name) for folder, _, names in os.walk(root) for name in names)
    return {folder / name for folder, name in found if not (folder == root and name.startswith(run_files.TORN))}


def _faulty(check: str, what: str, names: list[str], fix: str, verdict: Verdict = Verdict.FAIL) -> Finding:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return Finding(check, verdict, f"{len(names)} {what}: {', '.join(sorted(names)[:SHOWN])}{more}", fix)
