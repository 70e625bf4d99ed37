"""Make the data of this release, which later ones must open: `python -m tests.make_release`.

A state directory with a real launch in it, one of whose runs failed halfway and has left a checkpoint, and a database
with rows in every table. What names this machine is written as /fixture, and all keys in it are fakes.
"""

from __future__ import annotations

import base64
import contextlib
import getpass
import hashlib
import io
import json
import os
import socket
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sweeper
from sweeper.backend import embedded_server
from sweeper.server.store import users
from tests.conftest import ROOT, clean_environ
from tests.e2e.conftest import Wire
from tests.unit.server.artifact_logger import Logger

FOLDER = ROOT / "tests" / "data" / "releases"
HOME, FAKE_KEY = "/fixture/home", "local-fixture-" + "0" * 40
TRAINER = """
import json
import os
from pathlib import Path

import wandb


def main():
    file = Path(os.environ["SWEEPER_CHECKPOINT_DIR"]) / "state.json"
    done = json.loads(file.read_text())["step"] if file.exists() else 0
    with wandb.init(resume="allow" if done else None) as run:
        for step in range(done, 4):
            if step == 2 and run.config.lr == 0.3 and "GO_ON" not in os.environ:
                raise RuntimeError("halfway")
            run.log({"loss": run.config.lr / (step + 1)})
            file.write_text(json.dumps({"step": step + 1}))
"""
SWEEP = """
program: releases:main
project: released
method: grid
metric: {name: loss, goal: minimize}
parameters: {lr: {values: [0.1, 0.2, 0.3]}}
"""
BAYES = {
    "method": "bayes",
    "metric": {"name": "loss", "goal": "minimize", "target": 0.001},
    "parameters": {"lr": {"min": 0.0, "max": 1.0}},
    "early_terminate": {"type": "hyperband", "min_iter": 1},
}


def place(release: str) -> Path:
    """Say where the data of a release lie."""
    return FOLDER / f"{release}.tar.xz"


def unpack(release: str, home: Path) -> None:
    """Put the data of a release into a state directory, as if it had always been there."""
    with tarfile.open(place(release)) as tar:
        tar.extractall(home, filter="data")
    for path in sorted(home.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
        if path.is_file() and path.is_relative_to(home / "sweeps"):
            path.write_bytes(path.read_bytes().replace(HOME.encode(), str(home).encode()))


def make(folder: Path) -> None:
    """Fill a folder's state directory `home`."""
    home, data = folder / "home", folder / "home" / "server"
    data.mkdir(mode=0o700, parents=True)
    (data / "api-key").write_text(FAKE_KEY)
    (folder / "releases.py").write_text(TRAINER)
    (folder / "sweep.yaml").write_text(SWEEP)
    run = [sys.executable, "-m", "sweeper"]
    env = clean_environ(home) | {"WANDB_CONSOLE": "off", "WANDB__DISABLE_META": "true", "WANDB__DISABLE_STATS": "true"}

    def command(*words: str, code: int = 0) -> None:
        done = subprocess.run([*run, *words], cwd=folder, env=env, timeout=300, capture_output=True, text=True)
        assert done.returncode == code, done

    command("create", "sweep.yaml")
    command("launch", "--retries", "0", code=1)
    record = embedded_server.find(home)
    assert record is not None
    _fill(Wire(record.url, FAKE_KEY))
    users.add_user(data, "ann", "ann-fixture-" + "0" * 40)
    command("server", "url")
    command("server", "stop")
    with contextlib.closing(sqlite3.connect(data / "sweeper.db")) as db:
        _fill_by_hand(db)
        db.commit()
    for name in ("server.json", "server.log", "serve.lock", "start.lock", "last-port"):
        (data / name).unlink(missing_ok=True)


class _Http:
    """The client that `Logger` talks with, over a real server."""

    def __init__(self, wire: Wire) -> None:
        self.wire, self.http = wire, self

    def graphql(self, query: str, *, status: int = 200, **variables: Any) -> Any:
        """Send a query that is to succeed."""
        assert status == 200
        return self.wire.graphql(query, **variables)

    def put(self, url: str, content: bytes, headers: Any = None) -> Any:
        """Upload."""
        del headers
        self.wire.send("PUT", url, content)
        return type("Answer", (), {"status_code": 200})


def _fill(wire: Wire) -> None:
    """Do what users of the SDK do, by the protocol: each thing once."""
    sweep = wire.sweep(json.dumps(BAYES))
    for number in range(4):
        run = wire.beat(wire.agent(sweep))["run_id"]
        wire.init(run, sweep)
        loss = float("nan") if number == 3 else 1.0 / (number + 2)
        wire.log(run, 0, {"_step": 0, "loss": loss}, {"_step": 1, "loss": loss, "text": "ä"})
        wire.stream(run, complete=True, exitcode=0)
    filters = json.dumps({"$or": [{"name": run}]})
    query = """mutation($c: String, $f: JSONString) { upsertSweep(input: {config: $c, projectName: "p",
        priorRunsFilters: $f}) { sweep { name } } }"""
    wire.graphql(query, c=json.dumps(BAYES), f=filters)
    wire.init("by-hand")
    wire.upload("by-hand", "folder/a b.txt", b"uploaded")
    wire.init("deleted")
    id_ = wire.run("deleted", "id")["id"]
    wire.graphql("mutation($i: JSON!) { deleteRun(input: $i) { clientMutationId } }", i={"id": id_})
    logger = Logger(_Http(wire), name="model")
    artifact = logger.log(runName="by-hand", clientID="client")
    link = {"artifactID": artifact, "artifactPortfolioName": "good", "entityName": "local", "projectName": "p"}
    wire.graphql("mutation($i: LinkArtifactInput!) { linkArtifact(input: $i) { versionIndex } }", i=link)
    chart = 'displayName: "c", type: "t", access: "a", spec: "{}"'
    wire.graphql(
        f'mutation {{ createCustomChart(input: {{entity: "local", name: "c", {chart}}}) {{ chart {{ id }} }} }}'
    )
    alert = 'entityName: "local", projectName: "p", runName: "by-hand", title: "t", text: "x", severity: INFO'
    wire.graphql(f"mutation {{ notifyScriptableRunAlert(input: {{{alert}}}) {{ success }} }}")
    wire.graphql('mutation { upsertModel(input: {name: "secret", access: "RESTRICTED"}) { inserted } }')
    time.sleep(2.0)  # until the next suggestions are there


def _fill_by_hand(db: sqlite3.Connection) -> None:
    """Put a row into tables that are empty between two moments, as they look in the middle of one."""
    run = db.execute("SELECT id FROM runs WHERE name = 'by-hand'").fetchone()[0]
    (sweep,) = db.execute("SELECT max(id) FROM sweeps").fetchone()
    rows = {
        "arriving_files": (run, "torn.txt", 3, "x"),
        "early_runs": (run, 1.0),
        "writer_lines": (run, "history", "w", 0, 0),
        "sessions": (b"0" * 32, 1, 1.0),
        "login_links": (b"0" * 32, 1, 1.0),
        "actions": (1, sweep, None, "ann", "pause", "because", 1.0),
        "suggestions": (sweep, 99, '{"lr": 0.5}', b"k", "by hand", 1, 0),
    }
    for table, values in rows.items():
        if not db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]:  # noqa: S608
            db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)  # noqa: S608


