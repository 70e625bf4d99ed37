"""A launch under way, with a launcher of our own: what `Launcher` promises is all that a launch needs."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.errors import LaunchError
from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.journal.failures import Failure, Kind, Policy
from sweeper.launch.foreground import run_launch
from sweeper.launch.launch_result import LaunchResult
from sweeper.launch.launcher import WorkerHandle, WorkerState
from sweeper.launch.prepare import Launch
from sweeper.launch.replacement import RESTARTS
from sweeper.ref import SweepRef
from sweeper.worker.spec import Rules, Slot, WorkerSpec

FAILURE = Failure(Kind.CRASH, "SIGSEGV", Policy.RETRY_ELSEWHERE)


class Cluster:
    """A launcher without processes: a test says what each worker does when it is started, and how it ends.

    Args:
        work: Given the orders and how many workers the slot has had; gives the state in which the worker ends.
    """

    def __init__(self, work: Callable[[WorkerSpec, int], WorkerState]) -> None:
        self._work = work
        self._states: dict[str, WorkerState] = {}
        self.started: list[WorkerSpec] = []
        self.stops: list[float] = []
        self.cleared = 0

    def start(self, workers: Sequence[WorkerSpec]) -> list[WorkerHandle]:
        """Have each do its work at once."""
        return [self._start(worker) for worker in workers]

    def _start(self, worker: WorkerSpec) -> WorkerHandle:
        self.started.append(worker)
        number = [spec.slot.name for spec in self.started].count(worker.slot.name)
        self._states[worker.slot.name] = self._work(worker, number)
        return WorkerHandle(id=worker.slot.name, native_id=f"job{len(self.started)}")

    def states(self, handles: Sequence[WorkerHandle]) -> dict[str, WorkerState]:
        """Tell how each one's work went."""
        return {handle.id: self._states[handle.id] for handle in handles}

    def wait(self, timeout_s: float) -> None:
        """Hear of no end by itself."""
        time.sleep(timeout_s)

    def stop(self, handles: Sequence[WorkerHandle], *, grace_s: float) -> None:
        """Have all of them end well."""
        self.stops.append(grace_s)
        self._states.update({handle.id: WorkerState.DONE for handle in handles})

    def replace(self, handle: WorkerHandle, worker: WorkerSpec) -> WorkerHandle:
        """Start the slot's next one."""
        assert handle.id == worker.slot.name
        return self._start(worker)

    def end_strays(self, *, spare: Sequence[int] = ()) -> None:
        """There are none."""
        assert not spare
        self.cleared += 1


@pytest.fixture
def launch_of(tmp_path):
    """Prepare a launch on two slots."""

    def launch_of(**rules) -> Launch:
        ref = SweepRef("e", "p", "s")
        return Launch(
            ref=ref,
            trainer="a:b",
            script=False,
            slots=(Slot(name="cpu0", device="", threads=1), Slot(name="cpu1", device="", threads=1)),
            directory=SweepDir.of(tmp_path, ref).new_launch(),
            count=2,
            rules=Rules(**rules),
            environ={},
            before=None,  # for the command's own display
        )

    return launch_of


def run(launch: Launch, cluster: Cluster, **more) -> LaunchResult:
    return run_launch(launch, launcher=cluster, **{"tick": lambda: None, "on_stop": lambda _: None, **more})


def note(spec: WorkerSpec, run_id: str, outcome: AttemptOutcome, failure: Failure | None = None) -> None:
    folder(spec).append(Attempt(run_id=run_id, slot=spec.slot.name).ended(outcome, failure))


def folder(spec: WorkerSpec) -> LaunchDir:
    return LaunchDir(Path(spec.directory))


def test_a_launch_needs_no_more_than_a_launcher(launch_of):
    """Its workers get their orders; what they noted is its result; it is held as long as it lasts."""
    launch = launch_of(retries=5)

    def work(spec, _number):
        assert launch.directory.launcher() == os.getpid()
        note(spec, f"run-{spec.slot.name}", AttemptOutcome.FINISHED)
        return WorkerState.DONE

    cluster = Cluster(work)
    result = run(launch, cluster)
    assert result.ok
    assert {attempt.run_id for attempt in result.runs} == {"run-cpu0", "run-cpu1"}
    assert cluster.started == [launch.worker_spec(slot) for slot in launch.slots]
    assert cluster.started[0].rules == Rules(retries=5)
    assert launch.directory.launcher() is None


