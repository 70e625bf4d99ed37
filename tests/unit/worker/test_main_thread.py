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
    threading.Timer(0.2, os.kill, (os.getpid(), number)).start()

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
        ("pass", ["Returned", "finish 0"]),
        ("sys.exit(0)", ["Returned", "finish 0"]),
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
            os.read(here, 1)
            os.kill(pid, signal.SIGTERM)
            say("fork", os.waitpid(pid, 0)[1])
        """
    )
    assert lines == ["Started r1", "fork 15", "Returned", "finish 0", "agent goes on"]


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
    assert lines == ["Started r1", "fork 4", "fork 0", "Returned", "finish 0", "agent goes on"]


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
    assert codes == [0, 1, 1]


def test_a_run_whose_last_rows_were_lost_has_not_ended_well():
    """Its wandb-core died while the SDK waited for it, behind the trainer: that counts, in either way to host a run."""
    reports = []

    def lose(_code):
        raise ConnectionResetError("Connection lost")

    call_in_thread(lambda: None, enter=Run, tell=reports.append, finish=lose)
    assert [type(report) for report in reports] == [Started, Returned, Raised]
    assert reports[-1].error == "ConnectionResetError: Connection lost"
    lines, _ = host(
        """
        def trainer():
            pass

        def lose(code):
            raise ConnectionResetError("Connection lost")

        class Losing(MainThread):
            def __init__(self, trainer, **named):
                super().__init__(trainer, **{**named, "finish": lose})

        MainThread = Losing
        """
    )
    assert lines == ["Started r1", "Returned", "Raised ConnectionResetError: Connection lost 1", "agent goes on"]


def test_a_signal_that_wakes_no_sleep_is_heard():
    """It came as the main thread began to sleep: C's handler has run, and Python's waits for the main thread."""
    lines, _ = host(
        """
        def trainer():
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # so the kernel gives it to another thread
            signal_soon(signal.SIGTERM)
            time.sleep(60)
        """
    )
    assert lines == ["Started r1", "preempting", "Raised  143", "finish 143", "agent goes on"]


def test_a_dead_wandb_core_keeps_no_signal_from_the_trainer():
    """The server cannot be told that the run is preempted; the trainer is interrupted all the same."""
    lines, _ = host(
        """
        def trainer():
            signal_soon(signal.SIGTERM)
            time.sleep(60)

        class Deaf(MainThread):
            def __init__(self, trainer, **named):
                def fail():
                    raise ConnectionResetError
                super().__init__(trainer, **{**named, "mark_preempting": fail})

        MainThread = Deaf
        """
    )
    assert lines == ["Started r1", "Raised  143", "finish 143", "agent goes on"]


def test_what_a_trainer_does_to_end_is_interrupted_only_once():
    """It saves for longer than it takes until a signal would be repeated."""
    lines, _ = host(
        """
        def trainer():
            signal_soon(signal.SIGTERM)
            try:
                time.sleep(60)
            finally:
                time.sleep(1.5)
                say("saved")
        """
    )
    assert lines == ["Started r1", "preempting", "saved", "Raised  143", "finish 143", "agent goes on"]


def test_an_agent_that_breaks_before_it_has_a_run_ends_the_process_badly():
    """No run is left to give, a worker would think, and go home."""
    code = """
        def trainer(): pass

        def agent(function):
            raise ValueError("no server")
        """
    done = subprocess.run(
        [sys.executable, "-c", HOST.format(code=textwrap.dedent(code))], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.returncode) == ("", 1)
    assert "ValueError: no server" in done.stderr


def test_a_signal_to_a_process_that_the_trainer_forks_is_none_to_the_run():
    """The numbers of its signals do not come to this process, whose socket it has inherited."""
    lines, _ = host(
        """
        def trainer():
            pid = os.fork()
            if not pid:
                signal.signal(signal.SIGTERM, lambda *_: os._exit(7))
                while True:
                    time.sleep(0.01)
            time.sleep(0.2)
            os.kill(pid, signal.SIGTERM)
            say("fork", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            time.sleep(0.2)
        """
    )
    assert lines == ["Started r1", "fork 7", "Returned", "finish 0", "agent goes on"]


def test_other_signals_are_the_trainers_own():
    """One that it has a handler for is heard by that, and ends no run."""
    lines, _ = host(
        """
        def trainer():
            signal.signal(signal.SIGUSR1, lambda *_: say("heard"))
            signal_soon(signal.SIGUSR1)
            time.sleep(0.6)
        """
    )
    assert lines == ["Started r1", "heard", "Returned", "finish 0", "agent goes on"]
