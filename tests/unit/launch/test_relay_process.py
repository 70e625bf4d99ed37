"""The relay's process: its one address, and its end."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import psutil
import pytest

from sweeper.backend.http import ask
from sweeper.errors import LaunchError
from sweeper.launch.relay_process import RelayProcess
from sweeper.processes import python
from tests.conftest import clean_environ, has_ended
from tests.unit.launch.test_launcher import wait


@pytest.fixture
def relay(tmp_path):
    relay = RelayProcess(tmp_path, clean_environ(tmp_path), tmp_path / "relay.log")
    yield relay
    relay.close()


def health(url: str) -> int:
    return ask(f"{url}/healthz", timeout_s=20, direct=True).status


def test_it_answers_at_its_address_also_after_it_was_killed(relay, tmp_path):
    """Runs cannot be told another one; a signal to all processes of a job does not end it."""
    url = relay.url
    for number in (1, 2, 10, 15):
        psutil.Process(relay.pid).send_signal(number)
    assert health(url) == 503  # nobody is there whom it could follow
    assert not relay.ensure()
    psutil.Process(relay.pid).kill()
    wait(relay.ensure)
    assert (relay.url, health(url)) == (url, 503)
    assert "no server is named" in (tmp_path / "relay.log").read_text()


def test_it_dies_with_whoever_started_it(tmp_path):
    """Kill -9 of a station leaves nothing behind."""
    code = (
        "import sys, time; from pathlib import Path; from sweeper.launch.relay_process import RelayProcess;"
        " relay = RelayProcess(Path(sys.argv[1]), {}, Path(sys.argv[1], 'log')); print(relay.pid, flush=True);"
        " time.sleep(60)"
    )
    parent = subprocess.Popen(
        python("-c", code, str(tmp_path)), env=clean_environ(tmp_path), stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent, parent.stdout as said:
        relay = psutil.Process(int(said.readline()))
        parent.kill()
    wait(lambda: has_ended(relay))


def test_one_that_does_not_start_is_told(tmp_path, monkeypatch):
    """With the log that says why."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(LaunchError, match="did not start") as caught:
        RelayProcess(tmp_path, dict(os.environ), tmp_path / "relay.log")
    assert json.dumps(str(tmp_path / "relay.log")).strip('"') in caught.value.hint
