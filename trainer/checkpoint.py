"""Checkpoints: a run that is interrupted and started again ends as if nothing had happened, bit for bit on a CPU."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from platformdirs import user_cache_path

FOLDER_VARIABLE = "SWEEPER_CHECKPOINT_DIR"


class CheckpointError(RuntimeError):
    """The checkpoint that is there is not this run's."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One file, which is whole whenever it is there.

    Attributes:
        folder: Where it lies; the run's alone.
        lent: Whether somebody else gave the folder, and so decides what becomes of it.
    """

    folder: Path
    lent: bool = True

    @classmethod
    def of(cls, run_id: str) -> Self:
        """Find a run's: in SWEEPER_CHECKPOINT_DIR, else in a folder of the run's own on this machine."""
        given = os.environ.get(FOLDER_VARIABLE)  # noqa: TID251 the trainer's one contract with whoever launches it
        own = user_cache_path("sweeper") / "checkpoints" / run_id
        return cls(Path(given) if given else own, lent=bool(given))

    @classmethod
    def waits(cls) -> bool:
        """Whether this process's run was begun before, as far as is known ahead of `wandb.init`."""
        return cls.of(os.environ.get("WANDB_RUN_ID", "unknown")).file.exists()  # noqa: TID251 agents set it

    @property
    def file(self) -> Path:
        """The file."""
        return self.folder / "checkpoint.pt"

    def save(self, state: dict[str, Any]) -> None:
        """Replace what was there; after a crash, the old or the new state is there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.file.with_suffix(".draft")
        with draft.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.file)

    def load(self, config: dict[str, Any]) -> dict[str, Any] | None:
        """Read what was saved; None if nothing was.

        Args:
            config: The run's parameters.

        Raises:
            CheckpointError: It was saved by a run with other parameters.
        """
        if not self.file.exists():
            return None
        state: dict[str, Any] = torch.load(self.file, map_location="cpu", weights_only=True)
        if other := {key for key in config if config[key] != state["config"].get(key)}:
            raise CheckpointError(
                f"{self.file} is of a run with another {', '.join(sorted(other))}: "
                f"remove it, or set {FOLDER_VARIABLE} to another folder"
            )
        return state

    def remove(self) -> None:
        """Forget the run: it is done."""
        self.file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # there is something else in it, or it never was
            self.folder.rmdir()
