"""Workers on a Ray cluster: an actor for each slot, which Ray places and gives its device.

The actors belong to this process, the launch, and end with it, as workers of this machine do: nobody else would hand a
dead worker's run out again, or keep `--count`. Ray starts none of them anew (`max_restarts=0`): the launch does, when
it has taken up what the dead one was at and has counted how often.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sweeper.journal.directories import LaunchDir
from sweeper.launch.launcher import WorkerHandle, WorkerState
from sweeper.launch.ray_station import StationActor
from sweeper.worker.spec import WorkerSpec

ASK_AGAIN_S = 1.0
"""How long an actor is let be that could not be reached: its node may be lost, or just its connection."""
CODES = {0: WorkerState.DONE, 1: WorkerState.FAILED}
"""How a station that ended by itself says how its worker did."""


@dataclass(slots=True)
class _RayWorker:
    """A worker: its actor, and what is asked of it.

    Attributes:
        actor: Ray's handle.
        begun: Resolves when the actor has its place.
        ended: Resolves when its station has ended; None where it could not be reached.
        state: How it is.
        is_placed: Whether it had its place when Ray was asked last.
        is_stopped: Whether it was asked to stop.
        ask_at: When one that could not be reached is asked again.
    """

    actor: Any
    begun: Any
    ended: Any
    state: WorkerState = WorkerState.RUNNING
    is_placed: bool = False
    is_stopped: bool = False
    ask_at: float = 0.0


class RayLauncher:
    """Starts a station in an actor for each slot; this process has joined the cluster (`ray_cluster.joined`).

    Args:
        environ: The workers' environment.
        num_gpus: GPUs of each slot, maybe a fraction.
        num_cpus: Of Ray's CPUs, those of each slot.
        shares: Of each node, by its id, the part of its cores that a slot's runs may compute with.
    """

    def __init__(
        self, environ: Mapping[str, str], *, num_gpus: float, num_cpus: float, shares: Mapping[str, float] | None = None
    ) -> None:
        self._environ = dict(environ)
        self._needs = {"num_gpus": num_gpus, "num_cpus": num_cpus}
        self._shares = dict(shares or {})
        self._workers: dict[str, _RayWorker] = {}
        self._started = 0

    @cached_property
    def _ray(self) -> Any:
        import ray

        return ray

    def start(self, workers: Sequence[WorkerSpec]) -> list[WorkerHandle]:
        """Ask Ray for an actor per spec; one for which the cluster has no place yet waits for it."""
        return [self._start(spec) for spec in workers]

    def _start(self, spec: WorkerSpec) -> WorkerHandle:
        orders = LaunchDir(Path(spec.directory)).spec(spec.slot.name)
        spec.save(orders)
        self._started += 1
        name = f"sweeper {spec.sweep} {spec.slot.name} {os.getpid()}.{self._started}"
        # four threads: one waits for the station, the others answer
        options = {"name": name, "max_restarts": 0, "max_task_retries": 0, "max_concurrency": 4, **self._needs}
        remote = self._ray.remote(StationActor).options(**options)
        actor = remote.remote(str(orders), self._environ, str(Path.cwd()), self._shares, name)
        self._workers[spec.slot.name] = _RayWorker(actor, actor.begun.remote(), actor.ended.remote())
        return WorkerHandle(id=spec.slot.name, native_id=name)

    def states(self, handles: Sequence[WorkerHandle]) -> dict[str, WorkerState]:
        """Ask Ray once for all of them."""
        self._listen()
        return {handle.id: self._workers[handle.id].state for handle in handles}

    def _listen(self) -> None:
        working = [worker for worker in self._workers.values() if worker.state.works]
        for worker in working:
            if worker.ended is None and time.monotonic() >= worker.ask_at:
                worker.ended = worker.actor.ended.remote()
        asked = {ref: worker for worker in working for ref in self._asked(worker)}
        if not asked:
            return
        heard, _ = self._ray.wait(list(asked), num_returns=len(asked), timeout=0)
        for ref in heard:
            if ref == asked[ref].begun:
                asked[ref].is_placed = True
            else:
                self._note(asked[ref])

    @staticmethod
    def _asked(worker: _RayWorker) -> list[Any]:
        begun = [] if worker.is_placed else [worker.begun]
        return begun if worker.ended is None else [*begun, worker.ended]

    def _note(self, worker: _RayWorker) -> None:
        """Take down how a station has ended."""
        errors = self._ray.exceptions
        try:
            code = self._ray.get(worker.ended)
        except errors.ActorUnavailableError:  # not the same as dead: to start another would give its run to two
            worker.ended, worker.state = None, WorkerState.UNKNOWN
            worker.ask_at = time.monotonic() + ASK_AGAIN_S
            return
        except errors.RayError:  # its node is lost, or somebody killed it
            worker.state = WorkerState.DIED
        else:
            worker.state = state_of(code, is_stopped=worker.is_stopped)
        self._dismiss(worker)

    def _dismiss(self, worker: _RayWorker) -> None:
        """Give back what an actor holds: its device is for the next one."""
        with contextlib.suppress(self._ray.exceptions.RayError):
            self._ray.kill(worker.actor, no_restart=True)

    def wait(self, timeout_s: float) -> None:
        """Wait until a station has ended, but not for longer."""
        asked = [worker.ended for worker in self._workers.values() if worker.state.works and worker.ended is not None]
        if asked:
            self._ray.wait(asked, num_returns=1, timeout=timeout_s)
        else:
            time.sleep(timeout_s)

    def stop(self, handles: Sequence[WorkerHandle], *, grace_s: float) -> None:
        """Have stations end their runs within the grace of their orders; kill them if `grace_s` is 0."""
        self._listen()
        for worker in (self._workers[handle.id] for handle in handles):
            if not worker.state.works:
                continue
            worker.is_stopped = grace_s > 0
            if not worker.is_placed:  # it waits for a place: nobody has a run that could be lost
                worker.state = WorkerState.DONE
                self._dismiss(worker)
            elif grace_s > 0:
                worker.actor.signal.remote(int(signal.SIGTERM))
            else:
                self._dismiss(worker)

    def replace(self, handle: WorkerHandle, worker: WorkerSpec) -> WorkerHandle:
        """Start another worker for a slot whose last one has ended, wherever there is a place for it now."""
        if self._workers[handle.id].state.works:
            raise ValueError(f"the worker of {handle.id} has not ended")
        return self._start(worker)

    def close(self) -> None:
        """End every actor, and its station with it."""
        for worker in self._workers.values():
            self._dismiss(worker)

    def end_strays(self, *, spare: Collection[int] = ()) -> None:
        """Do nothing here: what dead workers leave running is ended on its own node, by station and actor."""


def state_of(code: int, *, is_stopped: bool) -> WorkerState:
    """Say how a worker ended.

    Args:
        code: The exit code of its station; negative for a signal.
        is_stopped: Whether it was asked to end gently: then it has nothing more to do, whatever it left for others.
    """
    if code >= 0 and is_stopped:
        return WorkerState.DONE
    return CODES.get(code, WorkerState.DIED)
