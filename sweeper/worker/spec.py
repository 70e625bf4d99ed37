"""A worker's orders: its slot, and the rules of the launch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from sweeper.journal.failures import RETRIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A place that hosts one run at a time.

    Attributes:
        name: `gpu0`, `gpu0.1`, `gpu0-3`, `gpu0mig1`, `cpu1`.
        device: Its CUDA_VISIBLE_DEVICES: one UUID, or several for a run on several GPUs; empty hides every GPU.
        threads: CPU threads for its runs.
    """

    name: str
    device: str
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSpec:
    """A worker's orders, as a JSON file: no secret is in it.

    Attributes:
        sweep: `entity/project/id`.
        trainer: `package.module:function`, called with no argument for every run.
        slot: Where its runs go.
        count: Runs over all workers of the launch; None for as many as the sweep has.
        directory: The launch's directory.
        grace_s: How long a run may take to end after a gentle stop.
        retries: How often a run that failed for no fault of its own is handed out again.
        max_failures: So many failed runs in a row, over all workers, end the launch.
        timeout_s: How long a run may take.
        isolated: Whether every run has a process of its own.
        script: Whether the trainer is the sweep file's `program:` and `command:`, started by the SDK's agent.
    """

    sweep: str
    trainer: str
    slot: Slot
    count: int | None
    directory: str
    grace_s: float
    retries: int = RETRIES
    max_failures: int | None = None
    timeout_s: float | None = None
    script: bool = False
    isolated: bool = True

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the orders."""
        data = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{**data, "slot": Slot(**data["slot"])})

    def save(self, path: Path) -> None:
        """Write the orders."""
        path.write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")
