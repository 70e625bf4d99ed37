"""Is a data directory whole? Every check reads only, so it works beside a running server and on a stopped one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sweeper.errors import StoreError
from sweeper.findings import Finding, Verdict
from sweeper.server.artifacts.blobs import ARTIFACTS, BlobStore, base64_of
from sweeper.server.store import artifact_files, consistency, mirror_files, run_files, users
from sweeper.server.store.artifact_files import Content
from sweeper.server.store.database import RESTORE, Connection, reading
from sweeper.server.store.run_files import FileStore, NotedFile
from sweeper.server.store.schema import applied_migrations, known_migrations
from sweeper.server.store.users import DATABASE

SHOWN = 5
"""Faults of one kind that are named; the others are counted."""


@dataclass(frozen=True, slots=True)
class RowRule:
    """What rows must never say.

    Attributes:
        what: Rows that break it, in words.
        broken_by: Gives their names.
        fix: What to do about them.
        verdict: How bad it is.
    """

    what: str
    broken_by: Callable[[Connection], list[str]]
    fix: str
    verdict: Verdict = Verdict.FAIL


_BY_HAND = "the rows were changed by hand: set one of the states of docs/glossary.md"
_RULES = (
    RowRule("runs with a state that there is none of", consistency.runs_in_no_state, _BY_HAND),
    RowRule("sweeps with such a state", consistency.sweeps_in_no_state, _BY_HAND),
    RowRule(
        "agents with several running runs",
        consistency.agents_with_several_runs,
        "a running server ends those that the agent does not list; else `sweeper retry SWEEP RUN`",
        Verdict.WARN,
    ),
    RowRule(
        "runs given to an agent of another sweep",
        consistency.runs_of_foreign_agents,
        "hand them out again: sweeper retry SWEEP RUN",
    ),
    RowRule(
        "ended runs without the time of their end",
        consistency.ended_runs_without_end,
        "their durations cannot be told; nothing else is wrong with them",
        Verdict.WARN,
    ),
    RowRule(
        "values of a metric out of number",
        consistency.misnumbered_metrics,
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
    users.check_restored(data)
    database = data / DATABASE
    if not (database.is_file() or mirror_files.holds(data)):
        raise StoreError(f"{data} holds no {DATABASE}", "give the data directory of a server: --data DIR")
    with tempfile.TemporaryDirectory() as folder, mirror_files.readable(data, database, Path(folder)) as found:
        yield from _examined(found, data, deep=deep, progress=progress)


def _examined(
    database: Path, data: Path, *, deep: bool, progress: Callable[[int, int], None] | None
) -> Iterator[Finding]:
    with reading(database) as db:
        version = _version(db)
        yield version
        yield from _database(db)
        if version.verdict is Verdict.OK:  # the other checks ask for columns that an older version lacks
            yield from _states(db)
            yield from _files(db, FileStore(data / "files"), deep=deep, progress=progress)
            yield from _artifacts(db, BlobStore(data / ARTIFACTS), deep=deep, progress=progress)


def _version(db: Connection) -> Finding:
    known, done = known_migrations(), applied_migrations(db)
    if done is None:
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
    broken = consistency.broken_pages(db)
    sound = Finding("database", Verdict.OK, "every page and index is sound")
    yield _faulty("database", "faults", broken, RESTORE) if broken else sound
    loose = consistency.loose_references(db)
    sound = Finding("references", Verdict.OK, "every row has what it refers to")
    yield _faulty("references", "rows that refer to nothing", loose, RESTORE) if loose else sound


def _states(db: Connection) -> Iterator[Finding]:
    whole = True
    for rule in _RULES:
        if names := rule.broken_by(db):
            whole = False
            yield _faulty("states", rule.what, names, rule.fix, rule.verdict)
    if whole:
        runs, sweeps = consistency.counted(db)
        yield Finding("states", Verdict.OK, f"of {runs} runs and {sweeps} sweeps agree")


def _files(
    db: Connection, files: FileStore, *, deep: bool, progress: Callable[[int, int], None] | None
) -> Iterator[Finding]:
    """Compare the rows of files with what lies there, and what lies there with the rows."""
    rows = run_files.of_all_runs(db)
    wrong: list[str] = []
    known: set[Path] = set()
    for done, noted in enumerate(rows, 1):
        place = files.locate(noted.entity, noted.project, noted.run, noted.path)
        known.add(place)
        if fault := _fault(db, place, noted, deep=deep):
            wrong.append(f"{noted.entity}/{noted.project}/{noted.run}/{noted.path} {fault}")
        if progress:
            progress(done, len(rows))
    what = "with its size and MD5" if deep else "with its size (--deep compares contents too)"
    fix = "upload them again (`wandb sync` the run's folder), or restore a backup: sweeper server restore BACKUP"
    sound = Finding("files", Verdict.OK, f"each of {len(rows)} is there, {what}")
    yield _faulty("files", "files that are not as they were uploaded", wrong, fix) if wrong else sound
    orphans = [str(place.relative_to(files.root.resolve())) for place in _lying(files.root.resolve()) - known]
    fix = "they do no harm: left by an upload that was never acknowledged, or by a run deleted; delete them if you like"
    if orphans:
        yield _faulty("orphans", "files that no run has", orphans, fix, Verdict.WARN)


def _fault(db: Connection, place: Path, noted: NotedFile, *, deep: bool) -> str:
    """Say what is wrong with a file; a running server may replace it between one look and the next."""
    fault = ""
    for _ in range(3):  # an upload may come between the row and the file; three in a row are damage
        row = run_files.look_up(db, noted.run_id, noted.path)
        if row is None:
            return ""
        fault = _difference(place, row.size, row.md5, deep=deep)
        if not fault:
            return ""
    return "" if run_files.is_arriving(db, noted.run_id, noted.path) else fault


def _difference(place: Path, size: int, md5: str, *, deep: bool) -> str:
    try:
        found = place.stat().st_size
        if found != size:
            return f"has {found} bytes instead of {size}"
        return "has another content (MD5)" if deep and run_files.md5_of(place) != md5 else ""
    except OSError as error:
        return "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"


def _artifacts(
    db: Connection, blobs: BlobStore, *, deep: bool, progress: Callable[[int, int], None] | None
) -> Iterator[Finding]:
    """Compare what committed artifacts hold with what lies there, and the other way round."""
    lying = _lying(blobs.root.resolve())  # first: what is announced from now on is no orphan
    held = artifact_files.committed(db)
    seen: dict[tuple[int, str], str] = {}
    wrong: list[str] = []
    for done, content in enumerate(held, 1):
        key = content.project_id, content.md5
        if key not in seen:  # versions share most contents: each is read once
            seen[key] = _blob_fault(db, blobs, content, deep=deep)
        if seen[key]:
            wrong.append(f"{content.name} {seen[key]}")
        if progress:
            progress(done, len(held))
    what = "with its size and MD5" if deep else "with its size (--deep compares contents too)"
    count = len({content.artifact_id for content in held})
    fix = "log them again (the same contents fill the gap), or restore a backup: sweeper server restore BACKUP"
    sound = Finding("artifacts", Verdict.OK, f"all that {count} hold is there, {what}")
    yield _faulty("artifacts", "contents that are not as they were uploaded", wrong, fix) if wrong else sound
    known = {blobs.place(*key).resolve() for key in artifact_files.all_contents(db)}
    orphans = [str(place.relative_to(blobs.root.resolve())) for place in lying - known if place.exists()]
    fix = "they do no harm: a server that starts deletes those that are older than a week"
    if orphans:
        yield _faulty("artifact orphans", "contents that no artifact has", orphans, fix, Verdict.WARN)


def _blob_fault(db: Connection, blobs: BlobStore, content: Content, *, deep: bool) -> str:
    """Say what is wrong with a content, unless its artifacts were deleted meanwhile.

    A size is what a client said of a file, its name is what was seen of it: the MD5 has the last word.
    """
    place, md5 = blobs.place(content.project_id, content.md5), base64_of(content.md5)
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
