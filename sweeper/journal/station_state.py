"""What a worker away from its launch's machine says of itself, where launchers read it before they ask a scheduler."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, Self, get_args

from sweeper import private_files

State = Literal["running", "done", "failed", "died", "preempted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StationState:
    """How the worker of a slot is, by its own word.

    Attributes:
        native_id: What its scheduler calls its job.
        node: The machine it is on.
        pid: The station's process there.
        state: `preempted` is one that was stopped from outside; `failed` one that gave up; `died` one whose worker was
            killed too often.
        at: When this was so, in seconds since 1970; renewed while it runs.
        why: Why it ended, or what it waits for; empty where there is nothing to say.
    """

    native_id: str
    node: str
    pid: int
    state: State
    at: float = field(default_factory=time.time)
    why: str = ""

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read what was said last; None where there is nothing that could be believed."""
        try:
            said = cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return said if said.state in get_args(State) else None

    def write(self, path: Path) -> None:
        """Say it, whole at once.

        Raises:
            OSError: It cannot be written.
        """
        private_files.replace(path, json.dumps(asdict(self)))
