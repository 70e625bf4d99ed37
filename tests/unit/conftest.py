"""A real embedded server that the tests of one process share, and an environment that a command may change."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sweeper.backend import embedded_server
from sweeper.ref import SweepRef
from tests.conftest import clean_environ
from tests.e2e.conftest import Wire

GRID = """
method: grid
metric: {name: loss}
parameters: {lr: {values: [0.1, 0.2, 0.3, 0.4]}}
"""


@dataclass(frozen=True)
class Embedded:
    """A server in the background, as the commands find it.

    Attributes:
        home: The state directory of its user.
        url: Its address.
        pid: Its process.
        wire: What talks to it by hand.
    """

    home: Path
    url: str
    pid: int
    wire: Wire

    def sweep(self, *ends: int | None, text: str = GRID) -> tuple[SweepRef, list[str]]:
        """Make a sweep of which each run has logged its `lr` as its loss and ended with an exit code; None runs on.

        Returns:
            The sweep, and its runs' ids.
        """
        sweep, runs = self.wire.sweep(text), []
        for end in ends:
            command = self.wire.beat(self.wire.agent(sweep))
            run = command["run_id"]
            self.wire.init(run, sweep)
            self.wire.log(run, 0, {"_step": 0, "loss": command["args"]["lr"]["value"]})
            if end is not None:
                self.wire.stream(run, complete=True, exitcode=end)
            runs.append(run)
        return SweepRef("local", "p", sweep), runs


@contextlib.contextmanager
def serving(home: Path) -> Iterator[Embedded]:
    """Run a server in the background of a state directory, as the commands find it."""
    data = embedded_server.data_dir(home)
    command = [sys.executable, "-m", "sweeper", "serve", "--data", str(data)]
    with subprocess.Popen(command, env=clean_environ(home), stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + embedded_server.START_TIMEOUT_S
        while (record := embedded_server.find(home)) is None:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        key = embedded_server.key_file(data).read_text().strip()
        yield Embedded(home, record.url, record.pid, Wire(record.url, key))
        process.terminate()


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """The server; it starts with the first test that asks for it, and every test makes sweeps of its own."""
    with serving(tmp_path_factory.mktemp("embedded")) as made:
        yield made


@pytest.fixture(scope="session")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """Another server, for tests that look at all that is on it; each leaves it empty."""
    with serving(tmp_path_factory.mktemp("apart")) as made:
        yield made


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The state directory; made by whoever needs it first."""
    return tmp_path / "home"


@pytest.fixture
def environ(home: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
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
def connected(environ: dict[str, str], embedded: Embedded) -> None:
    """The SDK of this process, pointed at the server that the tests share."""
    import wandb

    from sweeper.backend import sdk
    from sweeper.settings import Settings

    wandb.teardown()  # the key of another test, which it would go on with
    settings = Settings.from_env({**environ, "SWEEPER_HOME": str(embedded.home)})
    record = embedded_server.ServerRecord(embedded.pid, embedded.url)
    sdk.connect(embedded_server.backend(embedded.home, record), settings)
