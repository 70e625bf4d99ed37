"""Workers as processes of this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from multiprocessing.connection import wait
from pathlib import Path

from sweeper import private_files
from sweeper.journal.directories import LaunchDir
from sweeper.launch.launcher import WorkerHandle, WorkerState
from sweeper.processes import Family, python
from sweeper.worker.spec import WorkerSpec


class LocalLauncher:
    """Starts workers as children of this process; they die with it (PDEATHSIG).

    Args:
        environ: The workers' environment: the W&B server and its key.

    What dead workers leave behind becomes a child of this process, which is how `end_strays` finds it.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ends: dict[subprocess.Popen[bytes], int] = {}
        self._family = Family()
        self._family.keep()

    def start(self, workers: Sequence[WorkerSpec]) -> list[WorkerHandle]:
        """Start one process per spec, each in a session of its own: the terminal's Ctrl-C is for us alone."""
        return [self._start(spec) for spec in workers]

    def _start(self, spec: WorkerSpec) -> WorkerHandle:
        directory = LaunchDir(Path(spec.directory))
        orders = directory.spec(spec.slot.name)
        spec.save(orders)
        log_file = directory.worker_log(spec.slot.name)
        with private_files.open_file(log_file, "ab") as log:  # behind what its predecessor said
            process = subprocess.Popen(
                python("-m", "sweeper.worker", str(orders)),
                env=worker_environ(self._environ, threads=spec.slot.threads),
                stdin=subprocess.DEVNULL,  # a trainer that asks gets an end of file, not the terminal's attention
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._processes[spec.slot.name] = process
        if sys.platform == "linux":
            self._ends[process] = os.pidfd_open(process.pid)
        self._family.keep([process.pid])
        return WorkerHandle(id=spec.slot.name, native_id=str(process.pid))

    def states(self, handles: Sequence[WorkerHandle]) -> dict[str, WorkerState]:
        """Ask for all of them."""
        return {handle.id: self._state(self._processes[handle.id]) for handle in handles}

    @staticmethod
    def _state(process: subprocess.Popen[bytes]) -> WorkerState:
        code = process.poll()
        if code is None:
            return WorkerState.RUNNING
        if code < 0:  # a signal: it could write down nothing
            return WorkerState.DIED
        return WorkerState.DONE if code == 0 else WorkerState.FAILED

    def wait(self, timeout_s: float) -> None:
        """Wait for the end of one that was at work when it was asked for last (Linux), or for that long."""
        for process in [process for process in self._ends if process.returncode is not None]:
            os.close(self._ends.pop(process))
        if self._ends:
            wait(list(self._ends.values()), timeout_s)
        else:
            time.sleep(timeout_s)

    def replace(self, handle: WorkerHandle, worker: WorkerSpec) -> WorkerHandle:
        """Start another worker for a slot whose last one has ended."""
        if self._processes[handle.id].poll() is None:
            raise ValueError(f"the worker of {handle.id} has not ended")
        return self._start(worker)

    def end_strays(self, *, spare: Collection[int] = ()) -> None:
        """Kill the children of this process that are neither its workers nor spared, with all below them."""
        self._family.keep(spare)
        self._family.end_strays()

    def stop(self, handles: Sequence[WorkerHandle], *, grace_s: float) -> None:
        """Send SIGTERM, on which a worker ends its run within the grace of its orders; SIGKILL if `grace_s` is 0."""
        number = signal.SIGTERM if grace_s > 0 else signal.SIGKILL
        for handle in handles:
            process = self._processes[handle.id]
            if process.poll() is None:
                process.send_signal(number)


def worker_environ(environ: Mapping[str, str], *, threads: int) -> dict[str, str]:
    """Say what a worker finds in its environment; what the user has set stays.

    Args:
        environ: The launch's environment.
        threads: How many threads its runs may have.
    """
    env = dict(environ)
    # more threads than cores / workers makes runs crawl: 300 instead of 24 ms a step on two cores
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        env.setdefault(name, str(threads))
    env.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait by spinning would take the other workers' cores
    return env
