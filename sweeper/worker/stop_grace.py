"""When a run's process is asked to end, and when it is made to: a function of the clock and of what is known."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass

from sweeper.journal.failures import EndedBy
from sweeper.worker.spec import Rules

STOP_GRACE_S = 10.0
"""How long a run may take to end when the server has stopped it: what it still does is of no use to the sweep."""


@dataclass
class StopGrace:
    """Until when one process may go on.

    The first reason to end counts; after that only the clock does.

    Attributes:
        rules: How long things may take.
        deadline: By the monotonic clock; None as long as the process may take its time.
        ended_by: Why the worker ended it; None if the server did, or the process is ending by itself.
        sending: Whether it only has to send what its trainer has logged.
    """

    rules: Rules
    deadline: float | None = None
    ended_by: EndedBy | None = None
    sending: bool = False

    @property
    def asked_to_end(self) -> bool:
        """Whether the process was to end before its trainer had."""
        return self.deadline is not None and not self.sending

    def next_signal(
        self,
        now: float,
        *,
        preempted: bool,
        done: bool,
        stopped: bool,
        started_at: float | None,
        away: Callable[[], bool] = lambda: False,
        rank_failed: bool = False,
    ) -> signal.Signals | None:
        """Say which signal the process is due now, if any.

        Args:
            now: By the monotonic clock.
            preempted: Whether the launch is being stopped.
            done: Whether the trainer has ended.
            stopped: Whether the server wants the run stopped; the SDK's agent in the process tells the trainer.
            started_at: When the trainer was called; None before.
            away: Asked before a run is killed that has something to send: whether nobody is there to take it.
            rank_failed: Whether another rank of the run has failed, for which this one would wait for ever.
        """
        if self.deadline is not None:
            if now <= self.deadline:
                return None
            if self.sending and not preempted and away():
                self.deadline = now + self.rules.grace_s
                return None
            return signal.SIGKILL
        if preempted:
            self.deadline, self.ended_by = now + self.rules.grace_s, EndedBy.PREEMPTION
            return signal.SIGTERM  # on which the run is marked as preempted, and handed out again
        if done:  # the SDK still has to send the rest; a hanging exit is no run
            self.deadline, self.sending = now + self.rules.grace_s, True
        elif stopped:
            self.deadline = now + min(self.rules.grace_s, STOP_GRACE_S)
        elif rank_failed or (self.rules.timeout_s and started_at and now > started_at + self.rules.timeout_s):
            self.deadline = now + self.rules.grace_s
            self.ended_by = EndedBy.RANK if rank_failed else EndedBy.TIMEOUT
            return signal.SIGINT  # on which the run has failed
        return None
