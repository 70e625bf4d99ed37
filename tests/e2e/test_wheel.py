"""What a stranger gets: the wheel in a fresh environment, far from the clone, with a trainer that knows no PyTorch.

`make test-wheel` builds dist/ first. uv builds the wheel from the sdist, so what is in the one was in the other.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import sweeper
from sweeper.server.pages import vendor

pytestmark = [pytest.mark.wheel, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
EXTRA = {"torch", "torchvision", "onnx", "onnxscript", "onnxruntime"}
TOY = """
import pathlib, wandb

def train():
    with wandb.init() as run:
        for step in range(3):
            run.log({"score": step - (run.config.x - 0.3) ** 2})
        path = pathlib.Path(run.dir, "model.onnx")
        path.write_bytes(b"weights")
        run.save(path, base_path=path.parent, policy="now")
"""
SWEEP = """
method: bayes
project: toys
metric: {name: score, goal: maximize}
parameters:
  x: {min: 0.0, max: 1.0}
"""


def built(pattern: str) -> Path:
    """Find the one file of dist/ that matches."""
    found = [*(ROOT / "dist").glob(pattern)]
    assert len(found) == 1, f"dist/ has {len(found)} {pattern}: run `make test-wheel`"
    return found[0]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A fresh environment with the wheel in it; seconds, for uv has the packages since `make install`."""
    home = tmp_path_factory.mktemp("stranger") / "venv"
    constraints = ["--constraint", str(ROOT / "constraints.txt")]
    for command in (
        ["venv", "--python", sys.executable, home],
        ["pip", "install", "--compile-bytecode", "--python", home / "bin" / "python", *constraints, built("*.whl")],
    ):
        subprocess.run([sys.executable, "-m", "uv", "--quiet", *command], check=True)
    return home


@pytest.fixture
def stranger(user, environment):
    """Somebody with that environment and no clone, in a folder with a trainer and a sweep file."""
    del user.environ["PYTHONPATH"]
    user.environ["PATH"] = f"{environment / 'bin'}:{user.environ['PATH']}"
    user.sweeper = (str(environment / "bin" / "sweeper"),)
    user.write("toy.py", TOY)
    user.write("sweep.yaml", SWEEP)
    return user


def test_wheel_and_sdist_hold_every_file_of_both_packages():
    """Code, GraphQL, SQL, pages, digits and py.typed, the libraries that pages load, and nothing else."""
    git = ["git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "sweeper", "trainer"]
    listed = subprocess.run(git, check=True, capture_output=True, text=True).stdout.splitlines()
    cloned = {name for name in listed if (ROOT / name).is_file()}
    assert {Path(name).suffix for name in cloned} >= {".graphql", ".sql", ".html", ".typed", ".gz"}
    wheel = {name for name in zipfile.ZipFile(built("*.whl")).namelist() if ".dist-info/" not in name}
    libraries = {file.relative_to(ROOT).as_posix() for file in vendor.FOLDER.glob("*")}
    assert {Path(name).name for name in libraries} >= {"echarts.min.js", "echarts.LICENSE.txt", "uPlot.iife.min.js"}
    assert wheel == cloned | libraries
    with tarfile.open(built("*.tar.gz")) as sdist:
        assert {name.partition("/")[2] for name in sdist.getnames()} >= {
            *cloned,
            *libraries,
            "LICENSE",
            "README.md",
            "build_backend.py",
        }


def test_the_wheel_has_the_packages_version_and_leaves_pytorch_alone():
    """The version stands in the package alone, and what only the shipped trainer imports comes with its extra."""
    with zipfile.ZipFile(built("*.whl")) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(wheel.read(name).decode())
    assert metadata["Version"] == sweeper.__version__
    needs = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    assert not EXTRA & {need.name for need in needs if need.marker is None}
    assert {need.name for need in needs if need.marker and need.marker.evaluate({"extra": "trainer"})} >= EXTRA


IMPORT_ALL = """
import importlib, pkgutil, sys, sweeper
for module in pkgutil.walk_packages(sweeper.__path__, "sweeper."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print({"torch", "onnx", "onnxruntime"} & {*sys.modules})
"""


def test_no_module_imports_what_the_wheel_does_not_bring(stranger, environment):
    """What a command or the server imports is a dependency, or waits until it is used."""
    python = environment / "bin" / "python"
    done = subprocess.run([python, "-c", IMPORT_ALL], cwd=stranger.folder, env=stranger.environ, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == b"set()\n"


def test_a_stranger_runs_a_sweep(stranger):
    """check, create, launch, status and best work without PyTorch, ONNX and the clone, by Bayesian search too."""
    assert stranger.run("--version").stdout == f"sweeper {sweeper.__version__}\n"
    stranger.run("check", "sweep.yaml")
    stranger.run("create", "sweep.yaml")
    launched = stranger.run("launch", "--workers", "1", "--count", "3", "--trainer", "toy:train")
    assert "3 finished" in launched.stdout
    status = stranger.status()
    assert [run["state"] for run in status["runs"]] == ["finished"] * 3
    shown = stranger.run("best", "--download", "model").stdout
    assert "not checked: " in shown
    assert "pip install onnx onnxruntime" in shown
    assert (stranger.folder / "model" / "model.onnx").read_bytes() == b"weights"
    stranger.run("server", "stop")
    assert stranger.processes() == []


def test_the_shipped_trainer_without_its_extra_is_refused_before_any_run(stranger):
    """A launch says at once which command brings it, in the background as well; `doctor` finds no fault in that."""
    stranger.run("create", "sweep.yaml")
    for more in ([], ["--detach"]):
        refused = stranger.run("launch", "--workers", "1", *more, code=1)
        assert "pip install 'sweeper[trainer]'" in refused.stderr
        assert "Traceback" not in refused.stderr
    assert stranger.status()["runs"] == []
    findings = {one["check"]: one for one in json.loads(stranger.run("doctor", "--json").stdout)}
    assert (findings["torch"]["verdict"], findings["torch"]["found"]) == ("warn", "not installed")
    stranger.run("server", "stop")
