"""What the SDK does around a run and need not: in a Python for each test, where the SDK keeps its state."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import clean_environ

PACKAGES = """
import json, sys
from pathlib import Path
from wandb import util
from sweeper.backend import sdk_shortcuts

def names():
    return sorted(f"{one.key}=={one.version}" for one in util.working_set())

own, reads = util.working_set, []
def counting():
    reads.append(1)
    return own()
util.working_set = counting
before = names()
sdk_shortcuts.remember_packages()
again, read_for_two = names() == before == names(), len(reads)
folder = Path("more")
(folder / "late-1.0.dist-info").mkdir(parents=True)
(folder / "late-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\\nName: late\\nVersion: 1.0\\n")
sys.path.append(str(folder))
print(json.dumps([again, len(before), read_for_two, sorted(set(names()) - set(before))]))
"""
PORT = """
import json, subprocess, sys
from pathlib import Path
from wandb.sdk.lib.service import service_port_file as ports
from sweeper.backend import sdk_shortcuts

class Core:
    args, stdout, stderr, pid, looks = [], None, None, 0, 0
    def poll(self):
        self.looks += 1

def looks():
    core = Core()
    try:
        ports.poll_for_token(Path("nothing"), core, timeout=0.5)
    except ports.ServicePollForTokenError:
        return core.looks

stock = looks()
sdk_shortcuts.look_for_core_often()
print(json.dumps([stock, looks()]))
"""
AGENT = """
import json, os, signal, sys
import psutil, wandb
from wandb.sdk import wandb_setup
from sweeper.backend import sdk_shortcuts

own = wandb.teardown

def core():
    return [child.pid for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]

def agent(run_id, function, at_end, ended_with=0):
    '''Do what the SDK's agent does around a function.'''
    wandb.setup()
    with sdk_shortcuts.one_core(function, at_end=at_end, ended_with=lambda: ended_with) as call:
        asked = core()
        os.environ["WANDB_RUN_ID"] = run_id
        wandb.teardown()
        wandb.setup()
        call()
        left = core()
        wandb.teardown()
    assert wandb.teardown is own
    return asked, left, core()

seen = []
def function():
    assert wandb.teardown is own
    seen.append(wandb_setup.singleton().settings.run_id)
"""


def run(script: str, folder: Path, *ends: str):
    """Give what a script prints as JSON."""
    environ = {**clean_environ(folder), "WANDB_MODE": "offline", "WANDB_DIR": str(folder), "WANDB_SILENT": "true"}
    command = [sys.executable, "-c", "\n".join([script, *ends])]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_packages_are_read_once(tmp_path):
    """As long as the path is what it was: a run sends what the SDK would have sent."""
    again, count, reads, late = run(PACKAGES, tmp_path)
    assert (again, reads, late) == (True, 2, ["late==1.0"])
    assert count > 10


def test_a_service_is_looked_for_often(tmp_path):
    """The SDK would look three times in half a second, and a run would wait for it twice."""
    stock, ours = run(PORT, tmp_path)
    assert stock <= 4
    assert ours > 10


def test_a_run_goes_on_with_the_core_that_its_agent_asked_with(tmp_path):
    """Its settings are read anew; at the end wandb-core goes, when all is sent."""
    asked, left, after, seen = run(
        AGENT, tmp_path, "print(json.dumps([*agent('first', function, at_end=False), seen]))"
    )
    assert len(asked) == 1
    assert (left, after, seen) == (asked, [], ["first"])


def test_the_next_run_of_a_process_goes_on_with_it_too(tmp_path):
    """Unless it died, which nothing but its end would tell."""
    script = """
first = agent("first", function, at_end=True)
second = agent("second", function, at_end=True)
os.kill(second[2][0], signal.SIGKILL)
psutil.wait_procs([psutil.Process(second[2][0])], timeout=0.2)
"""
    third = """
with sdk_shortcuts.one_core(function, at_end=True, ended_with=lambda: 0):
    wandb.setup()
    new = core()
print(json.dumps([first, second, new, seen]))
"""
    first, second, new, seen = run(AGENT, tmp_path, script, third)
    assert first[0] == first[1] == first[2] == second[0] == second[2]
    assert len(new) == 1
    assert new != second[2]
    assert seen == ["first", "second"]


@pytest.mark.parametrize("at_end", [True, False])
def test_what_a_trainer_has_left_open_is_closed(tmp_path, at_end):
    """As the SDK does it: with the end of wandb-core."""
    script = f"""
def leave_open():
    wandb.init(project="p", reinit="create_new")
    return wandb.teardown is own

asked, left, after = agent("first", leave_open, at_end={at_end})
print(json.dumps([len(asked), left == asked, after]))
"""
    assert run(AGENT, tmp_path, script) == [1, True, []]


@pytest.mark.parametrize("at_end", [True, False])
@pytest.mark.parametrize("ended_with", [0, 3])
def test_what_a_failed_trainer_has_left_open_ends_with_its_exit_code(tmp_path, at_end, ended_with):
    """The agent names none, which is 0: to the server all would be well. Whether anything is open nobody can ask."""
    script = f"""
from wandb.sdk.lib.service.service_connection import ServiceConnection
told, teardown = [], ServiceConnection.teardown

def note(connection, exit_code):
    told.append(exit_code)
    return teardown(connection, exit_code)

ServiceConnection.teardown = note
agent("first", function, at_end={at_end}, ended_with={ended_with})
before = len(core())
agent("second", function, at_end={at_end})
print(json.dumps([told, before, seen]))
"""
    told, before, seen = run(AGENT, tmp_path, script)
    if at_end:  # the core goes on, unless it had something to close
        assert (told, before) == (([3], 0) if ended_with else ([], 1))
    else:
        assert (told, before) == ([ended_with, 0], 0)
    assert seen == ["first", "second"]


def test_an_end_whose_core_was_killed_is_no_error_for_the_next_agent(tmp_path):
    """What it had to close is closed: its process goes on with another one."""
    script = """
def lose():
    for pid in core():
        os.kill(pid, signal.SIGKILL)
    function()

agent("first", lose, at_end=True, ended_with=1)
agent("second", function, at_end=True)
print(json.dumps([len(core()), seen]))
"""
    assert run(AGENT, tmp_path, script) == [1, ["first", "second"]]
