"""Giving an agent its next run in the moment its last one ends, instead of at its next heartbeat.

For agents that ask from a thread beside their run, `wandb.agent(function=...)` (SDK 0.29 to 0.31): their heartbeat is
answered when the run has ended, and what it brings waits in a queue until the function has returned. One that has
reached its `count` drops the command and exits without a word: its run is taken back, and nobody has seen it.
"""

from __future__ import annotations

from collections.abc import Collection

from sweeper.server.store import agent_runs, deleted_runs, runs
from sweeper.server.store.database import Connection
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Agent

EAGER_S = 2.5
"""An agent that asks for its first run this soon after it registered asks from a thread; one in a shell waits 5 s."""
SILENT_S = 15.0
"""After an answer the next heartbeat is due in 5 s."""

HOLD_S, SHORT_HOLD_S = 27.0, 18.0
"""For how long a heartbeat may wait: wandb-core gives up a request after 30 s, in 0.29 a heartbeat after 20 s."""


def all_done(db: Connection, agent: Agent, listed: Collection[str]) -> bool:
    """Whether all runs that an agent lists have reported their end, and it surely asks for another.

    Not after a failure: to us that looks like Ctrl-C.
    """
    return bool(agent.eager and listed) and len(agent_runs.listed_and_done(db, agent.id, listed)) == len(listed)


def watchable(db: Connection, agent: Agent, listed: Collection[str]) -> tuple[int, ...]:
    """Give the runs whose end the answer to an agent may wait for: all it lists, or none.

    One that has not started cannot report its end: after Ctrl-C its agent would wait for our answer in vain.
    """
    if not agent.eager:
        return ()
    found = agent_runs.listed_at_work(db, agent.id, listed)
    return found if len(found) == len(listed) else ()


def hold_s(user_agent: str) -> float:
    """Say for how long a client's heartbeat may wait, by the name that the client gives itself."""
    return HOLD_S if user_agent.startswith("W&B Public Client") else SHORT_HOLD_S


def take_back(db: Connection, *, now: float) -> list[StoredRun]:
    """Take runs from agents that have not been heard since they were given one; those never started vanish."""
    given = agent_runs.take_early(db, now - SILENT_S)
    waiting = [run for run in given if run.state == "pending" and run.agent_id is not None and not run.accepted]
    dropped = [run for run in given if run.offered or run in waiting]
    for run in dropped:
        # Nobody has ever seen it: without the row its configuration is free again.
        if run.offered:
            deleted_runs.remove(db, run.id)
        else:
            runs.update(db, run.id, agent_id=None)
    return dropped
