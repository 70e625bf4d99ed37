"""Stock agents that fall silent: what becomes of their runs, and of what they say when they wake up."""

from __future__ import annotations

import json
import signal

import psutil
import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(240)]

AGENT = """
import os, sys, time, wandb

name = sys.argv[2]

def train():
    with wandb.init(settings=wandb.Settings(x_file_stream_transmit_interval=1)) as run:
        open(f"{name}-began", "w").close()
        for step in range(600 if name.startswith("first") else 3):
            run.log({"loss": step, "by": name})
            time.sleep(0.3)

wandb.agent(sys.argv[1], function=train, project="p", count=1)
"""


@pytest.fixture
def client(user, wire):
    """A client of a server that bears six seconds of silence."""
    user.start("serve", "--data", user.home / "server", "--heartbeat-timeout", "6")
    user.wait(lambda: user.start("server", "status").wait() == 0, "the server")
    user.write("agent.py", AGENT)
    sdk = user.sdk()
    return wire(sdk["WANDB_BASE_URL"], sdk["WANDB_API_KEY"])


def family(process) -> list[psutil.Process]:
    """An agent, its run and its wandb-core."""
    root = psutil.Process(process.pid)
    return [root, *root.children(recursive=True)]


def logging(client, sweep: str) -> bool:
    """Whether the one run of a sweep has logged."""
    return any(client.history(run["name"]) for run in client.runs_of(sweep))


def anew(client, run: str) -> bool:
    """Whether a run has what a second agent logs, and nothing else."""
    rows = [(row["loss"], row["by"]) for row in client.history(run)]
    return rows == [(step, rows[0][1]) for step in range(3)] and rows[0][1].startswith("second")


def test_runs_of_silent_agents_go_to_the_next_ones(user, client):
    """A stock agent is killed with its run, another one stopped until its run is done anew: then it changes nothing.

    Both runs keep their ids. The late rows and the end of the one that wakes up are refused, and it stops.
    """
    sweeps = [client.sweep(f"method: grid\nparameters: {{x: {{values: [{x}]}}}}") for x in (1, 2)]
    killed, stopped = (user.script("agent.py", name, f"first-{name}", **user.sdk()) for name in sweeps)
    user.wait(lambda: all(logging(client, sweep) for sweep in sweeps), "runs that log")
    runs = [run["name"] for sweep in sweeps for run in client.runs_of(sweep)]
    for process in family(killed):
        process.kill()
    asleep = family(stopped)
    for process in asleep:
        process.send_signal(signal.SIGSTOP)
    for run in runs:
        user.wait(lambda run=run: client.run(run, "state")["state"] == "preempted", "the silence to be noticed", 30)
    seconds = [user.script("agent.py", name, f"second-{name}", **user.sdk()) for name in sweeps]
    user.wait((user.folder / f"second-{sweeps[1]}-began").exists, "the second attempt")
    for process in reversed(asleep):
        process.send_signal(signal.SIGCONT)
    for second in seconds:
        _, stderr = second.communicate(timeout=60)
        assert second.returncode == 0, stderr
    stopped.communicate(timeout=60)
    assert [[(one["name"], one["state"]) for one in client.runs_of(sweep)] for sweep in sweeps] == [
        [(run, "finished")] for run in runs
    ]
    assert [anew(client, run) for run in runs] == [True, True]
    assert json.loads(client.run(runs[1], "summaryMetrics")["summaryMetrics"])["by"].startswith("second")
