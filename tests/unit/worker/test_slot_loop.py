"""A slot's loop, where no server is needed: tickets, the end of a launch, and runs left to other slots."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.journal.failures import Failure, Kind, Policy, classify
from sweeper.processes import python
from sweeper.ref import SweepRef
from sweeper.worker.main_thread import Raised, Returned
from sweeper.worker.slot_loop import Worker
from sweeper.worker.spec import Rules, Slot, WorkerSpec
from sweeper.worker.stop_grace import StopGrace
from tests.conftest import work


@pytest.fixture
def launch(tmp_path) -> LaunchDir:
    return SweepDir.of(tmp_path, SweepRef("e", "p", "s")).new_launch()


def spec(launch, **rules) -> WorkerSpec:
    slot = Slot(name="cpu0", device="", threads=1)
    return WorkerSpec(
        sweep="e/p/s", trainer="nowhere:train", slot=slot, count=2, directory=str(launch.path), rules=Rules(**rules)
    )


def environ(folder) -> dict[str, str]:
    """The environment of a worker that finds its trainer in a folder."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}


def note(launch, run_id, outcome, reason="", policy=None, **more) -> None:
    launch.append(Attempt(run_id=run_id, slot="cpu0", outcome=outcome, reason=reason, policy=policy, **more))


def test_a_trainer_that_cannot_be_loaded_ends_the_launch(launch, tmp_path):
    """It is the same on every slot: one worker says so, no run is taken, and its ticket is free again."""
    orders = launch.spec("cpu0")
    spec(launch).save(orders)
    assert work(orders, cwd=tmp_path, env=dict(os.environ)) == "failed"
    said = launch.worker_log("cpu0").read_text()
    assert "cannot import nowhere" in said
    assert str(launch.path / "runs" / "cpu0-0001.log") in said
    assert "cannot import nowhere" in launch.ended()
    assert launch.tickets_of("cpu0") == []
    assert launch.history() == []


def test_a_failure_that_every_run_would_have_ends_the_launch(launch):
    """A missing package fails the first run and all others; one that only some parameters need fails theirs."""
    worker = Worker(spec(launch))
    note(launch, "r1", AttemptOutcome.FAILED, "ModuleNotFoundError: x", Policy.FAIL, kind=Kind.IMPORT)
    worker._end_if_broken()
    assert launch.ended() == ""
    note(launch, "r2", AttemptOutcome.FAILED, "ModuleNotFoundError: x", Policy.FAIL, kind=Kind.IMPORT)
    worker._end_if_broken()
    assert launch.ended() == "every run would fail: ModuleNotFoundError: x"


def test_failures_in_a_row_are_counted_over_all_slots_and_not_while_runs_wait(launch):
    """A run that is to be retried has not failed yet."""
    worker = Worker(spec(launch, max_failures=2))
    note(launch, "r0", AttemptOutcome.FINISHED)
    note(launch, "r1", AttemptOutcome.FAILED, "E: 1", Policy.FAIL)
    note(launch, "r2", AttemptOutcome.DIED, "killed", Policy.RETRY_HERE)
    worker._end_if_broken()
    assert launch.ended() == ""
    note(launch, "r3", AttemptOutcome.FAILED, "E: 2", Policy.FAIL)
    worker._end_if_broken()
    assert "2 runs failed in a row" in launch.ended()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def train(:\n", "cannot import toy: SyntaxError: invalid syntax (toy.py, line 1)"),
        ("import os\nos._exit(5)\n", "importing toy ended its process: it exited with code 5"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n", "it was ended by SIGSEGV"),
    ],
    ids=["syntax", "exits", "crashes"],
)
def test_a_module_that_ends_whoever_imports_it_ends_the_launch(launch, tmp_path, code, said):
    """The forkserver dies of it first; a run's process then tells why, in the user's words."""
    (tmp_path / "toy.py").write_text(code)
    orders = launch.spec("cpu0")
    replace(spec(launch), trainer="toy:train").save(orders)
    assert work(orders, cwd=tmp_path, env=environ(tmp_path)) == "failed"
    assert said in launch.ended()
    assert launch.ended() in launch.worker_log("cpu0").read_text()


def test_a_launch_of_before_an_upgrade_starts_a_worker_by_its_orders(launch, tmp_path):
    """Its code is in its memory, and the new one is on the disk: it gives the file, and looks at the exit code."""
    orders = launch.spec("cpu0")
    spec(launch).save(orders)
    command = python("-m", "sweeper.worker", str(orders))
    done = subprocess.run(command, cwd=tmp_path, env=environ(tmp_path), capture_output=True, text=True, timeout=100)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == launch.ended()
    assert "cannot import nowhere" in launch.ended()


