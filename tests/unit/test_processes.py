"""Lives bound together: real processes, killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time

import psutil
import pytest

from sweeper.processes import python
from tests.conftest import has_ended

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE, text=True)
print(child.stdout.readline().strip(), flush=True)
time.sleep(60)
"""
SLEEP = "import time; time.sleep(60)"


@pytest.fixture
def start():
    """Start Python code, and give its process with the first line that it prints."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *args: str) -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen([sys.executable, "-c", code, *args], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def ends(pid: str, timeout_s: float = 10.0) -> bool:
    """Wait for the end of a process that is no child of ours."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if not psutil.pid_exists(int(pid)) or has_ended(psutil.Process(int(pid))):
            return True
        time.sleep(0.02)
    return False


def test_a_python_of_ours_imports_nothing_from_the_current_folder(tmp_path):
    """Neither by `-m` nor by `-c`, nor in the Pythons that multiprocessing starts from it."""
    (tmp_path / "wave.py").write_text("raise SystemExit('ran')")
    code = """
        import multiprocessing, subprocess, sys, wave
        print("-P" in subprocess._args_from_interpreter_flags())
    """
    done = subprocess.run(python("-c", textwrap.dedent(code)), cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "True\n", done.stderr
    done = subprocess.run(python("-m", "wave"), cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_process_dies_with_its_parent(start):
    """Kill -9 of the parent: the kernel ends the child."""
    child = "import os; from sweeper.processes import *; die_with_parent(); print(os.getpid(), flush=True); " + SLEEP
    parent, pid = start(PARENT, child)
    assert not ends(pid, 0.2)
    parent.kill()
    assert ends(pid)


def test_a_process_takes_along_what_has_no_such_bond(start):
    """A script that a worker's run started would outlive it; it is killed first."""
    child = f"""
import os, subprocess, sys
from sweeper.processes import end_with_parent
end_with_parent()
script = subprocess.Popen([sys.executable, "-c", {SLEEP!r}], start_new_session=True)
print(os.getpid(), script.pid, flush=True)
{SLEEP}
"""
    parent, pids = start(PARENT, child)
    parent.kill()
    assert all(ends(pid) for pid in pids.split())


STRAYS = f"""
import os, subprocess, sys, time
from sweeper.processes import Family

def sleeper():
    return subprocess.Popen([sys.executable, "-c", {SLEEP!r}])

before = sleeper()
family = Family()
family.keep()
ours = sleeper()
family.keep([ours.pid])
dying = '''
import subprocess, sys
silent = subprocess.DEVNULL  # nobody shall wait for its pipes to close
print(subprocess.Popen([sys.executable, "-c", {SLEEP!r}], stdout=silent, stderr=silent).pid)
'''
left = int(subprocess.run([sys.executable, "-c", dying], capture_output=True, text=True).stdout)
assert os.path.exists(f"/proc/{{left}}")
family.end_strays()
print(left, before.pid, ours.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands a dead process's children to its grandparent")
def test_a_hangup_while_the_parent_lives_asks_for_a_gentle_end(start):
    """A closed terminal tells everybody who may hear it; nobody has died."""
    code = """
import signal, sys, time
from sweeper.processes import end_with_parent
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
end_with_parent()
print("ready", flush=True)
time.sleep(60)
"""
    process, _ = start(code)
    process.send_signal(signal.SIGHUP)
    assert process.wait(timeout=30) == 7


def test_what_a_dead_child_leaves_behind_is_ended(start):
    """It becomes ours and is killed; what was there before and what we started ourselves stays."""
    family, pids = start(STRAYS)
    left, before, ours = pids.split()
    try:
        assert ends(left)
        assert not ends(before, 0.1)
        assert not ends(ours, 0.1)
    finally:
        for pid in (before, ours):
            psutil.Process(int(pid)).send_signal(signal.SIGKILL)
    family.kill()


FAMILY = """
import os, signal, subprocess, sys, time
from pathlib import Path
from sweeper.processes import Family, killed_children
family = Family()
def grandchild(*command):
    # dies as a child of ours: its parent, which started it, has ended
    shell = subprocess.Popen(["sh", "-c", "sleep 60 & echo $!"], stdout=subprocess.PIPE, text=True)
    pid = int(shell.stdout.readline())
    shell.wait()
    while Path(f"/proc/{pid}/comm").read_text() != "sleep\\n":  # it is still a copy of its shell
        time.sleep(0.01)
    return pid
ended = subprocess.Popen(["true"])
time.sleep(0.3)
print(bool(killed_children("true")), family.end_strays())
killed = subprocess.Popen(["sleep", "60"])
print(bool(killed_children("sleep")))
killed.kill()
time.sleep(0.3)
print(killed_children("sleep") == {killed.pid}, bool(killed_children("wandb-core")))
print(family.end_strays())
print(bool(killed_children("sleep")), family.end_strays())
os.kill(grandchild(), signal.SIGTERM)
time.sleep(0.3)
print(family.end_strays())
"""


def test_who_was_killed_is_told_from_who_ended():
    """By the status that the kernel keeps until it is read: also of a child that another process left behind."""
    done = subprocess.run([sys.executable, "-c", FAMILY], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == [
        "False []",
        "False",
        "True False",
        "['sleep']",
        "False []",
        "['sleep']",
    ], done.stderr
