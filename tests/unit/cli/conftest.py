"""The command line within the test's process, with a state directory and an environment of its own."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from sweeper.cli import app
from tests.documented_json import assert_documented


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


@pytest.fixture
def told(sweeper) -> Callable[..., Any]:
    """Run `sweeper VERB ... --json`; give the document, which docs/json.md describes and which is alone on stdout."""

    def tell(verb: str, *args: object, code: int = 0, home: object = None, text: str | None = None) -> Any:
        more = {"SWEEPER_HOME": str(home)} if home else {}
        done = sweeper(*verb.split(), *args, "--json", text=text, **more)
        assert done.exit_code == code, (done.exception, done.stderr)
        document = json.loads(done.stdout)
        assert_documented(verb, document)
        return document

    return tell


@pytest.fixture
def on_a_terminal(environ) -> Callable[..., str]:
    """Run `sweeper ...` on a terminal of 24 lines and 80 columns; what it wrote there."""

    def run(*args: object, code: int = 0, **more: str) -> str:
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, 80))
        command = [sys.executable, "-m", "sweeper", *map(str, args)]
        env = {**environ, "TERM": "xterm", **more}
        process = subprocess.Popen(command, env=env, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        written = b""
        with contextlib.suppress(OSError):  # which is its end
            while chunk := os.read(ours, 65536):
                written += chunk
        os.close(ours)
        assert process.wait(60) == code
        return written.decode()

    return run
