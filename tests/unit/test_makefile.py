"""The set-up road: what `make install` does in a folder as it finds it.

A stand-in for Python logs what it is asked and makes virtual environments of itself, so nothing is installed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DECIDES = ("pyproject.toml", "constraints.txt", "sweeper/__init__.py", "sweeper/server/pages/vendor.py")
"""What a change of sets the environment up anew: what it holds, which version the package is, what pages load."""
_STAND_IN = """#!/bin/sh
case "$*" in
    *version_info*) exit {too_old} ;;
    *ensurepip*) exit {no_venv} ;;
    --version) echo "Python 3.10.13" ;;
    *python_version*) echo "3.13.0" ;;
    "-m venv --clear "*)
        echo "venv" >> log; rm -rf "$4"; mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; cp "$0" "$4/bin/uv" ;;
    "-m pytest"*) echo "test" >> log; exit {fault} ;;
    "-m pip install"*) exit {no_network} ;;
    "pip install"*) echo "install" >> log ;;
    "-m sweeper.server.pages.vendor") echo "fetch" >> log; exit {no_libraries} ;;
esac
"""


class Clone:
    """A folder with the project's Makefile and a stand-in for Python."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        for name in ("Makefile", *DECIDES):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        self.python()

    def python(
        self, *, too_old: int = 0, no_venv: int = 0, no_network: int = 0, no_libraries: int = 0, fault: int = 0
    ) -> None:
        """Put the stand-in in place, with the faults it shall have."""
        path = self.folder / "python3"
        faults = {"too_old": too_old, "no_venv": no_venv, "no_network": no_network, "no_libraries": no_libraries}
        path.write_text(_STAND_IN.format(**faults, fault=fault))
        path.chmod(0o755)

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run make here, in an environment without the flags of a make around the tests."""
        make = shutil.which("make")
        assert make is not None, "the project is set up by make"
        env = {"PATH": f"{self.folder}:{os.defpath}"}
        return subprocess.run([make, *arguments], cwd=self.folder, env=env, capture_output=True, text=True)

    def install(self) -> list[str]:
        """Run `make install` and tell which steps it took."""
        (self.folder / "log").write_text("")
        done = self.make("install")
        assert done.returncode == 0, done.stderr
        return (self.folder / "log").read_text().split()


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A fresh clone, in a folder with a space in its name."""
    return Clone(tmp_path / "a clone")


def test_a_fresh_clone_is_set_up(clone: Clone) -> None:
    """The virtual environment is made, then filled; then come the libraries that pages load."""
    assert clone.install() == ["venv", "install", "fetch"]


def test_a_second_install_does_nothing(clone: Clone) -> None:
    """What is set up is left alone."""
    clone.install()
    assert clone.install() == []


@pytest.mark.parametrize("name", DECIDES)
def test_changed_dependencies_are_installed_into_the_same_environment(clone: Clone, name: str) -> None:
    """A newer file of dependencies brings an install, but no new .venv."""
    clone.install()
    stamp = (clone.folder / ".venv" / ".installed").stat().st_mtime
    os.utime(clone.folder / name, (stamp + 10, stamp + 10))
    assert clone.install() == ["install", "fetch"]


def test_an_installation_goes_on_without_the_chart_libraries(clone: Clone) -> None:
    """Their registry may be out of reach where the index of packages is not; the module itself says what to do then."""
    clone.python(no_libraries=1)
    assert clone.install() == ["venv", "install", "fetch"]
    assert clone.install() == []


def test_a_half_made_environment_is_made_anew(clone: Clone) -> None:
    """A set-up that was interrupted counts for nothing."""
    clone.install()
    clone.python(no_network=1)
    (clone.folder / ".venv" / ".installed").unlink()
    assert clone.make("install").returncode != 0
    clone.python()
    assert clone.install() == ["venv", "install", "fetch"]


def test_an_environment_without_its_python_is_made_anew(clone: Clone) -> None:
    """An upgrade of the system may take the Python away."""
    clone.install()
    (clone.folder / ".venv" / "bin" / "python").unlink()
    assert clone.install() == ["venv", "install", "fetch"]


