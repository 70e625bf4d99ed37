"""The processes of a slot's runs, forked from their worker.

The worker was itself forked from a process that has imported everything (`forkserver.py`), so a run begins in
milliseconds instead of seconds, and one that dies takes nothing with it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable
from multiprocessing.context import ForkContext, SpawnContext
from typing import Literal

from sweeper.journal.directories import LaunchDir
from sweeper.processes import Family
from sweeper.ref import RunRef
from sweeper.worker.run_handle import RunHandle
from sweeper.worker.run_process import run_state, set_run_state
from sweeper.worker.spec import WorkerSpec

POLL_S = 0.5

Method = Literal["fork", "spawn"]
"""How processes are made: a fork of the worker, or a new Python where a fork could not use the GPU."""


def _context(method: Method) -> ForkContext | SpawnContext:
    return multiprocessing.get_context("fork") if method == "fork" else multiprocessing.get_context("spawn")


def ask(
    context: ForkContext | SpawnContext,
    question: Callable[..., None],
    *args: object,
    otherwise: object,
    given_up: Callable[[], bool] = lambda: False,
) -> object:
    """Have a function answered in a process of its own, over the pipe it is given last.

    Args:
        context: How the process is made.
        question: The function.
        *args: What it is given.
        otherwise: The answer if the process dies, or if it was given up.
        given_up: Whether to wait no longer.
    """
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=question, args=(*args, there))
    process.start()
    there.close()  # or its death would not be seen as the end of the pipe
    answer = otherwise
    while not here.poll(POLL_S):
        if given_up():
            process.kill()
            break
    else:
        with contextlib.suppress(EOFError):
            answer = here.recv()
    process.join()
    return answer


class RunProcesses:
    """Makes the processes of one worker.

    Args:
        spec: The worker's orders.
        directory: The launch's folder, for their logs.
        method: How they are made.
        given_up: Whether an answer of the server is waited for no longer.
    """

    def __init__(
        self,
        spec: WorkerSpec,
        directory: LaunchDir,
        method: Method = "fork",
        given_up: Callable[[], bool] = lambda: False,
    ) -> None:
        self._given_up = given_up
        self._spec = spec
        self._directory = directory
        self._context = _context(method)
        self._family = Family()
        self._family.keep()

    def new(self) -> RunHandle:
        """Start the process of a run to come."""
        handle = RunHandle(self._context, self._spec, self._directory.new_run_log(self._spec.slot.name))
        self._family.keep([handle.pid])
        return handle

    def set_state(self, run: RunRef, state: Literal["pending", "failed"], reason: str, holder: str) -> str:
        """Have the server hand a run out again or end it, and tell it why; say why it does not, empty if it does.

        First it is sent what the process with the name `holder` has left in its transaction log.

        In a process of its own: the SDK's threads and this one's forks do not go together.
        """
        died = "the process that asks the server died"
        return str(self._ask(set_run_state, run, state, reason, holder, otherwise=died))

    def state_of(self, run: RunRef) -> str:
        """Ask the server in which state a run is whose process has ended; empty if it cannot tell."""
        return str(self._ask(run_state, run, otherwise=""))

    def _ask(self, question: Callable[..., None], *args: object, otherwise: object) -> object:
        return ask(self._context, question, *args, otherwise=otherwise, given_up=self._given_up)

    def end_strays(self) -> bool:
        """Kill what a run has left behind: it would hold its GPU's memory.

        Returns:
            Whether a wandb-core was among it that somebody had killed.
        """
        return any(name.startswith("wandb-") for name in self._family.end_strays())