def test_a_run_that_waits_gets_a_worker_again(launch_of):
    """A worker that had nothing more to do is replaced when a run came back since."""

    def work(spec, number):
        if number == 1 and spec.slot.name == "cpu0":
            note(spec, "r1", AttemptOutcome.DIED, FAILURE)
        elif number == 2:
            note(spec, "r1", AttemptOutcome.FINISHED)
        return WorkerState.DONE

    cluster = Cluster(work)
    assert run(launch_of(), cluster).ok
    assert len(cluster.started) == 3


def test_a_dead_worker_is_replaced_so_often_and_no_more(launch_of):
    """Something is wrong with its slot; the launch says so with the last line of the worker's log."""

    def work(spec, number):
        folder(spec).worker_log(spec.slot.name).write_text(f"first\nworker {number} breaks\n\n")
        return WorkerState.DIED if spec.slot.name == "cpu0" else WorkerState.DONE

    cluster = Cluster(work)
    launch = launch_of()
    result = run(launch, cluster)
    assert [spec.slot.name for spec in cluster.started].count("cpu0") == 1 + RESTARTS
    assert [launch.directory.restarts(slot) for slot in ("cpu0", "cpu1")] == [RESTARTS, 0]  # for `status`
    assert cluster.cleared >= RESTARTS
    assert not result.ok
    assert list(result.errors) == ["cpu0"]
    assert f"worker {1 + RESTARTS} breaks (log: " in result.errors["cpu0"]


def test_a_worker_that_gave_up_is_not_replaced(launch_of):
    """It knew why, and the next one would know the same."""

    def work(spec, _number):
        folder(spec).worker_log(spec.slot.name).touch()
        note(spec, "r1", AttemptOutcome.DIED, FAILURE)
        return WorkerState.FAILED

    cluster = Cluster(work)
    result = run(launch_of(), cluster)
    assert len(cluster.started) == 2
    assert "ended without a word" in result.errors["cpu1"]


def test_a_time_budget_ends_a_launch_gently_and_as_planned(launch_of):
    """Nobody pressed Ctrl-C, so nobody is told of one, and it is no error."""
    told: list[int] = []
    cluster = Cluster(lambda *_: WorkerState.RUNNING)
    result = run(launch_of(time_budget_s=0.01, grace_s=7.0), cluster, on_stop=told.append)
    assert cluster.stops == [7.0]
    assert (result.ended, result.planned, result.interrupted) == ("the time budget is used up", True, False)
    assert result.ok
    assert told == []


def test_a_signal_stops_the_workers_and_is_ours_no_longer_afterwards(launch_of):
    """Ctrl-C asks with the grace of the launch; the handlers that were there before are back."""
    before = signal.getsignal(signal.SIGINT)
    told: list[int] = []
    cluster = Cluster(lambda *_: WorkerState.RUNNING)

    def press() -> None:
        if not told:
            os.kill(os.getpid(), signal.SIGINT)

    result = run(launch_of(grace_s=7.0), cluster, tick=press, on_stop=told.append)
    assert (told, cluster.stops) == ([1], [7.0])
    assert result.interrupted
    assert not result.ok
    assert signal.getsignal(signal.SIGINT) is before


def test_a_closed_terminal_stops_the_workers_once(launch_of):
    """The kernel tells it more than once: that is no second Ctrl-C, and it does not end us before the summary."""
    before = signal.getsignal(signal.SIGHUP)
    told: list[int] = []
    cluster = Cluster(lambda *_: WorkerState.RUNNING)

    def close() -> None:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGHUP)

    result = run(launch_of(grace_s=7.0), cluster, tick=close, on_stop=told.append)
    assert (told, cluster.stops) == ([1], [7.0])
    assert result.interrupted
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    signal.signal(signal.SIGHUP, before)


