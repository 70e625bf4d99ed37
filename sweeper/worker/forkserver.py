"""Where the processes of a slot's runs come from.

They are forked from a forkserver that has imported torch, wandb and the trainer once: 0.05 s instead of 5-6 s a run,
and a run that dies takes nothing with it.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from multiprocessing.context import ForkServerContext, SpawnContext
from typing import Literal

from sweeper.journal.directories import LaunchDir
from sweeper.processes import Family
from sweeper.ref import RunRef
from sweeper.worker.run_handle import RunHandle
from sweeper.worker.run_process import probe, set_run_state
from sweeper.worker.spec import WorkerSpec
from sweeper.worker.trainer_import import PRELOAD

OWN = ("sweeper.worker.preload", "sweeper.worker.run_process", "sweeper.backend.sdk")
"""Our modules; the first one binds the forkserver's life to the worker's, before anything else can go wrong."""

SDK = ("wandb", "wandb.apis.public", "wandb.agents.pyagent", "wandb.sdk.launch.inputs.internal", "requests")
"""The agent's parts of the SDK, which a run's process would import by itself: most of a second (wandb 0.31)."""

TORCH = ("torch", "torch._dynamo")
"""torch._dynamo: the first optimizer of a process imports it, 1.2 s (torch 2.15)."""

TRAINER = "sweeper.worker.preload_trainer"
"""Imports the trainer's module, the last one."""

DEATH_S = 10.0
"""How long a forkserver that is dying may take to be gone."""


def preloads(spec: WorkerSpec) -> list[str]:
    """Name the modules that the forkserver imports; it skips those that are not there."""
    return [*OWN, *SDK, *(() if spec.script else (*TORCH, TRAINER))]


class RunProcesses:
    """Makes the processes of one worker.

    Args:
        spec: The worker's orders.
        directory: The launch's folder, for their logs.
    """

    def __init__(self, spec: WorkerSpec, directory: LaunchDir) -> None:
        self._spec = spec
        self._directory = directory
        self._family = Family()
        self._context: ForkServerContext | SpawnContext = multiprocessing.get_context("forkserver")
        multiprocessing.set_forkserver_preload(preloads(spec))
        os.environ[PRELOAD] = spec.trainer.partition(":")[0]  # noqa: TID251

    def preload(self) -> None:
        """Wait until the forkserver has imported everything: that is no run's time, and needs no ticket.

        A process forked after CUDA was initialised cannot use it. Where the trainer's import does that, runs are
        started from nothing instead.
        """
        gpu = bool(self._spec.slot.device) and not self._spec.script
        # no answer: it died, and a run's process will tell why
        if self._first_answer(gpu) is False:
            words = "importing it starts CUDA, so every run starts a new Python: seconds instead of milliseconds"
            print(f"{self._spec.trainer}: {words}", file=sys.stderr)  # noqa: T201 the worker's own log
            self._context = multiprocessing.get_context("spawn")
        self._family.keep()  # the forkserver, and the tracker that multiprocessing starts beside it

    def _first_answer(self, gpu: bool) -> object:
        """Ask whether forked processes can use the GPU; without the trainer where importing it ends the forkserver."""
        deadline = None
        while True:
            try:
                return self._ask(probe, gpu, otherwise=True)
            except (EOFError, OSError):
                deadline = deadline or time.monotonic() + DEATH_S  # from here on: the import may have taken its time
                if time.monotonic() > deadline:
                    raise
            os.environ.pop(PRELOAD, None)  # noqa: TID251
            multiprocessing.set_forkserver_preload(preloads(self._spec)[:-1])
            time.sleep(0.05)  # another one starts when it is gone

    def new(self) -> RunHandle:
        """Start the process of a run to come."""
        handle = RunHandle(self._context, self._spec, self._directory.new_run_log(self._spec.slot.name))
        self._family.keep([handle.pid])
        return handle

    def _ask(self, question: Callable[..., None], *args: object, otherwise: object) -> object:
        """Have a function answered in a process of its own; `otherwise` if that dies first."""
        here, there = self._context.Pipe(duplex=False)
        process = self._context.Process(target=question, args=(*args, there))
        process.start()
        there.close()  # or its death would not be seen as the end of the pipe
        try:
            answer: object = here.recv()
        except EOFError:
            answer = otherwise
        process.join()
        return answer

    def set_state(self, run: RunRef, state: Literal["pending", "failed"], reason: str) -> str:
        """Have the server hand a run out again or end it, and tell it why; say why it does not, empty if it does.

        In a process of its own: the SDK's threads and this one's forks do not go together.
        """
        return str(self._ask(set_run_state, run, state, reason, otherwise="the process that asks the server died"))

    def end_strays(self) -> None:
        """Kill what a run has left behind: it would hold its GPU's memory."""
        self._family.end_strays()
