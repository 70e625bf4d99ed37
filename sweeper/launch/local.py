"""Workers as processes of this machine, all forked from one that has imported what they need."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeper import private_files, temporary_folder
from sweeper.journal.directories import LaunchDir
from sweeper.launch.forkserver_process import ForkserverProcess
from sweeper.launch.launcher import WorkerHandle, WorkerState
from sweeper.processes import Family
from sweeper.worker.forkserver_orders import Ended, ForkWorker, Prepare, Prepared, SignalWorker
from sweeper.worker.run_log import tail
from sweeper.worker.spec import WorkerSpec

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""How many threads a library computes with; it reads them once, when it is imported."""


@dataclass(slots=True)
class _LocalWorker:
    """A worker: its orders, and the code it ended with; None as long as it works."""

    number: int
    spec: WorkerSpec
    code: int | None = None


class LocalLauncher:
    """Starts workers below this process; they die with it (PDEATHSIG).

    Args:
        environ: The workers' environment: the W&B server and its key.
        forkserver: One that was started early; taken if the workers are to have the threads that it has.

    What dead workers leave behind becomes a child of this process, which is how `end_strays` finds it.
    """

    def __init__(self, environ: Mapping[str, str], forkserver: ForkserverProcess | None = None) -> None:
        self._environ = environ
        self._early = forkserver
        self._forkserver: ForkserverProcess | None = None
        self._prepared = False
        self._imports_trainer = True
        self._workers: dict[str, _LocalWorker] = {}
        self._started = 0
        self._family = Family()
        self._family.keep()

    def start(self, workers: Sequence[WorkerSpec]) -> list[WorkerHandle]:
        """Have one worker forked per spec, as soon as everything is imported."""
        return [self._start(spec) for spec in workers]

    def _start(self, spec: WorkerSpec) -> WorkerHandle:
        spec.save(LaunchDir(Path(spec.directory)).spec(spec.slot.name))
        if self._forkserver is None:
            self._forkserver = self._begin(spec)
        self._started += 1
        self._workers[spec.slot.name] = worker = _LocalWorker(self._started, spec)
        self._order(worker)
        return WorkerHandle(id=spec.slot.name, native_id=str(worker.number))

    def _begin(self, spec: WorkerSpec) -> ForkserverProcess:
        """Give a forkserver its orders: the one that was started early, if it is fit."""
        environ = worker_environ(self._environ, threads=spec.slot.threads)
        early, self._early = self._early, None
        if early and any(early.environ.get(name) != environ[name] for name in THREADS):
            early.close()
            early = None
        forkserver = early or ForkserverProcess(environ)
        self._family.keep([forkserver.pid])
        self._prepared = False
        imported = spec.trainer.partition(":")[0] if self._imports_trainer and not spec.script else ""
        gpu = bool(spec.slot.device) and not spec.script
        forkserver.send(Prepare(environ=environ, directory=spec.directory, trainer=imported, gpu=gpu))
        return forkserver

    def _order(self, worker: _LocalWorker) -> None:
        directory, slot = LaunchDir(Path(worker.spec.directory)), worker.spec.slot.name
        assert self._forkserver is not None  # noqa: S101 it was begun
        self._forkserver.send(ForkWorker(worker.number, str(directory.spec(slot)), str(directory.worker_log(slot))))

    def states(self, handles: Sequence[WorkerHandle]) -> dict[str, WorkerState]:
        """Ask for all of them."""
        self._listen()
        return {handle.id: _state(self._workers[handle.id].code) for handle in handles}

    def _listen(self) -> None:
        if self._forkserver is None:
            return
        try:
            for message in self._forkserver.messages():
                if isinstance(message, Prepared):
                    self._prepared = True
                else:
                    self._note(message)
        except EOFError:
            self._forkserver.close()
            self._forkserver = None
            self._recover()

    def _note(self, end: Ended) -> None:
        for worker in self._workers.values():
            if worker.number == end.number:
                worker.code = end.code

    def _recover(self) -> None:
        """Do without the forkserver that died: its workers have died with it, or it never came to have any."""
        working = [worker for worker in self._workers.values() if worker.code is None]
        if self._prepared or not working:
            self._end(working, -signal.SIGKILL)
        elif LaunchDir(Path(working[0].spec.directory)).ended():  # it has said why
            self._end(working, 0)
        elif self._imports_trainer:  # importing it ended the process: that of a run will do so too, and tell why
            self._imports_trainer = False
            self._forkserver = self._begin(working[0].spec)
            for worker in working:
                self._order(worker)
        else:
            for worker in working:
                _say_why(worker.spec)
            self._end(working, 1)

    @staticmethod
    def _end(workers: Sequence[_LocalWorker], code: int) -> None:
        for worker in workers:
            worker.code = code

    def wait(self, timeout_s: float) -> None:
        """Wait until something is heard of workers, or for that long."""
        if self._forkserver is None:
            time.sleep(timeout_s)
        else:
            self._forkserver.wait(timeout_s)

    def replace(self, handle: WorkerHandle, worker: WorkerSpec) -> WorkerHandle:
        """Start another worker for a slot whose last one has ended."""
        if self._workers[handle.id].code is None:
            raise ValueError(f"the worker of {handle.id} has not ended")
        return self._start(worker)

    def end_strays(self, *, spare: Collection[int] = ()) -> None:
        """Kill the children of this process that are neither its own nor spared, with all below them."""
        self._family.keep(spare)
        self._family.end_strays()

    def stop(self, handles: Sequence[WorkerHandle], *, grace_s: float) -> None:
        """Send SIGTERM, on which a worker ends its run within the grace of its orders; SIGKILL if `grace_s` is 0."""
        self._listen()
        working = [worker for handle in handles if (worker := self._workers[handle.id]).code is None]
        if self._forkserver is None:
            return
        if not self._prepared:  # nobody has a run that could be lost
            self.close()
            self._end(working, 0)
            return
        for worker in working:
            self._forkserver.send(SignalWorker(worker.number, signal.SIGTERM if grace_s > 0 else signal.SIGKILL))

    def close(self) -> None:
        """End what workers are forked from, and them with it."""
        for forkserver in filter(None, [self._early, self._forkserver]):
            forkserver.close()
        self._early = self._forkserver = None


def _state(code: int | None) -> WorkerState:
    if code is None:
        return WorkerState.RUNNING
    if code < 0:  # a signal: it could write down nothing
        return WorkerState.DIED
    return WorkerState.DONE if code == 0 else WorkerState.FAILED


def _say_why(spec: WorkerSpec) -> None:
    """Write into a worker's log, whose last line is told, why there never was one."""
    directory = LaunchDir(Path(spec.directory))
    said = tail(directory.forkserver_log).strip().splitlines() or ["without a word"]
    with private_files.open_file(directory.worker_log(spec.slot.name), "a") as log:
        log.write(f"the process that workers are forked from ended: {said[-1]}\n")


def worker_environ(environ: Mapping[str, str], *, threads: int) -> dict[str, str]:
    """Say what a worker finds in its environment; what the user has set stays.

    Args:
        environ: The launch's environment.
        threads: How many threads its runs may have.
    """
    env = dict(environ)
    # more threads than cores / workers makes runs crawl: 300 instead of 24 ms a step on two cores
    for name in THREADS:
        env.setdefault(name, str(threads))
    # what torch.compile has compiled is for the next launch too: beside the folder that goes with this one (torch 2.9)
    env.setdefault("TORCHINDUCTOR_CACHE_DIR", str(temporary_folder.place() / f"torchinductor_{os.getuid()}"))
    env.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait by spinning would take the other workers' cores
    return env