def test_nohup_means_what_it_says(launch_of):
    """Where SIGHUP is ignored it stays so."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    cluster = Cluster(lambda *_: WorkerState.RUNNING)
    told: list[int] = []

    def close_and_stop() -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        if not told:
            os.kill(os.getpid(), signal.SIGTERM)

    run(launch_of(), cluster, tick=close_and_stop, on_stop=told.append)
    assert told == [1]
    assert signal.signal(signal.SIGHUP, before) is signal.SIG_IGN


def test_what_ended_the_launch_is_told_once(launch_of):
    """Not by every slot that saw it; what else a slot has to say is."""

    def work(spec, _number):
        folder(spec).end("cannot import toy")
        said = "cannot import toy; see x" if spec.slot.name == "cpu0" else "the disk is full"
        folder(spec).worker_log(spec.slot.name).write_text(said)
        return WorkerState.FAILED

    result = run(launch_of(), Cluster(work))
    assert result.ended == "cannot import toy"
    assert list(result.errors) == ["cpu1"]


def test_a_worker_whose_log_was_deleted_still_counts_as_failed(launch_of):
    """Nobody can say why it gave up; the launch ends as it would have."""

    def work(worker: WorkerSpec, _number: int) -> WorkerState:
        LaunchDir(Path(worker.directory)).worker_log(worker.slot.name).unlink(missing_ok=True)
        return WorkerState.FAILED

    said = run(launch_of(), Cluster(work)).errors["cpu0"]
    assert said.startswith("it ended without a word (log: ")


@pytest.mark.parametrize("seen", [WorkerState.RUNNING, WorkerState.FAILED, WorkerState.DIED])
def test_a_launch_whose_folder_is_deleted_ends(launch_of, seen):
    """Its workers can neither take tickets nor write down what became of their runs; one may have died of it first."""
    launch = launch_of()
    launch = replace(launch, needs=(Path("/"), launch.directory.path / "data"))
    launch.needs[1].mkdir()

    def work(_spec, _number):
        launch.needs[1].rmdir()
        return seen

    with pytest.raises(LaunchError, match=f"{launch.needs[1]} was deleted or moved away"):
        run(replace(launch, slots=launch.slots[:1]), Cluster(work))


def test_a_file_that_hides_a_module_of_python_is_named(launch_of, tmp_path, monkeypatch):
    """A worker that cannot start for it says what is missing, and not why."""
    (tmp_path / "random.py").touch()
    (tmp_path / "train.py").touch()
    monkeypatch.chdir(tmp_path)

    def work(spec, _number):
        folder(spec).worker_log(spec.slot.name).write_text("ImportError: cannot import name 'SystemRandom'")
        return WorkerState.FAILED

    said = run(launch_of(), Cluster(work)).errors["cpu0"]
    assert "'SystemRandom'; random.py in this folder hides a module of Python" in said


@pytest.mark.usefixtures("connected")
def test_a_worker_that_dies_while_the_server_is_away_is_replaced_when_it_is_back(launch_of, embedded, monkeypatch):
    """Its run is handed out then, and is given up by nobody; until then the launch goes on."""
    told: list[float] = []
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    launch = launch_of()

    def work(spec, number):
        if number > 1:
            return WorkerState.DONE
        folder(spec).append(Attempt(run_id=f"r-{spec.slot.name}", slot=spec.slot.name, ticket=1))
        return WorkerState.DIED

    def come_back() -> None:
        told.append(time.monotonic())
        if told[-1] - told[0] > 1.0:
            monkeypatch.setenv("WANDB_BASE_URL", embedded.url)
        else:
            assert [attempt.outcome for attempt in launch.directory.history()] == [None, None]

    cluster = Cluster(work)
    result = run(launch, cluster, tick=come_back)
    assert len(cluster.started) == 4
    assert all("not retried: cannot hand out" in attempt.reason for attempt in result.runs)  # it knows none of them


def test_a_launch_that_is_stopped_while_the_server_is_away_leaves_its_lost_runs_to_the_next(launch_of, monkeypatch):
    """It ends at once, and what its dead workers were at has no end yet."""
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    pressed: list[int] = []

    def work(spec, _number):
        folder(spec).append(Attempt(run_id=f"r-{spec.slot.name}", slot=spec.slot.name, ticket=1))
        folder(spec).worker_log(spec.slot.name).touch()
        return WorkerState.DIED

    def press() -> None:
        if not pressed:
            pressed.append(1)
            os.kill(os.getpid(), signal.SIGINT)

    began = time.monotonic()
    result = run(launch_of(), Cluster(work), tick=press)
    assert time.monotonic() - began < 5
    assert result.interrupted
    assert [attempt.outcome for attempt in result.runs] == [None, None]