def test_a_moved_clone_is_set_up_anew(clone: Clone, tmp_path: Path) -> None:
    """Scripts in .venv name their folder, so they do not start in another one."""
    clone.install()
    clone.folder = clone.folder.rename(tmp_path / "elsewhere")
    assert clone.install() == ["venv", "install", "fetch"]


def test_cleaning_and_installing_in_one_call_installs(clone: Clone) -> None:
    """`make -j clean install` keeps the order."""
    clone.install()
    assert clone.make("-j", "clean", "install").returncode == 0
    assert (clone.folder / ".venv" / ".installed").exists()


def test_an_old_python_is_refused_with_the_way_out(clone: Clone) -> None:
    """The message names the version found, the one needed and the command to use."""
    clone.python(too_old=1)
    done = clone.make("install")
    assert done.returncode != 0
    assert "needs Python 3.11 or newer; python3 is: Python 3.10.13" in done.stderr
    assert "make PYTHON=python3.12 install" in done.stderr


def test_a_missing_python_is_refused_with_the_way_out(clone: Clone) -> None:
    """The same holds for a name that is no Python at all."""
    done = clone.make("install", "PYTHON=python9")
    assert done.returncode != 0
    assert "needs Python 3.11 or newer; python9 is:" in done.stderr


def test_a_python_without_venv_is_refused_with_the_package_to_install(clone: Clone) -> None:
    """Debian packages the venv module apart."""
    clone.python(no_venv=1)
    done = clone.make("install")
    assert done.returncode != 0
    assert "apt-get install python3-venv" in done.stderr


def test_every_python_that_is_here_runs_the_tests(clone: Clone) -> None:
    """Each in an environment of its own, beside .venv; one that is not here is a skip that says so."""
    done = clone.make("test-pythons", "PYTHONS=python3 python9")
    assert done.returncode == 0, done.stderr
    assert (clone.folder / "log").read_text().split() == ["venv", "install", "fetch", "test"]
    assert "python9: skipped, it is not here" in done.stdout
    assert (clone.folder / ".cache" / "python-3.13.0" / ".installed").exists()
    assert not (clone.folder / ".venv").exists()


def test_a_python_without_an_environment_is_a_skip_that_says_so(clone: Clone) -> None:
    """Some package has no wheel for it, or its venv module is missing: that is no fault of the tests."""
    clone.python(no_venv=1)
    done = clone.make("test-pythons", "PYTHONS=python3")
    assert done.returncode == 0
    assert "python3: skipped, no environment" in done.stdout


def test_a_python_on_which_tests_fail_is_named(clone: Clone) -> None:
    """The others are tried all the same."""
    clone.python(fault=1)
    done = clone.make("test-pythons", "PYTHONS=python3 python9")
    assert done.returncode != 0
    assert "The tests fail on Python 3.13.0" in done.stdout
    assert "python9: skipped" in done.stdout


@pytest.mark.parametrize(
    "target", ["test-long", "test-failures", "test-cookbook", "chaos", "test-clusters", "test-slices"]
)
def test_a_slice_looks_wherever_a_test_has_its_mark(clone: Clone, target: str) -> None:
    """One that lies elsewhere would never run."""
    recipe = next(line for line in clone.make("-n", target).stdout.splitlines() if " -m pytest " in line)
    *_, chosen, folders = re.findall(r" -m ('[^']+'|\w+)((?: tests/\S+)*)", recipe)[-1]
    marks = "|".join(set(re.findall(r"\w+", chosen)) - {"and", "or", "not"})
    marked = [file for file in ROOT.glob("tests/**/test_*.py") if re.search(rf"\bmark\.({marks})\b", file.read_text())]
    assert marked
    assert [file for file in marked if not any(file.is_relative_to(ROOT / folder) for folder in folders.split())] == []


def test_bare_make_lists_the_targets(clone: Clone) -> None:
    """Every target that the documentation names is listed."""
    listed = {line.split()[1] for line in clone.make().stdout.splitlines()}
    assert {"install", "demo", "test", "check", "format", "bench", "fuzz", "clean"} <= listed
    assert {"test-sdks", "test-frameworks", "test-wheel", "test-pythons", "dist", "screenshots"} <= listed
