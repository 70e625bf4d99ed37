"""Modules, found without importing them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sweeper.definition.module_files import find_module


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A package and a module of a user's, which leave a trace when they are imported."""
    monkeypatch.chdir(tmp_path)
    for name in ("own_pkg/__init__.py", "own_pkg/fit.py", "q/__init__.py", "own_module.py", "own_space/deep/x.py"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("open('touched', 'w')\n")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "file", "is_package"),
    [
        ("own_module", "own_module.py", False),
        ("own_pkg", "own_pkg/__init__.py", True),
        ("own_pkg.fit", "own_pkg/fit.py", False),
        ("own_space.deep.x", "own_space/deep/x.py", False),
    ],
)
def test_the_file_of_a_module_is_found_and_nothing_imported(folder, name, file, is_package):
    """Packages on the way are not run either."""
    found = find_module(name)
    assert found is not None
    assert (found.path, found.is_package, found.is_source) == (folder / file, is_package, True)
    assert not Path("touched").exists()
    assert name not in sys.modules


@pytest.mark.parametrize(
    "name", ["own_nothing", "own_pkg.nothing", "q.q", "own_module.fit", "own_module.py", "", "a b", "..x"]
)
@pytest.mark.usefixtures("folder")
def test_what_is_no_module_is_not_found(name):
    """Neither is a file name or nonsense."""
    assert find_module(name) is None


@pytest.mark.parametrize("name", ["sys", "json", "json.decoder", "numpy", "math", "own_space"])
@pytest.mark.usefixtures("folder")
def test_modules_without_a_file_of_the_users_are_found(name):
    """Built in, installed, compiled, or a folder without an __init__.py."""
    assert find_module(name) is not None
