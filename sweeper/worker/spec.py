"""A worker's orders: its slot, and the rules of the launch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

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
class Rules:
    """What a launch does about runs that fail or take too long. The defaults are those of `sweeper launch`.

    A new option of a launch is a field here and an option of the command.

    Attributes:
        grace_s: How long a run may take to end after a gentle stop.
        retries: How often a run that failed for no fault of its own is handed out again.
        max_failures: So many failed runs in a row, over all workers, end the launch; None for no such limit.
        timeout_s: How long a run may take; None for as long as it likes.
        time_budget_s: How long the launch may take; None for as long as it likes.
        stop_at_target: Whether no run starts any more once one has reached the metric's target.
        isolated: Whether every run has a process of its own.
        without_metric: Whether the launch goes on although run after run finishes without the sweep's metric.
    """

    # as long as Slurm (KillWait) and Kubernetes wait between their SIGTERM and their SIGKILL
    grace_s: float = 30.0
    retries: int = RETRIES
    max_failures: int | None = None
    timeout_s: float | None = None
    time_budget_s: float | None = None
    stop_at_target: bool = False
    isolated: bool = True
    without_metric: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSpec:
    """A worker's orders, as a JSON file: no secret is in it.

    Attributes:
        sweep: `entity/project/id`.
        trainer: `package.module:function`, called with no argument for every run.
        slot: Where its runs go.
        count: Runs over all workers of the launch; None for as many as the sweep has.
        directory: The launch's directory.
        rules: What it does about runs that fail or take too long.
        script: Whether the trainer is the sweep file's `program:` and `command:`, started by the SDK's agent.
    """

    sweep: str
    trainer: str
    slot: Slot
    count: int | None
    directory: str
    rules: Rules = field(default_factory=Rules)
    script: bool = False

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the orders, also those of an older version.

        A launch that runs while sweeper is upgraded writes old orders for a worker that it starts again, which is of
        the new version.
        """
        data = json.loads(path.read_text(encoding="utf-8"))
        rules = data.pop("rules", None) or _flat_rules(data)
        return cls(**{**data, "slot": Slot(**data["slot"]), "rules": Rules(**rules)})

    def save(self, path: Path) -> None:
        """Write the orders."""
        path.write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")


def _flat_rules(data: dict[str, Any]) -> dict[str, Any]:
    """Take the rules out of orders in which they stood beside the rest: version 0.1.0."""
    return {rule.name: data.pop(rule.name) for rule in fields(Rules) if rule.name in data}
