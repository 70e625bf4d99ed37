"""What every launcher shares: the worker's orders, its states, and the directory it reports to."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, Self

from sweeper.record import Outcome, RunRecord
from sweeper.ref import SweepRef


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
    """

    sweep: str
    trainer: str
    slot: Slot
    count: int | None
    directory: str
    grace_s: float

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the orders."""
        data = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{**data, "slot": Slot(**data["slot"])})

    def save(self, path: Path) -> None:
        """Write the orders."""
        path.write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")


class WorkerState(StrEnum):
    """Where a worker process is in its life."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerHandle:
    """A started worker.

    Attributes:
        id: Its slot's name.
        native_id: What the launcher calls it: a pid, a Slurm job id.
    """

    id: str
    native_id: str


class Launcher(Protocol):
    """Starts workers somewhere; local here, Slurm and Ray to come."""

    def start(self, workers: Sequence[WorkerSpec]) -> list[WorkerHandle]:
        """Start one process per spec."""

    def states(self, handles: Sequence[WorkerHandle]) -> dict[str, WorkerState]:
        """Ask once for all of them."""

    def stop(self, handles: Sequence[WorkerHandle], *, grace_s: float) -> None:
        """Ask them to end their runs gently within `grace_s`; 0 kills."""


@dataclass(frozen=True, slots=True)
class LaunchDir:
    """The files of one launch; every path is made here.

    A ticket is the right to one run: a file that exactly one worker can create, whatever host it is on.
    """

    path: Path

    def spec(self, slot: str) -> Path:
        """Orders of one worker."""
        return self.path / f"{slot}.spec.json"

    def worker_log(self, slot: str) -> Path:
        """What a worker printed."""
        return self.path / f"{slot}.log"

    def records_file(self, slot: str) -> Path:
        """What a worker wrote about its runs, a JSON line each."""
        return self.path / f"{slot}.runs.jsonl"

    def run_log(self, ticket: int) -> Path:
        """What the run on a ticket printed."""
        return self.path / "runs" / f"{ticket:04d}.log"

    def take_ticket(self, count: int | None) -> int | None:
        """Take the next ticket; None when all are taken."""
        tickets = self.path / "tickets"
        number = 1
        while count is None or number <= count:
            try:
                os.close(os.open(tickets / f"{number:04d}", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            except FileExistsError:
                number += 1
            else:
                return number
        return None

    def return_ticket(self, ticket: int) -> None:
        """Give back a ticket that got no run."""
        (self.path / "tickets" / f"{ticket:04d}").unlink(missing_ok=True)

    def append(self, record: RunRecord) -> None:
        """Note the news of a run; the newest line about it counts."""
        with self.records_file(record.slot).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(record)) + "\n")

    def records(self) -> dict[str, RunRecord]:
        """Read the newest record of every run, by run id."""
        lines = (line for path in sorted(self.path.glob("*.runs.jsonl")) for line in _whole_lines(path))
        return {record.run_id: record for record in map(_record, lines)}


def _whole_lines(path: Path) -> Iterator[str]:
    """Read the lines; the last one may be half written."""
    text = path.read_text(encoding="utf-8")
    return (line for line in text.splitlines(keepends=True) if line.endswith("\n"))


def _record(line: str) -> RunRecord:
    data: Mapping[str, Any] = json.loads(line)
    return RunRecord(**{**data, "outcome": Outcome(data["outcome"]) if data["outcome"] else None})


@dataclass(frozen=True, slots=True)
class SweepDir:
    """What this machine keeps of one sweep: its launches and the best run's files."""

    path: Path

    @classmethod
    def of(cls, home: Path, ref: SweepRef) -> Self:
        """Name the directory of a sweep under the state directory."""
        return cls(home / "sweeps" / ref.entity / ref.project / ref.sweep_id)

    def best_of(self, run_id: str) -> Path:
        """Where the files of a run that was best are downloaded to."""
        return self.path / "best" / run_id

    def models(self) -> dict[str, str]:
        """List the downloaded ONNX files by run id."""
        return {path.parent.name: str(path) for path in sorted(self.path.glob("best/*/*.onnx"))}

    @property
    def wandb(self) -> Path:
        """WANDB_DIR of its runs."""
        return self.path / "runs"

    def new_launch(self) -> LaunchDir:
        """Make the directory of another launch."""
        stamp = time.strftime("%Y%m%d-%H%M%S")
        number = 0
        while True:
            path = self.path / "launches" / (f"{stamp}-{number}" if number else stamp)
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                number += 1
                continue
            for folder in ("tickets", "runs"):
                (path / folder).mkdir()
            return LaunchDir(path)

    def records(self) -> dict[str, RunRecord]:
        """Read the newest record of every run, over all launches."""
        launches = sorted((self.path / "launches").glob("*/"))
        return {run_id: record for path in launches for run_id, record in LaunchDir(path).records().items()}
