"""The run that this process is at: from the moment its `wandb.init` tells wandb-core of it until it is ended.

`wandb.run` is set at the end of `wandb.init`. Before that, the server may know the run already, and wandb-core would
tell it at the end of the process that all went well, whatever came over the trainer meanwhile (wandb 0.31).
"""

from __future__ import annotations

import contextlib
from typing import Any


class CurrentRun:
    """Marks and ends what a trainer has begun, be it all the way through `wandb.init` or not.

    Attributes:
        exit_code: With which the last trainer's runs were ended; what is open after all ends with it, too.
    """

    def __init__(self) -> None:
        self.exit_code = 0
        self._begun: list[Any] = []

    def watch(self) -> None:
        """Have the SDK tell of each run that it begins; an SDK that has no such place tells of `wandb.run` alone."""
        from wandb.sdk.wandb_run import Run

        kind: Any = Run
        own = getattr(kind, "_set_backend", None)
        if own is None:
            return

        def set_backend(run: Any, backend: Any) -> None:
            own(run, backend)
            self._begun = [*self._open(), run]

        kind._set_backend = set_backend  # noqa: SLF001 the SDK has no hook for a run that begins

    def _open(self) -> list[Any]:
        """List what has begun and not ended, the latest last."""
        return [run for run in self._begun if not getattr(run, "_is_finished", False)]

    def _all_open(self) -> list[Any]:
        import wandb

        known = self._open()
        return known if wandb.run is None or any(run is wandb.run for run in known) else [*known, wandb.run]

    def mark_preempting(self) -> None:
        """Tell the server that the current run, if there is one, will go on elsewhere once it has ended."""
        for run in self._all_open():
            run.mark_preempting()

    def finish(self, exit_code: int) -> None:
        """End the current run, if there is one; the agent, which would print our frames, is not told that it failed."""
        # to the server 255 is a person's Ctrl-C (wandb 0.31)
        self.exit_code = code = 1 if exit_code and exit_code % 256 in {0, 255} else exit_code % 256
        with contextlib.ExitStack() as ends:  # one that cannot be ended leaves none of the others open
            for run in self._all_open():
                ends.callback(run.finish, exit_code=code)


def mode(run_id: str) -> str:
    """Say how this process is at a run now: `online`, `offline` or `disabled`; empty if it is at none of that id."""
    import wandb

    run = wandb.run
    if run is not None and getattr(run, "disabled", False):  # under an id of its own
        return "disabled"
    if run is None or run.id != run_id:
        return ""
    return "offline" if getattr(run, "offline", False) else "online"
