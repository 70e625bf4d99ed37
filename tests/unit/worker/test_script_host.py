"""A script that an agent starts, watched from the agent's process."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

HOST = """
import os, subprocess, sys, time
from sweeper.worker.script_host import host_script

def agent():
    env = {**os.environ, "WANDB_SWEEP_PARAM_PATH": "/somewhere", "WANDB_RUN_ID": "r1"}
    subprocess.Popen([sys.executable, "-c", sys.argv[1]], env=env)
    time.sleep(60)  # it looks after its script every few seconds

def complete(env):
    env["COMPLETED"] = "yes"
    return env["WANDB_RUN_ID"]

host_script(agent, tell=lambda report: print(report, flush=True), complete=complete)
"""


def start(script: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", HOST, script], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("script", "report"),
    [
        ("import os; assert os.environ['COMPLETED'] == 'yes'", "Returned("),
        ("import sys; sys.exit(3)", "exit_code=3)"),
        ("import os; os.kill(os.getpid(), 9)", "exit_code=137)"),
    ],
)
def test_the_end_of_a_script_is_reported(script, report):
    """Its environment is completed, its exit code read, a signal as a shell writes it; its host ends with it."""
    process = start(script)
    said = process.communicate(timeout=30)[0].splitlines()
    assert said[0] == "Started(run_id='r1')"
    assert report in said[1]
    assert process.returncode == 0


def test_a_script_gets_the_signals_of_its_host():
    """It may save and end as it likes."""
    script = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)"
    )
    process = start(script)
    assert process.stdout is not None
    while "ready" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGTERM)
    assert "exit_code=7)" in process.communicate(timeout=30)[0]