def _names(folder: Path) -> dict[str, str]:
    """Say what names this machine, and what is written instead."""
    names = {
        str(folder / "home"): HOME,
        str(folder): "/fixture",
        sys.prefix: "/fixture/venv",
        str(ROOT): "/fixture/code",
    }
    return names | {sys.base_prefix: "/fixture/python", socket.gethostname(): "fixture-host"}


def _without_names(home: Path, names: dict[str, str]) -> None:
    """Take out what names this machine: of the files, and of the database, which knows the digests of files."""
    for path in [path for path in home.rglob("*") if path.is_file() and path.suffix != ".db"]:
        content = path.read_bytes()
        for name, instead in names.items():
            content = content.replace(name.encode(), instead.encode())
        path.write_bytes(content)
    with contextlib.closing(sqlite3.connect(home / "server" / "sweeper.db", isolation_level=None)) as db:
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for _, column, kind, *_ in db.execute(f"PRAGMA table_info({table})").fetchall():
                for name, instead in names.items() if kind == "TEXT" and table != "migrations" else ():
                    db.execute(f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (name, instead))  # noqa: S608
        query = """SELECT f.rowid, p.entity, p.name, r.name, f.path FROM files f JOIN runs r ON r.id = f.run_id
            JOIN projects p ON p.id = r.project_id"""
        for row, *parts in db.execute(query).fetchall():
            content = (home / "server" / "files").joinpath(*parts).read_bytes()
            md5 = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
            db.execute("UPDATE files SET size = ?, md5 = ? WHERE rowid = ?", (len(content), md5, row))
        db.execute("UPDATE secrets SET value = zeroblob(length(value))")
        db.execute("PRAGMA journal_mode = DELETE")
        db.execute("VACUUM")


def _kept(home: Path) -> Iterator[Path]:
    """List what is kept: all but the SDK's own folders, whose format is not ours."""
    for path in sorted(home.rglob("*")):
        parts = path.relative_to(home).parts
        if path.is_file() and parts[0] in {"server", "sweeps", "last-sweep.json"} and "wandb" not in parts:
            yield path


def main() -> None:
    """Make it, look that nothing in it names this machine, and pack it."""
    with tempfile.TemporaryDirectory(prefix="release-") as made:
        folder = Path(made).resolve()
        make(folder)
        names = _names(folder)
        _without_names(folder / "home", names)
        target = place(sweeper.__version__)
        with tarfile.open(target, "w:xz", preset=9) as tar:
            for path in _kept(folder / "home"):
                content = path.read_bytes()
                left = [name for name in [*names, "/home/" + getpass.getuser()] if name.encode() in content]
                assert not left, (path, left)
                entry = tarfile.TarInfo(path.relative_to(folder / "home").as_posix())
                entry.size, entry.mode = len(content), 0o600
                tar.addfile(entry, io.BytesIO(content))
        sys.stdout.write(f"{target.relative_to(ROOT)}: {target.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    os.umask(0o077)
    main()
