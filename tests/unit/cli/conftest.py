"""The command line within the test's process, with a state directory and an environment of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

import pytest
from typer.testing import CliRunner, Result

from sweeper.cli import app


@pytest.fixture
def sweeper(environ) -> Callable[..., Result]:
    """Run `sweeper ...`; what it raises is in the result, as `main` would meet it."""

    def run(*args: object, text: str | None = None, **more: str) -> Result:
        before = dict(os.environ)
        try:
            return CliRunner().invoke(app, list(map(str, args)), input=text, env={**environ, **more})
        finally:  # the next command of a test is a new process, too, and finds the shell's environment
            os.environ.clear()
            os.environ.update(before)

    return run


@pytest.fixture
def here(sweeper, embedded) -> Callable[..., Result]:
    """Run `sweeper ...` as the user of the server that the tests share."""
    return partial(sweeper, SWEEPER_HOME=str(embedded.home))
