"""A script that an agent starts, watched from the agent's process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

HOST = """
import os, subprocess, sys, time
from sweeper.worker.script_host import host_script

def agent():
    env = {**os.environ, "WANDB_SWEEP_PARAM_PATH": "/somewhere", "WANDB_RUN_ID": "r1"}
    try:
        subprocess.Popen(sys.argv[1:], env=env)
    except OSError:
        pass  # it tries again
    time.sleep(60)  # it looks after its script every few seconds

class Run:
    def __init__(self, env, command):
        assert command == sys.argv[1:], command
        env["COMPLETED"] = "yes"
        self.run_id, self.params = env["WANDB_RUN_ID"], {}

    def unbegun(self):
        return os.environ.get("UNBEGUN", "never begun")

    def open_state(self):
        return "running"

host_script(agent, tell=lambda report: print(report, flush=True), enter=Run)
"""


def start(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", HOST, *command], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("script", "report"),
    [
        ("import os; assert os.environ['COMPLETED'] == 'yes'", "unbegun='never begun', open_state='')"),
        ("import sys; sys.exit(3)", "exit_code=3, exited=False, core_killed=False)"),
        ("import os; os.kill(os.getpid(), 9)", "exit_code=137, exited=False, core_killed=False)"),
    ],
)
def test_the_end_of_a_script_is_reported(script, report):
    """Its environment is completed, its exit code read, a signal as a shell writes it; its host ends with it."""
    process = start(sys.executable, "-c", script)
    said = process.communicate(timeout=30)[0].splitlines()
    assert said[0] == "Started(run_id='r1', params={})"
    assert report in said[1]
    assert process.returncode == 0


def test_a_script_whose_end_the_server_has_not_heard_says_so(monkeypatch):
    """Its wandb-core died; one that never began has no end to be heard."""
    monkeypatch.setenv("UNBEGUN", "")
    assert "unbegun='', open_state='running')" in start(sys.executable, "-c", "pass").communicate(timeout=30)[0]


def test_a_script_gets_the_signals_of_its_host():
    """It may save and end as it likes."""
    script = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)"
    )
    process = start(sys.executable, "-c", script)
    assert process.stdout is not None
    while "ready" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGTERM)
    assert "exit_code=7," in process.communicate(timeout=30)[0]


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        (None, 0, "there is no such file"),
        ("#!/bin/sh\n", 0o600, "it may not be executed"),
        ("#!/no/such/interpreter\n", 0o700, "its first line names /no/such/interpreter, which is not there"),
    ],
)
def test_a_command_that_cannot_be_started_says_why(tmp_path, text, mode, why):
    """The agent would try it again and again, for seconds each time."""
    script = tmp_path / "train"
    if text is not None:
        script.write_text(text)
        script.chmod(mode)
    if text is not None and os.access(script, os.X_OK) and not mode & 0o100:
        pytest.skip("this user may execute everything")
    said = start(str(script)).communicate(timeout=30)[0].splitlines()
    assert f"{script} cannot be started: {why}" in said[1]