def test_a_process_that_dies_before_it_has_a_run_is_followed_by_another(launch, capsys):
    """Its wandb-core was killed, perhaps; the third in a row is the slot's own trouble, and no ticket is used up."""
    worker, made = Worker(spec(launch)), []

    def new() -> SimpleNamespace:
        end = {
            "run_id": "",
            "setup_error": "",
            "prepared": True,
            "exit_code": 1,
            "ended": True,
            "log": Path(f"{len(made)}.log"),
        }
        made.append(SimpleNamespace(**{**NO_RUN, **end}))
        return made[-1]

    worker.processes = SimpleNamespace(new=new, end_strays=lambda: False)
    assert worker._work().endswith("before it got a run; see 2.log")
    said = capsys.readouterr().err.splitlines()
    assert [line.rpartition("see ")[2] for line in said] == ["0.log; trying again", "1.log; trying again"]
    assert launch.tickets_of("cpu0") == []


@pytest.mark.parametrize(
    ("end", "times"),
    [
        (("wandb.errors.AuthenticationError: An error occurred while verifying credentials with x", 1, False), 12),
        (("", 1, True), 12),
        (("", -9, False), 12),
        (("", -11, False), 3),
        (("PermissionError: wandb-core", 1, False), 3),
    ],
)
def test_a_slot_outlasts_whoever_kills(launch, tmp_path, monkeypatch, end, times):
    """Three of its processes in a row were killed for a lack of memory elsewhere: that is not the slot's trouble."""
    said, exit_code, core_killed = end
    log = tmp_path / "run.log"
    log.write_text(said)
    worker, made, pauses = Worker(spec(launch)), [], []
    worker.processes = ends_without_a_run(made, log=log, exit_code=exit_code)
    worker.processes.end_strays = lambda: core_killed
    monkeypatch.setattr(worker, "_pause", pauses.append)
    assert worker._work().endswith(f"ended with code {exit_code} before it got a run; see {log}")
    assert len(made) - len([one for one in made if one is worker.upcoming]) == times
    grows = [0.4, 0.8, 1.6, 3.2, *[5.0] * 7]
    assert pauses == (grows if times == 12 else [0.0, 0.0])
    assert launch.tickets_of("cpu0") == []


def test_the_only_slot_leaves_no_run_to_others(launch):
    """Nobody else would take it; where there are others, it waits until one of them has."""
    worker = Worker(spec(launch))
    spec(launch).save(launch.spec("cpu0"))
    note(launch, "r1", AttemptOutcome.DIED, "crash", Policy.RETRY_ELSEWHERE)
    began = time.monotonic()
    worker._leave_to_others("r1")
    assert time.monotonic() - began < 1
    spec(launch).save(launch.spec("cpu1"))
    note(launch, "r1", None)  # the other slot has begun it
    worker._leave_to_others("r1")
    assert time.monotonic() - began < 2


NO_RUN = {
    "result": None,
    "started_at_s": None,
    "stopping": False,
    "let_in": lambda: None,
    "dismiss": lambda: None,
}
"""What there is to a process that ended without a run."""
NOBODY = "http://127.0.0.1:9"
"""The port of the discard service, where nobody listens."""


def ends_without_a_run(made: list[object], **more) -> SimpleNamespace:
    """The processes of a worker, each of which dies before it has a run."""
    end = {
        "run_id": "",
        "setup_error": "",
        "prepared": True,
        "exit_code": 1,
        "ended": True,
        "log": Path("1.log"),
        **more,
    }

    def new() -> SimpleNamespace:
        made.append(SimpleNamespace(**{**NO_RUN, **end}))
        return made[-1]

    return SimpleNamespace(new=new, end_strays=lambda: False)


def test_a_slot_waits_for_a_server_that_is_away(launch, monkeypatch, capsys, embedded):
    """What dies of that is not counted; when the server is back, three in a row that die are the slot's own trouble."""
    monkeypatch.setenv("WANDB_BASE_URL", NOBODY)
    threading.Timer(1.5, monkeypatch.setenv, ("WANDB_BASE_URL", embedded.url)).start()
    worker, made = Worker(spec(launch)), []
    worker.processes = ends_without_a_run(made)
    assert worker._work().endswith("before it got a run; see 1.log")
    said = capsys.readouterr().err
    assert f"nobody answers at {NOBODY}" in said
    assert "the server answers again, after " in said
    assert len(made) > 3
    assert launch.tickets_of("cpu0") == []


