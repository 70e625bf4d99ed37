"""Stock agents that fall silent: what becomes of their runs, and of what they say when they wake up."""

from __future__ import annotations

import json
import signal

import psutil
import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

AGENT = """
import os, sys, time, wandb

name = sys.argv[2]

def train():
    with wandb.init(settings=wandb.Settings(x_file_stream_transmit_interval=1)) as run:
        open(f"{name}-began", "w").close()
        for step in range(3 if name == "second" else 600):
            run.log({"loss": step, "by": name})
            time.sleep(0.3)

wandb.agent(sys.argv[1], function=train, project="p", count=1)
"""


@pytest.fixture
def sweep(user, wire):
    """A grid of one on a server that bears six seconds of silence, a stock agent at its run, and a client."""
    user.start("serve", "--data", user.home / "server", "--heartbeat-timeout", "6")
    user.wait(lambda: user.start("server", "status").wait() == 0, "the server")
    sdk = user.sdk()
    client = wire(sdk["WANDB_BASE_URL"], sdk["WANDB_API_KEY"])
    name = client.sweep("method: grid\nmetric: {name: loss}\nparameters: {x: {values: [1]}}")
    user.write("agent.py", AGENT)
    first = user.script("agent.py", name, "first", **sdk)
    user.wait(lambda: [run for run in client.runs_of(name) if client.history(run["name"])], "a run that logs")
    return client, name, first


def family(process) -> list[psutil.Process]:
    """An agent, its run and its wandb-core."""
    root = psutil.Process(process.pid)
    return [root, *root.children(recursive=True)]


def test_the_run_of_a_killed_agent_goes_to_the_next_one(user, sweep):
    """Kill -9 of a stock agent with its run: another agent does the run anew, under its id."""
    client, name, first = sweep
    for process in family(first):
        process.kill()
    (run,) = client.runs_of(name)
    user.wait(lambda: client.run(run["name"], "state")["state"] == "preempted", "the silence to be noticed", 30)
    second = user.script("agent.py", name, "second", **user.sdk())
    _, stderr = second.communicate(timeout=60)
    assert second.returncode == 0, stderr
    assert [(one["name"], one["state"]) for one in client.runs_of(name)] == [(run["name"], "finished")]
    assert [(row["loss"], row["by"]) for row in client.history(run["name"])] == [(i, "second") for i in range(3)]


def test_a_stock_agent_that_wakes_up_too_late_changes_nothing(user, sweep):
    """Stopped (-STOP) until another one has done its run: its late rows and its end are refused, and it stops."""
    client, name, first = sweep
    stopped = family(first)
    for process in stopped:
        process.send_signal(signal.SIGSTOP)
    (run,) = client.runs_of(name)
    user.wait(lambda: client.run(run["name"], "state")["state"] == "preempted", "the silence to be noticed", 30)
    second = user.script("agent.py", name, "second", **user.sdk())
    user.wait((user.folder / "second-began").exists, "the second attempt")
    for process in reversed(stopped):
        process.send_signal(signal.SIGCONT)
    _, stderr = second.communicate(timeout=60)
    assert second.returncode == 0, stderr
    first.communicate(timeout=60)
    assert client.run(run["name"], "state")["state"] == "finished"
    assert [(row["loss"], row["by"]) for row in client.history(run["name"])] == [(i, "second") for i in range(3)]
    assert json.loads(client.run(run["name"], "summaryMetrics")["summaryMetrics"])["by"] == "second"
