"""The layout of a sweep's folder on this machine: launches, tickets, what workers wrote of runs, checkpoints.

Every path below `sweeps/ENTITY/PROJECT/ID/` is made here. Names and formats are kept from version to version: `status`
and `logs` also read what a launch of an older version has written, or still writes.
The files of one launch are those of `launch_dir.LaunchDir`.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Self

from sweeper import private_files
from sweeper.journal.attempt import Attempt
from sweeper.journal.failures import Kind
from sweeper.journal.launch_dir import LaunchDir, text_of
from sweeper.ref import SweepRef, run_name

__all__ = ["LaunchDir", "SweepDir"]


def _listed(folder: Path, suffix: str) -> list[Path]:
    """List the files of a folder that may be gone by now: none then."""
    with contextlib.suppress(FileNotFoundError):
        return [path for path in folder.iterdir() if path.suffix == suffix]
    return []


@dataclass(frozen=True, slots=True)
class SweepDir:
    """What this machine keeps of one sweep: its launches, checkpoints, W&B's own logs, the best run's files."""

    path: Path

    @classmethod
    def of(cls, home: Path, ref: SweepRef) -> Self:
        """Name the directory of a sweep under the state directory."""
        return cls(home / "sweeps" / ref.entity / ref.project / ref.sweep_id)

    @classmethod
    def of_launch(cls, launch: LaunchDir) -> Self:
        """Name the directory that a launch's directory lies in."""
        return cls(launch.path.parents[1])

    @classmethod
    def known(cls, home: Path) -> list[Self]:
        """List the sweeps that were created or launched with a state directory."""
        return [cls(path) for path in sorted((home / "sweeps").glob("*/*/*"))]

    @property
    def ref(self) -> SweepRef:
        """The sweep, as its path tells."""
        return SweepRef(*self.path.parts[-3:])

    def best_of(self, run_id: str) -> Path:
        """Where the files of a run that was best are downloaded to."""
        return self.path / "best" / run_name(run_id)

    def models(self) -> dict[str, str]:
        """List the downloaded ONNX files by run id."""
        found = (sorted(_listed(folder, ".onnx")) for folder in sorted(self.path.glob("best/*/")))
        return {path.parent.name: str(path) for files in found for path in files}

    def checkpoints_of(self, run_id: str) -> Path:
        """Where a run keeps what it needs to go on: SWEEPER_CHECKPOINT_DIR."""
        return self.path / "checkpoints" / run_name(run_id)

    @property
    def wandb(self) -> Path:
        """WANDB_DIR of its runs: the SDK's own logs, from which `sweeper sync` sends."""
        return self.path / "runs"

    @property
    def sync(self) -> Path:
        """What `sweeper sync` has sent, and where it stages what it is about to send."""
        return self.path / "sync"

    @property
    def confirm_lock(self) -> Path:
        """What `sweeper confirm` holds while it decides: two of them would register the same runs."""
        return self.path / "confirm.lock"

    def note_confirming(self, sweep_id: str) -> None:
        """Note a sweep that confirms this one, where its server will not say so."""
        with (self.path / "confirmed-by").open("a", encoding="utf-8") as file:
            file.write(f"{sweep_id}\n")

    def confirmed_by(self) -> tuple[str, ...]:
        """List the sweeps that were noted so, the oldest first."""
        return tuple(dict.fromkeys(text_of(self.path / "confirmed-by").split()))

    def background_log(self) -> Path:
        """Name the log of a launch that is about to start in the background."""
        return self.path / f"detached-{_stamp()}.log"  # the name that versions before this one gave it, too

    def new_launch(self) -> LaunchDir:
        """Make the directory of another launch, named by the time: names in order are launches in order."""
        private_files.make_folder(self.path / "launches")
        with contextlib.suppress(OSError):  # an older version left it open: names, reasons, ends of logs are below
            self.path.parents[2].chmod(0o700)
        stamp, number = _stamp(), 0
        while True:
            path = self.path / "launches" / (f"{stamp}-{number}" if number else stamp)
            try:
                path.mkdir(mode=0o700)
            except FileExistsError:  # two launches in one second
                number += 1
                continue
            for folder in ("tickets", "runs", "stops"):
                (path / folder).mkdir(mode=0o700)
            return LaunchDir(path)

    def launches(self) -> list[LaunchDir]:
        """List its launches, the oldest first."""
        return [LaunchDir(path) for path in sorted((self.path / "launches").glob("*/"))]

    def launchers(self) -> dict[int, tuple[str, ...]]:
        """List the launches under way on this machine: the slots of each, by its process."""
        found = ((launch.launcher(), launch) for launch in self.launches())
        return {pid: tuple(launch.slots()) for pid, launch in found if pid is not None}

    def history(self) -> list[Attempt]:
        """Read everything that was noted in all launches, the oldest first."""
        return sorted(chain.from_iterable(one.history() for one in self.launches()), key=lambda attempt: attempt.at)

    def attempts(self) -> dict[str, Attempt]:
        """Read the newest word about every run, over all launches."""
        return {attempt.run_id: attempt for attempt in self.history()}

    def earlier_failures(self, run_id: str) -> tuple[Kind, ...]:
        """List what went wrong in a run's attempts, of all launches; a preemption is nobody's fault."""
        kinds = (attempt.kind for attempt in self.history() if attempt.run_id == run_id)
        return tuple(kind for kind in kinds if kind and kind is not Kind.PREEMPTED)


def _stamp() -> str:
    """Write the time as a name that sorts by it."""
    return time.strftime("%Y%m%d-%H%M%S")