def test_a_stop_ends_the_waiting_for_a_server(launch, monkeypatch):
    """Ctrl-C, `sweeper stop` and the time budget reach a worker as a signal."""
    monkeypatch.setenv("WANDB_BASE_URL", NOBODY)
    worker, made = Worker(spec(launch)), []
    worker.processes = ends_without_a_run(made)
    threading.Timer(0.3, worker.signals.append, (15,)).start()
    began = time.monotonic()
    assert worker._work() == ""
    assert time.monotonic() - began < 3
    assert len(made) in {1, 2}  # the next one is made ahead


def a_run(**facts) -> SimpleNamespace:
    return SimpleNamespace(run_id="r1", holder="me", exit_code=0, result=None, **facts)


RETRY = Failure(Kind.CONNECTION, "lost", Policy.RETRY_HERE)


def told(worker, *answers) -> list[tuple[str, str]]:
    """Have a worker's server answer so; give what it was told."""
    left, heard = list(answers), []

    def set_state(_run, state, reason, holder):
        assert holder == "me"
        heard.append((state, reason))
        return left.pop(0) if left else ""

    worker.processes = SimpleNamespace(set_state=set_state, state_of=lambda _run: "running")
    return heard


def test_a_refusal_is_believed_when_it_is_said_twice(launch):
    """A run that is not handed out again has failed, and the server is told why."""
    worker = Worker(spec(launch))
    heard = told(worker, "An error occurred while verifying credentials")
    assert worker._tell_server(a_run(), RETRY) == (RETRY, True)
    assert heard == [("pending", "lost")] * 2
    heard = told(worker, "no", "no")
    failure, _ = worker._tell_server(a_run(), RETRY)
    assert failure == RETRY.not_retried("no")
    assert heard == [("pending", "lost")] * 2 + [("failed", "lost; not retried: no")]


def test_a_preempted_run_waits_whatever_the_server_says(launch):
    """W&B's own server hands out what was marked as preempting, and refuses to be asked for it."""
    worker = Worker(spec(launch))
    failure = Failure(Kind.PREEMPTED, "stopped", Policy.RETRY_HERE)
    heard = told(worker, "no", "no")
    assert worker._tell_server(a_run(), failure) == (failure, True)
    assert {state for state, _ in heard} == {"pending"}


def test_a_run_that_the_stopped_launch_cannot_hand_out_still_waits(launch, monkeypatch):
    """Its server is away, and nobody says "not retried"; whoever takes the slot up tells it."""
    monkeypatch.setenv("WANDB_BASE_URL", NOBODY)
    worker = Worker(spec(launch))
    worker.signals.append(15)
    heard = told(worker)
    assert worker._tell_server(a_run(), RETRY) == (RETRY, False)
    assert heard == []


@pytest.mark.parametrize(("exit_code", "told_so"), [(0, []), (1, [("failed", "")])])
def test_the_server_is_told_of_a_process_that_died(launch, exit_code, told_so):
    """A run that ended well needs no word of ours."""
    worker = Worker(spec(launch))
    heard = told(worker)
    handle = a_run()
    handle.exit_code = exit_code
    assert worker._tell_server(handle, None) == (None, True)
    assert heard == told_so


@pytest.mark.parametrize(
    ("script", "result", "told_so"),
    [
        (True, Raised(1.0, "", 143), [("failed", "")]),
        (True, Returned(1.0), []),
        (False, Raised(1.0, ""), []),
    ],
)
def test_the_server_is_told_of_a_script_that_was_stopped(launch, script, result, told_so):
    """It dies of SIGTERM, and says nothing; a function that is interrupted ends its run itself."""
    worker = Worker(replace(spec(launch), script=script))
    heard = told(worker)
    handle = a_run()
    handle.result = result
    assert worker._tell_server(handle, None) == (None, True)
    assert heard == told_so


@pytest.mark.parametrize(
    ("exit_code", "result", "state", "unsent"),
    [
        (0, Returned(1.0), "", False),
        (0, Returned(1.0, open_state="running"), "", True),
        (0, Returned(1.0, "never began", open_state="running"), "", False),
        (-9, Returned(1.0), "", False),
        (-9, Returned(1.0), "running", True),
        (-9, Raised(1.0, "E"), "running", False),
        (-9, None, "running", False),
    ],
)
def test_a_run_whose_end_the_server_lacks_has_not_ended_well(launch, exit_code, result, state, unsent):
    """The server is asked of a process that died behind its trainer: by kill -9, or because it hung."""
    worker = Worker(spec(launch))
    worker.processes = SimpleNamespace(state_of=lambda _run: state)
    handle = SimpleNamespace(run_id="r1", exit_code=exit_code, result=result)
    assert bool(worker._unsent(handle)) is unsent


