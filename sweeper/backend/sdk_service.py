"""The SDK's service process, wandb-core, of a command: its end, be it ours or a kill, is nobody's traceback."""

from __future__ import annotations

import contextlib
import sys
import threading

THREADS = "wandb-"
"""How the names of the SDK's own threads begin (wandb 0.31)."""


def end() -> None:
    """End it where a command has used the SDK: of one that was killed, an exit handler would have a traceback."""
    wandb = sys.modules.get("wandb")
    if wandb is not None:
        with contextlib.suppress(OSError, wandb.Error):
            wandb.teardown()


def die_quietly() -> None:
    """Have the SDK's threads, which lose their connection when it is killed, end without a word in the middle of ours.

    What a command asked of it fails all the same, and is told.
    """
    others = threading.excepthook

    def tell(told: threading.ExceptHookArgs) -> None:
        own = told.thread is not None and told.thread.name.startswith(THREADS)
        if not (own and issubclass(told.exc_type, ConnectionError)):
            others(told)

    threading.excepthook = tell
