"""Looks for the dead, again and again: runs and agents that have fallen silent."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from sweeper.server.rules import early_handout, run_transitions
from sweeper.server.rules.dispatcher import Scheduler
from sweeper.server.rules.run_transitions import LOST_RETRIES
from sweeper.server.store.disk import DiskFullError

log = logging.getLogger(__name__)

EVERY_S = 5.0
DEAF_AFTER_S = 15.0
"""A round that is so late was held up together with everything else: the machine was suspended, the process stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """For how long silence is borne.

    Attributes:
        agent_s: Seconds of silence after which an agent and its runs are given up.
        bare_run_s: The same for a run without an agent.
        lost_retries: How often a run whose agent fell silent is handed out again.
    """

    agent_s: float = 60.0
    bare_run_s: float = 300.0
    lost_retries: int = LOST_RETRIES


class Reaper:
    """Gives up what is silent, but holds nothing against anybody for the time in which nobody could be heard.

    Args:
        scheduler: The rules, with the store.
        patience: For how long silence is borne.
    """

    def __init__(self, scheduler: Scheduler, patience: Patience) -> None:
        self._scheduler, self._patience = scheduler, patience
        self._hearing_since = self._last_round = time.time()
        self._refusals = scheduler.store.refusals

    async def work(self) -> None:
        """Make round after round."""
        while True:
            await asyncio.sleep(min(EVERY_S, self._patience.agent_s / 4))
            try:
                await run_in_threadpool(self.round, time.time())
            except DiskFullError as error:
                log.warning("%s", error.message)
            except Exception:
                log.exception("reaping failed; the next round tries again")

    def round(self, now: float) -> None:
        """Give up what has been silent for too long."""
        store, refusals = self._scheduler.store, self._scheduler.store.refusals
        if refusals != self._refusals or now - self._last_round > DEAF_AFTER_S or now < self._last_round:
            self._hearing_since = now
        self._last_round, self._refusals = now, refusals
        with store.write() as db:
            dead = run_transitions.reap(
                db,
                now=now,
                started_at=self._hearing_since,
                agent_timeout_s=self._patience.agent_s,
                bare_timeout_s=self._patience.bare_run_s,
                lost_retries=self._patience.lost_retries,
            )
            dropped = early_handout.take_back(db, now=now)
        for run in dropped:
            log.info("agent of run %s is gone", run.name, extra={"action": "taken_back", "run": run.name})
            self._scheduler.changed(run.sweep_id)
        for run in dead:
            log.warning("run %s fell silent", run.name, extra={"action": "reaped", "run": run.name})
            self._scheduler.changed(run.sweep_id)
