"""How a launch ended, and whether that is well: what the command's exit code is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sweeper.journal.attempt import Attempt, AttemptOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchResult:
    """How a launch ended.

    Attributes:
        runs: What its workers wrote about their runs.
        interrupted: Whether it was stopped by a signal.
        errors: Why workers gave up, by slot.
        ended: Why no other run was started, if there was a reason.
        planned: Whether that reason is an end that was asked for, such as a time budget.
    """

    runs: tuple[Attempt, ...]
    interrupted: bool
    errors: Mapping[str, str]
    ended: str = ""
    planned: bool = False

    @property
    def ok(self) -> bool:
        """Whether every run ended well and every worker worked to the end."""
        bad = {AttemptOutcome.FAILED, AttemptOutcome.DIED, None} | (
            set() if self.planned else {AttemptOutcome.INTERRUPTED}
        )
        early = self.interrupted or (self.ended and not self.planned)
        return not self.errors and not early and not any(run.outcome in bad for run in self.runs)
