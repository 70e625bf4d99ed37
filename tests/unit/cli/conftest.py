"""The command line within the test's process, with a state directory and an environment of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sweeper.cli import app


@pytest.fixture
def home(tmp_path) -> Path:
    """The state directory; made by whoever needs it first."""
    return tmp_path / "home"


@pytest.fixture
def environ(home, tmp_path) -> Iterator[dict[str, str]]:
    """An environment without credentials, put back whole: a command points this process's SDK at its server."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith(("WANDB_", "SWEEPER_"))]:
        del os.environ[name]
    made = {"SWEEPER_HOME": str(home), "HOME": str(tmp_path), "NETRC": str(tmp_path / "netrc"), "COLUMNS": "80"}
    os.environ.update(made)
    yield made
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def sweeper(environ) -> Callable[..., Result]:
    """Run `sweeper ...`; what it raises is in the result, as `main` would meet it."""

    def run(*args: object, text: str | None = None, **more: str) -> Result:
        return CliRunner().invoke(app, list(map(str, args)), input=text, env={**environ, **more})

    return run
