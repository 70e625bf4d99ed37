"""The SDK's own agent, on a real server."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from sweeper.backend.agents import HEARTBEAT, at_end_of_thread
from tests.conftest import clean_environ

AGENT = """
import os, sys
from sweeper.backend import agents
from sweeper.ref import SweepRef

def say(what):
    print(what, flush=True)

def leave(well):
    say("sent home" if well else "it broke")
    os._exit(0)

if "waiting" in sys.argv:
    import psutil, threading
    from wandb.agents import pyagent
    agents.CORE_LOOK_S = 0.2
    ask = pyagent.Agent._heartbeat

    def kill():
        for child in psutil.Process().children():
            child.kill()

    def _heartbeat(agent):
        threading.Timer(0.5, kill).start()
        ask(agent)

    pyagent.Agent._heartbeat = _heartbeat
elif "core" in sys.argv:
    import psutil
    from wandb.agents import pyagent
    give = pyagent.Agent._run_job

    def lose(agent, job):
        for child in psutil.Process().children():
            child.kill()
            child.wait()
        give(agent, job)

    pyagent.Agent._run_job = lose
elif sys.argv[2:]:
    from wandb.agents import pyagent
    pyagent.Job = None  # so that it raises in the middle of an answer
agents.run_agent(SweepRef.parse(sys.argv[1]), lambda: say("called"), asks_no_more=leave)
say("the agent returned")
"""


SCRIPT = """
import os, psutil, sys, wandb.util
from sweeper.backend import agents
from sweeper.ref import SweepRef

def leave():
    print("it broke", flush=True)
    os._exit(0)

read = wandb.util.read_many_from_queue

def note(queue, most, timeout):
    print("waits", timeout, flush=True)
    if timeout and "waiting" not in sys.argv:
        os._exit(0)
    if "waiting" in sys.argv:
        for child in psutil.Process().children():
            child.kill()
    return read(queue, most, timeout)

wandb.util.read_many_from_queue = note
agents.CORE_LOOK_S = 0.2
agents.run_script(SweepRef.parse(sys.argv[1]), cut_off=leave)
print("the agent returned")
"""


def run(code, ref, embedded, folder, *more) -> subprocess.CompletedProcess[str]:
    """Run Python on a sweep, in a process of its own."""
    address = {"WANDB_BASE_URL": embedded.url, "WANDB_API_KEY": embedded.wire.key, "WANDB_SILENT": "true"}
    env = {**clean_environ(folder), **address, "WANDB_DIR": str(folder)}
    command = [sys.executable, "-c", code, ref.path, *more]
    return subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(("left", "says"), [(0, ["sent home"]), (1, ["called", "the agent returned"])])
def test_an_agent_without_a_run_is_noticed_before_it_notices_itself(embedded, tmp_path, left, says):
    """It is told to exit, and would go on sleeping; with a run it is let be."""
    ref, _ = embedded.sweep(*[0] * (4 - left))
    done = run(AGENT, ref, embedded, tmp_path)
    assert done.stdout.splitlines() == says, done.stderr


def test_an_agent_that_breaks_has_not_been_sent_home(embedded, tmp_path):
    """Its thread ends too; taken for the end of the sweep, a launch would end as if all were well."""
    ref, _ = embedded.sweep(0)
    done = run(AGENT, ref, embedded, tmp_path, "broken")
    assert done.stdout.splitlines() == ["it broke"], done.stderr


def test_an_agent_that_loses_its_run_says_so(embedded, tmp_path):
    """Its wandb-core was killed between the answer and the call: by itself it returns, as if there were no run."""
    ref, _ = embedded.sweep(0)
    done = run(AGENT, ref, embedded, tmp_path, "core")
    assert done.stdout == ""
    assert done.returncode == 1
    assert "the agent lost its run before it began" in done.stderr or "SystemExit" in done.stderr


def test_the_agent_of_a_script_asks_at_once(embedded, tmp_path):
    """By itself it would wait first, before each run and before it is sent home."""
    ref, _ = embedded.sweep(*[0] * 4)
    done = run(SCRIPT, ref, embedded, tmp_path)
    assert done.stdout.splitlines() == ["waits 0", "the agent returned"], done.stderr


def paused(embedded):
    """Make a sweep that gives nothing for now."""
    ref, _ = embedded.sweep(0)
    query = 'query($s: String!) { project(name: "p") { sweep(sweepName: $s) { id } } }'
    number = embedded.wire.graphql(query, s=ref.sweep_id)["project"]["sweep"]["id"]
    pause = 'mutation($id: ID) { upsertSweep(input: {id: $id, state: "PAUSED"}) { sweep { id } } }'
    embedded.wire.graphql(pause, id=number)
    return ref


def test_it_waits_as_ever_afterwards(embedded, tmp_path):
    """A sweep that is paused is not asked in a loop."""
    done = run(SCRIPT, paused(embedded), embedded, tmp_path)
    assert done.stdout.splitlines() == ["waits 0", "waits 5"], done.stderr


@pytest.mark.parametrize("code", [AGENT, SCRIPT], ids=["function", "script"])
def test_an_agent_that_waits_does_not_outlive_its_wandb_core(embedded, tmp_path, code):
    """It was killed: by itself the agent asks in vain for ever, and hears neither of runs nor of the sweep's end."""
    done = run(code, paused(embedded), embedded, tmp_path, "waiting")
    assert done.stdout.splitlines()[-1:] == ["it broke"], done.stderr


class Sentry:
    """Counts how often the end of an agent's thread is told, and lets one wait for it."""

    def __init__(self) -> None:
        self.told = threading.Semaphore(0)

    def tell(self, well: bool) -> None:
        """Take the news."""
        assert well
        self.told.release()

    def heard(self, timeout_s: float = 10.0) -> bool:
        """Wait for it to be told."""
        return self.told.acquire(timeout=timeout_s)


def thread(name: str, **more) -> threading.Thread:
    """A thread that has started."""
    made = threading.Thread(name=name, **{"target": lambda: None, **more})
    made.start()
    return made


def test_the_shortest_thread_is_not_missed():
    """It is watched from its first moment, whatever else was started before it."""
    sentry = Sentry()
    with at_end_of_thread(HEARTBEAT, sentry.tell):
        thread("Thread-1 (another)").join()
        assert not sentry.heard(0)
        thread(f"Thread-2 {HEARTBEAT}")
        assert sentry.heard()
        thread(f"Thread-3 {HEARTBEAT}").join()
    assert not sentry.heard(0)


def test_nothing_is_told_before_its_end():
    """As long as the agent asks there may be a run."""
    sentry, end = Sentry(), threading.Event()
    with at_end_of_thread(HEARTBEAT, sentry.tell):
        asks = thread(f"Thread-1 {HEARTBEAT}", target=end.wait)
        assert not sentry.heard(0)
        end.set()
        asks.join()
        assert sentry.heard()


def test_a_profiler_goes_on():
    """The user's own hook for new threads is there again, also for what the watch has seen."""
    seen: list[str] = []

    def mine(_frame, _event, _argument) -> None:
        seen.append(threading.current_thread().name)

    threading.setprofile(mine)
    try:
        with at_end_of_thread(HEARTBEAT, lambda _: None):
            thread("watched", target=sorted, args=([],)).join()
        assert threading.getprofile() is mine
        assert "watched" in seen
    finally:
        threading.setprofile(None)
