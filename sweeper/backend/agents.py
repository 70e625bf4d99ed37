"""The SDK's agents: each takes one run from the server and ends."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from sweeper.errors import BackendError
from sweeper.processes import killed_children
from sweeper.ref import SweepRef

SENT_HOME_S = 2.0
"""How long it may take to see that an agent, which has returned, was told that there is no run."""
CORE_LOOK_S = 5.0
"""How often to look whether the wandb-core is there over which an agent asks for its run."""
HEARTBEAT = "(_heartbeat)"
"""Ends the name of the thread in which the agent of a function asks for runs (wandb 0.18 to 0.31)."""


def run_agent(ref: SweepRef, function: Callable[[], object], *, asks_no_more: Callable[[bool], None]) -> None:
    """Take one run from the server and call the function on it: `wandb.agent(..., count=1)`.

    Args:
        ref: The sweep.
        function: What to call.
        asks_no_more: Called, in another thread, when the agent will get no run: with True where it was told that there
            is none, which by itself it sees up to 10 s later, between two sleeps (wandb 0.31); with False where asking
            for one raised something, or its wandb-core was killed, which it would never see.

    Raises:
        BackendError: It had a run, and lost it before it called the function: its wandb-core was killed.
    """
    import wandb

    called = threading.Event()

    def call() -> object:
        called.set()
        return function()

    def ended(well: bool) -> None:
        if not called.is_set():
            asks_no_more(well)

    _watch_core(called, lambda: ended(False))
    with at_end_of_thread(HEARTBEAT, ended):
        wandb.agent(ref.sweep_id, function=call, entity=ref.entity, project=ref.project, count=1)
        if not called.is_set():
            time.sleep(SENT_HOME_S)
            raise BackendError("the agent lost its run before it began")


def _watch_core(over: threading.Event, cut_off: Callable[[], None]) -> None:
    """Have somebody look whether the wandb-core that is asked for a run is killed, and act then, until it is over.

    The agent would ask in vain for ever: it takes no answer for word that there is nothing to do (wandb 0.29 to 0.31).
    """
    earlier = killed_children("wandb-core")

    def look() -> None:
        while not over.wait(CORE_LOOK_S):
            if killed_children("wandb-core") - earlier:
                cut_off()

    threading.Thread(target=look, daemon=True).start()


@contextlib.contextmanager
def at_end_of_thread(name: str, act: Callable[[bool], None]) -> Iterator[None]:
    """Act when the next thread whose name ends so has ended, told whether it did well; nothing where none is started.

    Python tells of the start of threads through the hook for profilers, which each of them is rid of at once. To look
    which threads there are would miss one that lives for the milliseconds of a single question.
    """
    before, own_hook = threading.getprofile(), threading.excepthook
    broken: list[threading.Thread | None] = []

    def note_fault(fault: threading.ExceptHookArgs) -> None:
        broken.append(fault.thread)
        own_hook(fault)

    def wait_for(thread: threading.Thread) -> None:
        thread.join()
        act(thread not in broken)

    def note(_frame: FrameType, _event: str, _argument: object) -> None:
        sys.setprofile(before)
        thread = threading.current_thread()
        if thread.name.endswith(name):
            threading.setprofile(before)
            threading.Thread(target=wait_for, args=(thread,), daemon=True).start()

    threading.setprofile(note)
    threading.excepthook = note_fault
    try:
        yield
    finally:
        threading.setprofile(before)
        if threading.excepthook is note_fault:  # the trainer may have set its own
            threading.excepthook = own_hook


class _FirstAtOnce:
    """How long the agent of a script waits before it asks (`Agent.POLL_INTERVAL`, wandb 0.18 to 0.31): not at first."""

    def __init__(self, usual_s: float) -> None:
        self._usual_s = usual_s
        self._asked = False

    def __get__(self, agent: object, kind: object = None) -> float:
        asked, self._asked = self._asked, True
        return self._usual_s if asked else 0


def run_script(ref: SweepRef, *, cut_off: Callable[[], None]) -> None:
    """Take one run from the server and start the sweep's script on it, as `wandb agent --count 1` does.

    By itself the agent would wait for 5 s before it asks; the process hosts one agent, whose later waits stay.

    Args:
        ref: The sweep.
        cut_off: Called, in another thread, again and again when the agent has lost its wandb-core, and no longer hears
            of runs; the script, if it has started, has one of its own.
    """
    import wandb
    from wandb import wandb_agent

    agent: Any = wandb_agent.Agent
    agent.POLL_INTERVAL = _FirstAtOnce(agent.POLL_INTERVAL)
    over = threading.Event()
    _watch_core(over, cut_off)
    try:
        wandb.agent(ref.sweep_id, entity=ref.entity, project=ref.project, count=1)
    finally:
        over.set()