@pytest.mark.parametrize(
    ("state", "outcome"), [("finished", AttemptOutcome.FINISHED), ("failed", AttemptOutcome.FAILED)]
)
def test_a_run_that_lost_its_connection_behind_its_end_has_finished(launch, state, outcome):
    """The server has heard its good end; only then was its wandb-core killed. Nothing of it is to be done again."""
    worker = Worker(spec(launch))
    heard = told(worker)
    worker.processes.state_of = lambda _run: state
    result = Raised(2.0, "ConnectionResetError: Connection lost")
    handle = a_run(params={}, log=launch.path / "log", let_in_at=0.0, stopping=False, started_at_s=time.time())
    handle.result = result
    failure = worker._conclude(handle, 1, StopGrace(worker.spec.rules), core_killed=True)
    noted = launch.attempts()["r1"]
    assert (noted.outcome, noted.trainer_s) == (outcome, 2.0)
    assert bool(failure) is bool(noted.reason) is (state == "failed")
    assert [word for word, _ in heard] == ([] if state == "finished" else ["pending"])


def test_a_server_that_is_away_is_asked_for_the_end_when_it_is_back(launch, monkeypatch, embedded):
    """A run that lost its wandb-core behind its end, and its server with it, has not failed."""
    monkeypatch.setenv("WANDB_BASE_URL", NOBODY)
    threading.Timer(1.5, monkeypatch.setenv, ("WANDB_BASE_URL", embedded.url)).start()
    worker = Worker(spec(launch))
    heard = told(worker)
    worker.processes.state_of = lambda _run: "" if worker._absence() else "finished"
    assert worker._tell_server(a_run(), RETRY) == (None, True)
    assert heard == []


@pytest.mark.parametrize("signals", [[], [15]])
def test_a_run_that_was_stopped_while_it_sent_goes_on_next_time(launch, monkeypatch, signals):
    """Its trainer has returned, and the launch was stopped before the server was back: nobody's fault."""
    monkeypatch.setenv("WANDB_BASE_URL", NOBODY if signals else "")
    worker = Worker(spec(launch))
    worker.signals += signals
    worker.processes = SimpleNamespace(state_of=lambda _run: "running")
    handle = SimpleNamespace(run_id="r1", exit_code=-9, result=Returned(1.0), log=launch.path / "log")
    facts = worker._facts(handle, StopGrace(worker.spec.rules), core_killed=False)
    assert classify(facts).kind is (Kind.PREEMPTED if signals else Kind.CONNECTION)


@pytest.mark.parametrize(
    ("by_us", "by_them", "killed"), [(False, False, False), (True, False, True), (False, True, True)]
)
def test_a_killed_wandb_core_is_found_by_whoever_buries_it(launch, by_us, by_them, killed):
    """The process of a function sees its own; that of a script is left to the worker."""
    worker = Worker(spec(launch))
    result = Raised(1.0, "RuntimeError: cannot log", core_killed=by_them)
    handle = SimpleNamespace(run_id="r1", exit_code=0, result=result, log=launch.path / "log")
    facts = worker._facts(handle, StopGrace(worker.spec.rules), core_killed=by_us)
    assert facts.core_killed is killed
    assert classify(facts).kind is (Kind.CONNECTION if killed else Kind.EXCEPTION)


@pytest.mark.parametrize(
    ("kinds", "strikes"),
    [
        ([Kind.BAD_GPU], 1),
        ([Kind.BAD_GPU, Kind.BAD_GPU], 2),
        ([Kind.BAD_GPU, Kind.EXCEPTION], 0),
        ([Kind.BAD_GPU, None], 0),
    ],
)
def test_strikes_are_failures_of_the_gpu_in_a_row(launch, kinds, strikes):
    """Another end, good or bad, shows that the GPU works."""
    worker = Worker(replace(spec(launch), slot=Slot(name="gpu0", device="0", threads=1)))
    told(worker)
    says = {Kind.BAD_GPU: "CUDA error: device-side assert triggered", Kind.EXCEPTION: "ValueError: no"}
    for number, kind in enumerate(kinds):
        result = Raised(1.0, says[kind]) if kind else Returned(1.0)
        facts = {"run_id": f"r{number}", "params": {}, "let_in_at": 0.0, "stopping": False, "started_at_s": time.time()}
        handle = SimpleNamespace(result=result, holder="me", exit_code=0, log=launch.path / "log", **facts)
        worker._conclude(handle, 1, StopGrace(worker.spec.rules), core_killed=False)
    assert worker.strikes == strikes
