"""The data of every release, which this version opens; with its commands: tests/e2e/test_releases.py."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import tarfile

import pytest

import sweeper
from sweeper.journal.attempt import AttemptOutcome
from sweeper.journal.directories import SweepDir
from sweeper.server.admin import integrity
from sweeper.server.store import consistency
from sweeper.server.store.database import reading
from sweeper.server.store.schema import applied_migrations, known_migrations
from tests.conftest import ROOT
from tests.make_release import FAKE_KEY, FOLDER, HOME, TRAINER, place, unpack
from tests.unit.server.conftest import run_server

RELEASES = sorted(path.name.removesuffix(".tar.xz") for path in FOLDER.glob("*.tar.xz"))
ALWAYS_EMPTY = {"sqlite_stat4"}


def test_this_version_has_left_its_data():
    """`python -m tests.make_release` makes them: CONTRIBUTING.md, "A release"."""
    assert place(sweeper.__version__).is_file()
    told = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(told) <= set(RELEASES)


@pytest.mark.parametrize("release", RELEASES)
def test_nothing_in_it_is_of_a_machine_or_a_secret(release, tmp_path):
    """No path but /fixture, and no key but the fakes; it is small."""
    assert place(release).stat().st_size < 100_000
    with tarfile.open(place(release)) as tar:
        assert all((entry.isfile(), entry.uid, entry.mtime) == (True, 0, 0) for entry in tar)
    unpack(release, tmp_path)
    for path in [path for path in tmp_path.rglob("*") if path.is_file()]:
        content = path.read_bytes().replace(str(tmp_path).encode(), HOME.encode())
        # an absolute path begins behind something that is no part of another one
        found = set(re.findall(rb"(?<![\w./:<>-])/(?:home|root|tmp|work|usr|opt|var|Users)/[\w./-]+", content))
        assert not found, path
        keys = set(re.findall(rb"\b[\w-]+-[0-9a-f]{40}\b", content))
        assert keys <= {FAKE_KEY.encode()}, path


@pytest.mark.parametrize("release", RELEASES)
def test_every_table_of_its_database_has_rows(release, tmp_path):
    """So a migration that loses some is noticed below."""
    unpack(release, tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / "server" / "sweeper.db")) as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        counts = {table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}  # noqa: S608
    assert {table for table, count in counts.items() if not count} <= ALWAYS_EMPTY


@pytest.mark.parametrize("release", RELEASES)
def test_this_version_opens_its_database_and_loses_nothing(release, tmp_path):
    """Every row, file and artifact is there; what was between two moments is settled, and the check finds no fault."""
    unpack(release, tmp_path)
    data = tmp_path / "server"
    with contextlib.closing(sqlite3.connect(data / "sweeper.db")) as db:
        before = _counts(db)
    for client in run_server(data):
        assert client.http.headers["Authorization"]
        assert client.http.get("/files/local/p/by-hand/folder/a%20b.txt").content == b"uploaded"
        assert client.run("by-hand", "historyLineCount") == {"historyLineCount": 0}
        query = '{ project(name: "p") { sweeps { edges { node { name state bestLoss runCount } } } } }'
        (attached, bayes) = [edge["node"] for edge in client.graphql(query)["project"]["sweeps"]["edges"]]
        assert (bayes["runCount"], bayes["bestLoss"]) == (4, 0.25)
        assert attached["runCount"] == 0
    with reading(data / "sweeper.db") as db:
        assert applied_migrations(db) == known_migrations().keys()
        assert consistency.loose_references(db) == []
        after = _counts(db)
    # an upload under way is forgotten, early runs are taken back, and suggestions may be computed anew
    passing = {"arriving_files", "early_runs", "suggestions", "sessions", "login_links", "migrations", "writer_lines"}
    assert {table: after[table] for table in before if table not in passing} == {
        table: count for table, count in before.items() if table not in passing
    }
    assert {finding.verdict for finding in integrity.examine(data, deep=True)} == {"ok"}


def _counts(db):
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {
        table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
        for table in tables
        if not table.startswith("sqlite_")
    }


@pytest.mark.parametrize("release", RELEASES)
def test_this_version_reads_its_launches(release, tmp_path):
    """What became of each run, in whose log, and how many tickets were taken."""
    unpack(release, tmp_path)
    (directory,) = SweepDir.known(tmp_path)
    (launch,) = directory.launches()
    assert launch.launcher() is None
    assert len(launch.slots()) == 2
    assert sum(len(launch.tickets_of(slot)) for slot in launch.slots()) == 3
    attempts = launch.attempts()
    outcomes = sorted(attempt.outcome for attempt in attempts.values())
    assert outcomes == sorted([AttemptOutcome.FINISHED, AttemptOutcome.FINISHED, AttemptOutcome.FAILED])
    (failed,) = [attempt for attempt in attempts.values() if attempt.outcome is AttemptOutcome.FAILED]
    assert directory.checkpoints_of(failed.run_id).joinpath("state.json").read_text() == '{"step": 2}'
    assert all((tmp_path / attempt.log).is_file() for attempt in attempts.values())


def test_the_trainer_of_the_data_is_one_that_can_be_run():
    """The e2e test goes on with it."""
    compile(TRAINER, "releases.py", "exec")
