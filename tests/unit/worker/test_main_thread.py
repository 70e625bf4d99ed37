"""A trainer in the main thread, with real signals: each test is a process of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from sweeper.worker.main_thread import Raised, Returned, Started, Stopping, call_in_thread

HOST = """
import ctypes, os, signal, subprocess, sys, threading, time
from sweeper.worker.main_thread import MainThread

def tell(report): print(report, flush=True)

def signal_soon(number):
    threading.Timer(0.2, os.kill, (os.getpid(), number)).start()

def agent(function):
    try:
        function()
    except Exception as error:
        print("agent got", type(error).__name__, flush=True)

{code}

MainThread(trainer, tell=tell, mark_preempting=lambda: print("preempting", flush=True)).run(agent, lambda: "r1")
"""


def host(code: str) -> tuple[list[str], int]:
    """Give what was reported, and how the process ended."""
    script = HOST.format(code=textwrap.dedent(code))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr, done.stderr
    return [line.split("(trainer_s")[0] + line.partition(", ")[2] for line in done.stdout.splitlines()], done.returncode


@pytest.mark.parametrize(
    ("body", "report"),
    [
        ("pass", ["Returned"]),
        ("sys.exit(0)", ["Returned"]),
        ("raise ValueError('no')", ["Raisederror='ValueError: no', exit_code=1)", "agent got ValueError"]),
        ("sys.exit(3)", ["Raisederror='', exit_code=3)", "agent got RuntimeError"]),
        ("sys.exit('why')", ["Raisederror='SystemExit: why', exit_code=1)", "agent got RuntimeError"]),
    ],
)
def test_the_agent_learns_how_the_trainer_ended(body, report):
    """It runs in the main thread, and what it raises is raised where the agent called it."""
    lines, code = host(
        f"""
        def trainer():
            assert threading.current_thread() is threading.main_thread()
            {body}
        """
    )
    assert lines == ["Started(run_id='r1')", *report]
    assert code == 0


@pytest.mark.parametrize(
    ("number", "said"), [("SIGTERM", ["preempting", 143]), ("SIGINT", [130])], ids=["preempted", "failed"]
)
def test_a_signal_ends_a_sleeping_trainer(number, said):
    """No `except Exception` of the trainer's holds it up; after a SIGTERM the server hears that the run goes on."""
    lines, code = host(
        f"""
        def trainer():
            signal_soon(signal.{number})
            try:
                time.sleep(60)
            except Exception:
                time.sleep(60)
        """
    )
    *marks, exit_code = said
    report = [*marks, f"Raisederror='', exit_code={exit_code})", "agent got RuntimeError"]
    assert lines == ["Started(run_id='r1')", *report]
    assert code == 0


def test_the_sdks_way_to_stop_a_run_ends_the_trainer():
    """A bare Exception, raised in the agent's thread from outside, reaches the trainer in its system call."""
    lines, _ = host(
        """
        def trainer():
            time.sleep(60)

        def agent(function):
            me = threading.get_ident()
            stop = lambda: ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(me), ctypes.py_object(Exception))
            threading.Timer(0.2, stop).start()
            try:
                function()
            except Exception as error:
                print("agent got", type(error).__name__, flush=True)
        """
    )
    assert lines == ["Started(run_id='r1')", "Stopping()", "Raisederror='', exit_code=128)", "agent got Exception"]


def test_a_signal_before_there_is_a_run_ends_the_process():
    """No run is lost, so none has to be saved."""
    lines, code = host(
        """
        def trainer(): pass

        def agent(function):
            signal_soon(signal.SIGTERM)
            time.sleep(60)
        """
    )
    assert (lines, code) == ([], 143)


def test_a_process_that_the_trainer_forks_dies_of_a_signal_as_anywhere():
    """A data loader's worker that is ended is no end of the run."""
    lines, _ = host(
        """
        def trainer():
            here, there = os.pipe()
            pid = os.fork()
            if not pid:
                os.write(there, b"!")
                time.sleep(60)
                os._exit(0)
            os.read(here, 1)  # Python forgets signals that come while it forks
            os.kill(pid, signal.SIGTERM)
            print("fork", os.waitpid(pid, 0)[1], flush=True)
        """
    )
    assert lines == ["Started(run_id='r1')", "fork 15", "Returned"]


def test_without_isolation_the_agents_thread_reports_the_same():
    """A trainer that raises, one that returns, and one that the SDK stops with its bare Exception."""
    reports = []

    def call(trainer):
        call_in_thread(trainer, enter=lambda: "r1", tell=reports.append)

    def fail():
        raise ValueError("no")

    def be_stopped():
        raise Exception  # noqa: TRY002

    call(lambda: None)
    with pytest.raises(ValueError, match="no"):
        call(fail)
    with pytest.raises(Exception):  # noqa: B017, PT011 the SDK's own
        call(be_stopped)
    kinds = [Started, Returned, Started, Raised, Started, Stopping, Raised]
    assert [type(report) for report in reports] == kinds
    assert [report.error for report in reports if isinstance(report, Raised)] == ["ValueError: no", ""]
