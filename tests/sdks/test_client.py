"""Our own commands where the trainer's environment pins an older SDK: sweeper installed beside it, or apart from it."""

from __future__ import annotations

import csv
import io
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import filelock
import psutil
import pytest

from tests.conftest import User
from tests.sdks.releases import FOLDER, OURS, environment, wanted

pytestmark = [pytest.mark.sdks, pytest.mark.timeout(400)]
PINNED = ("0.18.7", "0.19.11", "0.22.3", "0.25.1", "0.28.2")
"""The oldest release beside which sweeper can be installed, and some since; the newest is that of all other tests."""


def beside(release: str) -> Path:
    """Give a Python that has a release of the SDK with what it needs itself, and all else from our own environment."""
    folder = FOLDER / f"client-{release}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(FOLDER / f"client-{release}.lock"):
        if not (folder / ".installed").exists():
            uv = [sys.executable, "-m", "uv"]
            python = str(folder / "bin" / "python")
            for command in (
                [*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)],
                [*uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, f"wandb=={release}"],
            ):
                if subprocess.run(command).returncode != 0:
                    pytest.skip(f"no environment with wandb {release}: the package index does not give it")
            (site,) = folder.glob("lib/python*/site-packages")
            (site / "ours.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
            (folder / ".installed").touch()
    return folder / "bin" / "python"


@pytest.fixture(params=[release for release in wanted() if release in PINNED])
def pinned(request: pytest.FixtureRequest, user: User) -> User:
    """A user who has sweeper in an environment with a release of the SDK."""
    python = beside(request.param)
    user.sweeper = (str(python), "-m", "sweeper")
    found = subprocess.check_output([str(python), "-c", "import wandb; print(wandb.__version__)"], text=True)
    assert found.strip() == request.param
    return user


TOY = """
import os, time, wandb

def train():
    with wandb.init() as run:
        for step in range(run.config.get("steps", 4)):
            run.log({"loss": (run.config.n + 1) / (step + 1)})
            time.sleep(run.config.get("pause", 0.0))

if __name__ == "__main__":
    print("SDK", wandb.__version__)
    train()
"""
SWEEP = """
method: grid
program: {program}
metric: {{name: loss, goal: minimize}}
parameters: {{n: {{values: {values}}}, steps: {{value: {steps}}}, pause: {{value: {pause}}}}}
"""


def create(
    user: User, program: str, values: list[int], *options: object, steps: int = 4, pause: float = 0.0, more=""
) -> Any:
    """Write the toy and a sweep of it, and create that."""
    user.write("toy.py", TOY)
    text = SWEEP.format(program=program, values=values, steps=steps, pause=pause) + more
    return user.told("create", user.write("sweep.yaml", text), *options)


def states(user: User) -> list[str]:
    return sorted(run["state"] for run in user.status()["runs"])


@pytest.mark.parametrize(("program", "options"), [("toy:train", []), ("toy:train", ["--no-isolation"]), ("toy.py", [])])
def test_a_sweep_runs_and_is_read(pinned: User, program: str, options: list[str]) -> None:
    """On two workers; then the status, the runs, the best, an export and the report tell of it."""
    create(pinned, program, [0, 1, 2])
    done = pinned.told("launch", "--workers", "2", *options)
    assert [run["state"] for run in done["status"]["runs"]] == ["finished"] * 3
    runs = pinned.told("runs", "--sort", "best")
    assert [run["params"]["n"] for run in runs["runs"]] == [0, 1, 2]
    assert pinned.told("best")["value"] == 0.25
    rows = list(csv.DictReader(io.StringIO(pinned.run("export", "--format", "csv").stdout)))
    assert {row["state"] for row in rows} == {"finished"}
    steps = csv.DictReader(io.StringIO(pinned.run("export", "--history", "--format", "csv").stdout))
    assert [float(row["loss"]) for row in steps if row["run"] == runs["runs"][0]["id"]] == [1, 1 / 2, 1 / 3, 1 / 4]
    assert "finished" in pinned.run("show", runs["runs"][0]["id"]).stdout


def test_a_bad_run_is_stopped_early(pinned: User) -> None:
    """What it logs arrives within a second, and the stop reaches a trainer in its main thread."""
    stopping = "early_terminate: {type: hyperband, min_iter: 3, eta: 2}\n"
    create(pinned, "toy:train", [0, 90, 91, 92], steps=60, pause=0.1, more=stopping)
    pinned.run("launch", "--workers", "1")
    runs = pinned.status()["runs"]
    stopped = [run for run in runs if run["stop"]]  # the third to start is the first that may be
    assert stopped
    assert {run["stop"]["rule"] for run in stopped} == {"hyperband"}
    assert all(run["iterations"] < 60 for run in stopped)
    assert {run["state"] for run in runs if not run["stop"]} == {"finished"}


@pytest.mark.parametrize("program", ["toy:train", "toy.py"])
def test_whatever_is_killed_the_sweep_goes_on(pinned: User, program: str) -> None:
    """A run's process by -9, then a function's wandb-cores; after Ctrl-C the next launch goes on with it."""
    create(pinned, program, [0, 1], steps=60, pause=0.2)
    launch = pinned.start("launch", "--workers", "1")
    begun = lambda: [run for run in pinned.status()["runs"] if run["state"] == "running" and run["last"]]  # noqa: E731
    pinned.wait(begun, "a run that logs", timeout_s=120)
    pinned.run_process().kill()
    pinned.wait(
        lambda: [run for run in pinned.status()["runs"] if run["attempts"] > 1], "another attempt", timeout_s=120
    )
    pinned.wait(begun, "that attempt", timeout_s=120)
    if program == "toy:train":  # a script's own SDK may wait for a dead one for ever: 0.22 does
        cores = [one for one in pinned.processes() if one.name().startswith("wandb-core") and one.ppid() != launch.pid]
        assert cores
        for core in cores:
            core.kill()
        pinned.wait(
            lambda: [run for run in pinned.status()["runs"] if run["attempts"] > 2], "a third attempt", timeout_s=120
        )
        pinned.wait(begun, "that attempt", timeout_s=120)
    launch.send_signal(signal.SIGINT)
    launch.communicate(timeout=120)
    assert launch.returncode == 130
    (run,) = pinned.status()["runs"]
    assert run["state"] in {"preempted", "preempting"}
    pinned.run("launch", "--workers", "1")
    assert states(pinned) == ["finished", "finished"]
    assert run["id"] in [one["id"] for one in pinned.status()["runs"]]


def test_a_run_and_then_the_sweep_is_stopped(pinned: User) -> None:
    """From outside: `stop --run`, and `stop`; no wandb-core outlives the launch."""
    create(pinned, "toy:train", [0, 1, 2], steps=600, pause=0.1)
    launch = pinned.start("launch", "--workers", "1")
    (run,) = pinned.wait(
        lambda: [one for one in pinned.status()["runs"] if one["last"]], "a run that logs", timeout_s=120
    )
    pinned.run("stop", "--run", run["id"])
    pinned.wait(lambda: "killed" in states(pinned), "its end", timeout_s=120)
    pinned.run("stop")
    core = pinned.wait(lambda: [one for one in pinned.processes() if one.name().startswith("wandb-")], "a wandb-core")
    launch.send_signal(signal.SIGINT)
    launch.communicate(timeout=120)
    assert all(has_ended(one) for one in core)


def has_ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.fixture(params=wanted())
def apart(request: pytest.FixtureRequest) -> tuple[str, Path]:
    """A release of the SDK in an environment without sweeper, and its Python."""
    return request.param, environment(request.param) / "bin" / "python"


def test_a_script_runs_in_an_environment_of_its_own(user: User, apart: tuple[str, Path]) -> None:
    """`--python`: all that sweeper tells a script reaches an SDK of any age; in the background, too."""
    release, python = apart
    create(user, "toy.py", [0, 1], "--python", python)
    started = user.told("launch", "--workers", "1", "--detach", "--python", python)
    user.wait(lambda: states(user) == ["finished", "finished"], "its runs", timeout_s=200)
    runs = user.status()["runs"]
    assert [run["best"] for run in sorted(runs, key=lambda run: run["params"]["n"])] == [0.25, 0.5]
    assert f"SDK {release}" in user.run("logs", runs[0]["id"]).stdout
    user.wait(user.only_the_server_is_left, "the end of the launch")
    refused = user.error("launch", "--trainer", "toy:train", "--python", python)
    if release != OURS:  # which is sweeper's own Python here, and may call functions
        assert str(python) in Path(started["log"]).read_text()
        assert "is a function" in refused["message"]
