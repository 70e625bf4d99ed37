"""A worker's orders: its slot, and the rules of the launch."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self

from sweeper import private_files
from sweeper.journal.broken import FailureLimits
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
        initial_failures: So many failed runs from the start end it; None for no such limit.
        guess_broken: Whether runs that fail alike from the start end it.
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
    initial_failures: int | None = None
    guess_broken: bool = True
    timeout_s: float | None = None
    time_budget_s: float | None = None
    stop_at_target: bool = False
    isolated: bool = True
    without_metric: bool = False

    def heeding(self, environ: Mapping[str, str]) -> Self:
        """Take over what the SDK's agent reads of failures in its environment (wandb 0.31); less than 1 is no limit."""
        rules = self
        if environ.get("WANDB_AGENT_DISABLE_FLAPPING") == "true":
            rules = replace(rules, guess_broken=False)
        with contextlib.suppress(KeyError, ValueError):
            number = int(environ["WANDB_AGENT_MAX_INITIAL_FAILURES"])
            rules = replace(rules, guess_broken=False, initial_failures=number if number > 0 else None)
        return rules

    @property
    def limits(self) -> FailureLimits:
        """What of this decides when failed runs end the launch."""
        return FailureLimits(
            max_failures=self.max_failures, initial_failures=self.initial_failures, guess=self.guess_broken
        )


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
        varied: The parameters of which the sweep has several values.
        environ: What a worker away from its launch's machine finds in its environment, beside what is there.
        server: The data directory of the server that such a worker follows (`server.json` says where it is); empty
            where its environment names the server.
        version: Of the sweeper that wrote them; empty for a worker of the launch's own machine.
        nodes: Nodes that each of its runs takes.
        group: The group of workers, on whatever machines, whose runs the server counts up to `count`; empty where the
            launch counts its own.
    """

    sweep: str
    trainer: str
    slot: Slot
    count: int | None
    directory: str
    rules: Rules = field(default_factory=Rules)
    script: bool = False
    varied: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    server: str = ""
    version: str = ""
    nodes: int = 1
    group: str = ""

    @property
    def tickets(self) -> int | None:
        """How many runs the launch itself counts; None where it does not."""
        return None if self.group else self.count

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the orders, also those of an older version.

        A launch that runs while sweeper is upgraded writes old orders for a worker that it starts again, which is of
        the new version.
        """
        data = json.loads(path.read_text(encoding="utf-8"))
        rules = data.pop("rules", None) or _flat_rules(data)
        varied = tuple(data.get("varied", ()))
        return cls(**{**data, "slot": Slot(**data["slot"]), "rules": Rules(**rules), "varied": varied})

    def save(self, path: Path) -> None:
        """Write the orders."""
        with private_files.open_file(path) as file:
            json.dump(asdict(self), file, indent=2)


def _flat_rules(data: dict[str, Any]) -> dict[str, Any]:
    """Take the rules out of orders in which they stood beside the rest: version 0.1.0."""
    return {rule.name: data.pop(rule.name) for rule in fields(Rules) if rule.name in data}
