"""Whether a run has begun: a trainer that ends without `wandb.init` has trained nothing that anybody will see."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import yaml

from sweeper.backend import current_run, sdk
from sweeper.ref import RunRef
from sweeper.worker.conclusion import OPEN

CLOSING_S = 10.0
"""How long a wandb-core may take to tell of a run's end behind its process, which did not wait for it."""
CLOSING_LOOK_S = 0.5


class RunWitness:
    """Watches for a run's `wandb.init`, in its process if it can be seen there, and on the server if not.

    Args:
        run: The run.
        what: How the trainer ends, such as "the function returned".
        parameters: The file in which the SDK's agent keeps the run's parameters.
        folder: Where the SDK keeps its own logs.

    Attributes:
        run_id: The run's id.
        params: Its parameters, nested as its config has them.
    """

    def __init__(self, run: RunRef, what: str, parameters: Path, folder: Path) -> None:
        self.run_id = run.run_id
        self.params = _parameters(parameters)
        self._run, self._what, self._folder = run, what, folder
        self._mode = ""

    def look(self) -> None:
        """Look whether the process is at the run; between two looks it may have been."""
        if self._mode != "online":
            self._mode = current_run.mode(self.run_id) or self._mode

    def unbegun(self) -> str:
        """Say why the server has heard nothing of the run; empty if it has."""
        self.look()
        # the server is asked where nothing was seen: a script, a process that the trainer started, a run of 50 ms
        if self._mode == "online" or sdk.has_begun(self._run):
            return ""
        if not self._mode and any(self._folder.glob(f"wandb/offline-run-*-{self.run_id}")):
            self._mode = "offline"
        if self._mode:
            return f'wandb.init was called with mode="{self._mode}": the server has heard nothing of the run'
        said = f"{self._what} without calling wandb.init"
        # an agent within the trainer has runs of its own, and removes this name behind them (wandb 0.31)
        return said if "WANDB_RUN_ID" in os.environ else f"{said}: it called wandb.agent"  # noqa: TID251

    def open_state(self) -> str:
        """Say in which state the server still has the run, whose trainer has ended; empty if it has heard its end.

        A process whose end was seen here has told it; one of another kind may have lost its wandb-core.
        """
        if self._mode:
            return ""
        deadline = time.monotonic() + CLOSING_S
        while (state := sdk.run_state(self._run)) in OPEN and time.monotonic() < deadline:
            time.sleep(CLOSING_LOOK_S)
        return state if state in OPEN else ""


def _parameters(file: Path) -> dict[str, Any]:
    """Read what the agent has written for `wandb.init` (wandb 0.31): `{wandb_version: 1, lr: {value: 0.1}}`."""
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError):
        return {}
    entries = found.items() if isinstance(found, dict) else ()
    return {str(name): entry["value"] for name, entry in entries if isinstance(entry, dict) and "value" in entry}
