"""What sweeper's processes, the SDK and its service put into the temporary directory goes with them."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.e2e]

TOY = """
import os, time, wandb

def train():
    with wandb.init() as run:
        run.log({"loss": 1, "tmp": os.environ["TMPDIR"]})
        while not os.path.exists("go"):
            time.sleep(0.05)
"""


@pytest.mark.long
def test_commands_a_launch_in_the_background_and_the_server_leave_nothing(user, scratch):
    """Each has a folder in TMPDIR as long as it lives, beside the others', in which its processes and runs write."""
    user.environ["TMPDIR"] = str(scratch)
    user.write("toy.py", TOY)
    text = "method: grid\nmetric: {name: loss}\nparameters: {x: {values: [1, 2]}}\n"
    user.run("create", user.write("sweep.yaml", text))
    (server,) = scratch.iterdir()
    pid = json.loads(user.run("launch", "--trainer", "toy:train", "--workers", "2", "--detach", "--json").stdout)["pid"]
    (launch,) = set(scratch.iterdir()) - {server}
    assert launch.stat().st_mode & 0o777 == 0o700
    runs = [process.environ() for process in user.processes("sweeper.worker")]
    assert {environ["TMPDIR"] for environ in runs} == {str(launch)}
    user.write("go", "")
    user.wait(lambda: pid not in {process.pid for process in user.processes("sweeper", "launch")}, "the launch's end")
    assert list(scratch.iterdir()) == [server]
    assert [run["state"] for run in user.status()["runs"]] == ["finished"] * 2
    user.run("server", "stop")
    assert list(scratch.iterdir()) == []
