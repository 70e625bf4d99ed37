"""The rows that a run logs, kept in its checkpoint: a process that is killed takes with it what it had not sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import wandb

MOST = 10_000
"""Rows that are kept, the last ones: some 3 MB of a checkpoint. The SDK (0.31) sends what there is every 15 s."""


@dataclass
class KeptRows:
    """What a run has logged.

    A run that resumes goes on at `run.starting_step`, the step behind the last one that its server has. What was kept
    from there on is logged again; what a repeated pass logs from before it is there already.

    Attributes:
        kept: The last rows, each behind its step.
    """

    kept: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    def log(self, run: wandb.Run, row: dict[str, Any], *, step: int) -> None:
        """Keep a row, and log it unless the server has it."""
        self.kept.append((step, row))
        del self.kept[:-MOST]
        _log(run, row, step)

    def log_again(self, run: wandb.Run) -> None:
        """Log what was kept and the server lacks; without a server, what was logged before lies in a file."""
        if run.offline:
            return
        for step, row in self.kept:
            _log(run, row, step)


def _log(run: wandb.Run, row: dict[str, Any], step: int) -> None:
    if step >= run.starting_step:
        run.log(row, step=step)
