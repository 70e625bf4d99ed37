"""A trainer in the main thread, with real signals: each test is a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap

import pytest

from sweeper.worker.main_thread import Raised, Returned, Started, Stopping, call_in_thread

HOST = """
import ctypes, os, signal, subprocess, sys, threading, time
from sweeper.worker.main_thread import MainThread

def say(*what):
    print(*what, flush=True)

def tell(report):
    facts = (getattr(report, name) for name in ("run_id", "unbegun", "error", "exit_code") if hasattr(report, name))
    say(type(report).__name__, *facts, *(["exited"] if getattr(report, "exited", False) else []))

def signal_soon(number):
    # long after the main thread has gone to sleep: Python hears a signal that comes at that very moment when it wakes
    threading.Timer(1.0, os.kill, (os.getpid(), number)).start()

def agent(function):
    function()
    say("agent goes on")

class Run:
    run_id, params = "r1", {{}}

    def look(self):
        pass

    def unbegun(self):
        return ""

{code}

host = MainThread(
    trainer, tell=tell, mark_preempting=lambda: say("preempting"), finish=lambda code: say("finish", code)
)
host.run(agent, Run)
"""


def host(code: str) -> tuple[list[str], str]:
    """Give what was reported, and what the run's log would hold."""
    script = HOST.format(code=textwrap.dedent(code))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [re.sub(r"line \d+", "line #", line.strip()) for line in done.stdout.splitlines()], done.stderr


@pytest.mark.parametrize(
    ("body", "report"),
    [
        ("pass", ["Returned"]),
        ("sys.exit(0)", ["Returned"]),
        ("raise ValueError('no')", ["Raised ValueError: no 1", "finish 1"]),
        ("raise KeyboardInterrupt", ["Raised KeyboardInterrupt 1", "finish 1"]),
        ("raise GeneratorExit('odd')", ["Raised GeneratorExit: odd 1", "finish 1"]),
        ("sys.exit(3)", ["Raised the trainer called sys.exit(3) (<string>, line #) 3 exited", "finish 3"]),
        ("sys.exit('why')", ["Raised the trainer called sys.exit('why') (<string>, line #) 1 exited", "finish 1"]),
    ],
)
def test_its_worker_learns_how_the_trainer_ended(body, report):
    """It runs in the main thread, and what it raises is closed and told here: the agent gets nothing to print."""
    lines, log = host(
        f"""
        def trainer():
            assert threading.current_thread() is threading.main_thread()
            {body}
        """
    )
    assert lines == ["Started r1", *report, "agent goes on"]
    assert ("Traceback" in log) is (report[0].startswith("Raised") and "sys.exit" not in report[0])
    assert "sweeper" not in log


@pytest.mark.parametrize(
    ("number", "said"),
    [("SIGTERM", ["preempting", "Raised  143", "finish 143"]), ("SIGINT", ["Raised  130", "finish 130"])],
    ids=["preempted", "failed"],
)
def test_a_signal_ends_a_sleeping_trainer(number, said):
    """No `except Exception` of the trainer's holds it up; after a SIGTERM the server hears that the run goes on."""
    lines, log = host(
        f"""
        def trainer():
            signal_soon(signal.{number})
            try:
                time.sleep(60)
            except Exception:
                time.sleep(60)
        """
    )
    assert lines == ["Started r1", *said, "agent goes on"]
    assert log == ""


def test_what_the_trainer_sees_of_an_interruption_has_no_frame_of_ours():
    """`with wandb.init()` prints it: with the line that was interrupted, and a word of what happened."""
    _, log = host(
        """
        import traceback

        def trainer():
            signal_soon(signal.SIGINT)
            try:
                time.sleep(60)
            except BaseException:
                traceback.print_exc()
                raise
        """
    )
    assert log.splitlines()[-1] == "Interrupted: the run was told to end"
    assert log.count("  File ") == 1
    assert "sweeper" not in log


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
            function()
        """
    )
    assert lines == ["Started r1", "Stopping", "Raised  128", "finish 128"]


def test_a_signal_before_there_is_a_run_ends_the_process():
    """No run is lost, so none has to be saved."""
    code = """
        def trainer(): pass

        def agent(function):
            signal_soon(signal.SIGTERM)
            time.sleep(60)
        """
    script = HOST.format(code=textwrap.dedent(code))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == ("", 143)


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
            say("fork", os.waitpid(pid, 0)[1])
        """
    )
    assert lines == ["Started r1", "fork 15", "Returned", "agent goes on"]


def test_a_process_that_the_trainer_forks_speaks_for_no_run():
    """One that exits or returns behind the trainer's back ends, with its own code, and the run goes on."""
    lines, _ = host(
        """
        def trainer():
            for code in (4, 0):
                pid = os.fork()
                if not pid:
                    sys.exit(code)
                say("fork", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        """
    )
    assert lines == ["Started r1", "fork 4", "fork 0", "Returned", "agent goes on"]


class Run:
    """A run that has begun."""

    def __init__(self) -> None:
        self.run_id, self.params = "r1", {"lr": 0.1}

    def look(self) -> None:
        """Nobody looks at one in its agent's thread."""

    def unbegun(self) -> str:
        """It has begun."""
        return ""


def test_without_isolation_the_agents_thread_reports_the_same():
    """A trainer that raises, one that returns, and one that the SDK stops with its bare Exception."""
    reports, codes = [], []

    def call(trainer):
        call_in_thread(trainer, enter=Run, tell=reports.append, finish=codes.append)

    def fail():
        raise ValueError("no")

    def be_stopped():
        raise Exception  # noqa: TRY002

    call(lambda: None)
    call(fail)
    call(be_stopped)
    kinds = [Started, Returned, Started, Raised, Started, Stopping, Raised]
    assert [type(report) for report in reports] == kinds
    assert reports[0] == Started("r1", {"lr": 0.1})
    assert [report.error for report in reports if isinstance(report, Raised)] == ["ValueError: no", ""]
    assert codes == [1, 1]
