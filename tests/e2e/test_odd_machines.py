"""Machines as they are: deleted homes, full disks, foreign directories, terminals that know only ASCII."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import command_of

pytestmark = [pytest.mark.e2e, pytest.mark.failures, pytest.mark.timeout(300)]

TRAIN = """
import time, wandb

def train():
    with wandb.init() as run:
        run.log({"loss": run.config.lr})
        time.sleep(60)
"""
SWEEP = """
    program: mine:train
    method: grid
    metric: {name: loss}
    parameters: {lr: {values: [1, 2]}}
"""
READING = (
    "status",
    "best",
    "export",
    "logs x",
    "pause",
    "retry",
    "launch --workers 1",
    "sync --dry-run",
    "server users",
)


@pytest.fixture
def sweep(user) -> Path:
    """A sweep file beside its trainer."""
    user.write("mine.py", TRAIN)
    return user.write("sweep.yaml", SWEEP)


def nothing_is_blamed_on_us(done: subprocess.CompletedProcess[str]) -> str:
    assert "fault of sweeper" not in done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def deleted(folder: Path) -> None:
    """Delete a directory as `rm -rf` typed again does: whoever still writes there may have made a file meanwhile."""
    while folder.exists():
        shutil.rmtree(folder, ignore_errors=True)


def test_an_empty_home_stays_empty_and_a_deleted_one_takes_all_with_it(user, sweep):
    """Who reads starts nothing; a launch whose home is deleted ends with all its processes; then one begins anew."""
    user.home.rmdir()
    for command in READING:
        nothing_is_blamed_on_us(user.run(*command.split(), code=1))
    assert not user.home.exists()
    user.run("create", sweep)
    launch = user.start("launch", "--workers", "1", PYTHONIOENCODING="ascii")
    user.wait(lambda: user.processes("sweeper.worker"), "the worker")
    user.wait(lambda: list(user.home.glob("sweeps/**/runs/*-0001.log")), "the run")
    deleted(user.home)
    _, stderr = launch.communicate(timeout=60)
    assert launch.returncode == 1
    assert "was deleted or moved away: the launch ends, and its runs with it" in stderr
    user.wait(lambda: not [found for found in map(command_of, user.processes()) if found], "the end of all processes")
    assert "no sweep was created yet in" in user.run("status", code=1).stderr
    made = user.run("create", sweep, "--project", "größe \N{BLACK STAR}", PYTHONIOENCODING="ascii")
    assert "local/gr\\xf6\\xdfe *" in made.stdout
    (user.home / "server" / "sweeper.db").unlink()
    assert "sweeper.db is gone, and with it sweep local/" in user.run("status", code=1).stderr
    again = user.run("create", sweep)
    assert "sweeper.db is gone" in again.stderr
    assert ": starting anew" in again.stderr
    assert len(user.processes("sweeper serve")) == 1
    assert user.status()["state"] == "pending"


FULL = 'mkdir -p "$0" && mount -t tmpfs -o size=3m,mode=700 none "$0" && exec "$@"'


def test_a_disk_with_3_mb_left_and_a_home_of_somebody_else_are_told(user, sweep):
    """Before anything waits for space that nobody has; whose a directory is, and who asks."""
    namespace = [shutil.which("unshare") or "unshare", "-rm"]
    if subprocess.run([*namespace, "true"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody make a mount namespace (unshare -rm)")
    command = [*namespace, "/bin/sh", "-c", FULL, user.home, sys.executable, "-m", "sweeper", "create", sweep]
    full = subprocess.run(command, env=user.environ, cwd=user.folder, capture_output=True, text=True, timeout=120)
    assert full.returncode == 1
    assert "MiB left, and the server needs" in nothing_is_blamed_on_us(full)
    (user.folder / "file").touch()
    for home, said in [
        (user.folder / "file", "Not a directory"),
        (Path("/proc/1/nowhere"), "cannot use /proc/1/nowhere"),
        (user.folder / ("x" * 300), "File name too long"),
    ]:
        assert said in nothing_is_blamed_on_us(user.run("create", sweep, code=1, SWEEPER_HOME=str(home)))
        nothing_is_blamed_on_us(user.run("status", code=1, SWEEPER_HOME=str(home)))
