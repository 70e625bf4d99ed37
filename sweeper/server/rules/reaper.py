"""Looks for the dead, again and again: runs and agents that have fallen silent."""

from __future__ import annotations

import asyncio
import logging
import time

from anyio import to_thread

from sweeper.server.rules import early_handout, run_endings
from sweeper.server.rules.dispatcher import Dispatcher
from sweeper.server.rules.liveness import LivenessPolicy
from sweeper.server.store import agent_runs
from sweeper.server.store.database import Connection
from sweeper.server.store.disk import DiskFullError
from sweeper.server.store.runs import StoredRun

log = logging.getLogger(__name__)

EVERY_S = 5.0
DEAF_AFTER_S = 15.0
"""A round that is so late was held up together with everything else: the machine was suspended, the process stopped."""


def reap(db: Connection, policy: LivenessPolicy, *, now: float, hearing_since: float) -> list[StoredRun]:
    """End what has fallen silent and take unstarted runs from silent agents.

    A run is heard through its agent and through its own stream: an agent thread that hangs in C code is no crash.

    Args:
        db: The write connection.
        policy: For how long silence is borne.
        now: The time.
        hearing_since: Since when the server has listened; nothing is held against anybody for the time before.

    Returns:
        The runs that were ended or taken back.
    """
    agent_limit, bare_limit = now - policy.agent_s, now - policy.bare_run_s
    found: list[StoredRun] = []
    if hearing_since <= agent_limit:
        found += agent_runs.silent_of_agents(db, agent_limit)
        for run in agent_runs.unassign_unstarted(db, agent_limit):
            run_endings.taken_back(db, run, now=now)
    if hearing_since <= bare_limit:
        found += agent_runs.silent_without_agent(db, bare_limit)
    for run in found:
        run_endings.silent(db, run, now=now, retries=policy.lost_retries)
    return found


class Reaper:
    """Gives up what is silent, but holds nothing against anybody for the time in which nobody could be heard.

    Args:
        dispatcher: The rules, with the store and the policy.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher, self._policy = dispatcher, dispatcher.policy
        self._hearing_since = self._last_round = time.time()
        self._refusals = dispatcher.store.refusals

    async def work(self) -> None:
        """Make round after round."""
        while True:
            await asyncio.sleep(min(EVERY_S, self._policy.agent_s / 4))
            try:
                await to_thread.run_sync(self.round, time.time())
            except DiskFullError as error:
                log.warning("%s", error.message)
            except Exception:
                log.exception("reaping failed; the next round tries again")

    def round(self, now: float) -> None:
        """Give up what has been silent for too long."""
        store, refusals = self._dispatcher.store, self._dispatcher.store.refusals
        # A full disk refused signs of life, a late round stood still with everything, a clock set back misdates them.
        if refusals != self._refusals or now - self._last_round > DEAF_AFTER_S or now < self._last_round:
            self._hearing_since = now
        self._last_round, self._refusals = now, refusals
        with store.write() as db:
            dead = reap(db, self._policy, now=now, hearing_since=self._hearing_since)
            dropped = early_handout.take_back(db, now=now)
        for run in dropped:
            log.info("agent of run %s is gone", run.name, extra={"action": "taken_back", "run": run.name})
            self._dispatcher.changed(run.sweep_id)
        for run in dead:
            log.warning("run %s fell silent", run.name, extra={"action": "reaped", "run": run.name})
            self._dispatcher.changed(run.sweep_id)
