"""The rules of a sweep: who gets which run, what stops, what has died, and when it is over.

Assignment is a ladder inside one transaction; `Scheduler.heartbeat` goes down it in this order:

1. the sweep has ended: stop what must stop, let the rest finish, then exit
2. a listed run is to stop: stop it
3. the agent is busy, or the sweep paused: wait
4. a run was assigned to this agent and never started: send it again (the answer was lost)
5. a run waits for an agent (requeued): assign it
6. ask the search; when it is exhausted: exit

The search is asked between two transactions under a lock of its sweep, and the ladder is walked again before
its suggestion is stored: a slow search delays only its own sweep, and two agents never get the same suggestion.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from sweeper.run import RunState, SweepState
from sweeper.search import Suggestion, judge, suggest
from sweeper.server import lifecycle, lines, runs, sweeps
from sweeper.server.lifecycle import settle
from sweeper.server.refusal import NotFoundError
from sweeper.server.runs import StoredRun
from sweeper.server.store import Store
from sweeper.server.sweeps import Agent, Sweep

log = logging.getLogger(__name__)

MAX_SENDS = 3
"""Times a run that never starts is handed out; then its trainer is taken to end before `wandb.init`."""


@dataclass(frozen=True, slots=True)
class Command:
    """What an agent shall do next; `search` never leaves the scheduler."""

    kind: Literal["run", "resume", "stop", "exit", "wait", "search"]
    run: StoredRun | None = None


WAIT = Command("wait")
EXIT = Command("exit")
SEARCH = Command("search")


class Scheduler:
    """Applies the rules to a store; all state is in the store.

    Args:
        store: The database.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._searching: dict[int, threading.Lock] = {}

    def register(self, sweep: Sweep, host: str, *, now: float) -> Agent:
        """Store a new agent; the first one sets the sweep running."""
        with self.store.write() as db:
            if sweeps.get(db, sweep.id).state is SweepState.PENDING:
                sweeps.set_state(db, sweep.id, SweepState.RUNNING, now=now)
            return sweeps.add_agent(db, sweep.id, host, now=now)

    def heartbeat(self, agent_name: str, listed: Collection[str], *, now: float) -> Command:
        """Take a sign of life of an agent and decide what it does next.

        Args:
            agent_name: The id it was given.
            listed: The ids of the runs it says are queued or running with it.
            now: The time.

        Raises:
            NotFoundError: There is no such agent; its client then gives up.
        """
        self._judge_listed(agent_name, listed, now=now)
        with self.store.write() as db:
            agent = self._agent(db, agent_name)
            sweeps.touch(db, agent, now=now)
            self._take_listed(db, agent, listed, now=now)
            sweep = settle(db, agent.sweep_id, now=now)
            command = self._ladder(db, agent, sweep, listed, now=now)
        if command.kind == "search":
            command = self._search(agent, listed, now=now)
        if command.run is not None:
            told = {"action": command.kind, "sweep": sweep.name, "run": command.run.name, "agent": agent.name}
            log.info("%s %s -> agent %s", command.kind, command.run.name, agent.name, extra=told)
        return command

    def judge(self, run_id: int, *, now: float, since_line: int | None = None) -> None:
        """Ask early termination about a run, and mark it to be stopped if it says so.

        Args:
            run_id: The run.
            now: The time.
            since_line: From which line of its history on it has just logged; None if it has logged nothing new.
        """
        with self.store.read() as db:
            stored = runs.get(db, run_id)
            if stored.sweep_id is None or stored.state is not RunState.RUNNING or stored.stop_requested:
                return
            sweep = sweeps.get(db, stored.sweep_id)
            if sweep.definition.stopping is None:
                return
            run = runs.for_judging(db, sweep, stored)
            before = len(run.history) if since_line is None else lines.iterations(db, sweep.id, run_id, since_line)
            decision = judge(sweep.definition, run, runs.others_at(db, sweep, run_id), before=before)
        if decision:
            with self.store.write() as db:
                lifecycle.request_stop(db, run_id, decision.reason, decision)
            told = {"action": "stop_requested", "sweep": sweep.name, "run": stored.name}
            log.info("stop %s at %.0f: %s", stored.name, now, decision.reason, extra=told)

    def _judge_listed(self, agent_name: str, listed: Collection[str], *, now: float) -> None:
        with self.store.read() as db:
            own = runs.of_agent(db, self._agent(db, agent_name).id)
        for run in own:
            if run.name in listed:
                self.judge(run.id, now=now)

    def _agent(self, db: sqlite3.Connection, name: str) -> Agent:
        agent = sweeps.find_agent(db, name)
        if agent is None:
            raise NotFoundError(f"no agent {name!r} here: start it again with `wandb agent SWEEP`")
        return agent

    def _take_listed(self, db: sqlite3.Connection, agent: Agent, listed: Collection[str], *, now: float) -> None:
        """Believe what the agent says about its runs: listed ones live, the others have vanished."""
        for run in runs.of_agent(db, agent.id):
            if run.name in listed:
                lifecycle.listed(db, run, now=now)
            elif run.live or (run.state is RunState.PENDING and run.accepted):
                lifecycle.vanished(db, run, now=now)

    def _ladder(
        self, db: sqlite3.Connection, agent: Agent, sweep: Sweep, listed: Collection[str], *, now: float
    ) -> Command:
        own = runs.of_agent(db, agent.id)
        for run in own:
            if run.name in listed and run.stop_requested and (not run.state.ended or run.started_at is None):
                return Command("stop", run)
        if listed or sweep.state is SweepState.PAUSED:
            return WAIT
        if sweep.state.ended:
            return EXIT
        for run in own:
            if run.state is RunState.PENDING and run.sends >= MAX_SENDS:
                lifecycle.never_started(db, run, now=now)
            elif run.state is RunState.PENDING:
                return self._send(db, run, agent, now=now)
        return self._next(db, agent, sweep, now=now)

    def _next(self, db: sqlite3.Connection, agent: Agent, sweep: Sweep, *, now: float) -> Command:
        """Find a free agent of a running sweep a run: one that waits, or one to search for."""
        if waiting := runs.waiting(db, sweep.id):
            return self._send(db, waiting, agent, now=now)
        if not sweep.exhausted:
            return SEARCH
        # Somebody else's unstarted run may yet come back to the queue, and would find nobody here.
        return WAIT if runs.count(db, sweep.id, ("pending",)) else EXIT

    def _search(self, agent: Agent, listed: Collection[str], *, now: float) -> Command:
        with self._searching.setdefault(agent.sweep_id, threading.Lock()):
            suggestion = self._suggestion(agent.sweep_id)
            with self.store.write() as db:
                sweep = settle(db, agent.sweep_id, now=now)
                command = self._ladder(db, agent, sweep, listed, now=now)
                if command.kind != "search":
                    return command
                if suggestion is None:
                    sweeps.set_exhausted(db, sweep.id)
                    sweep = settle(db, sweep.id, now=now)
                    return self._ladder(db, agent, sweep, listed, now=now)
                nested = sweep.definition.space.nest(suggestion.params)
                run = runs.propose(db, sweep, suggestion.params, nested, now=now)
                return self._send(db, run, agent, now=now)

    def _suggestion(self, sweep_id: int) -> Suggestion | None:
        with self.store.read() as db:
            sweep = sweeps.get(db, sweep_id)
            known = runs.for_search(db, sweep)
        return None if sweep.exhausted else suggest(sweep.definition, known, seed=sweep.search_seed)

    def _send(self, db: sqlite3.Connection, run: StoredRun, agent: Agent, *, now: float) -> Command:
        kind: Literal["run", "resume"] = "run" if run.started_at is None else "resume"
        return Command(kind, lifecycle.sent(db, run, agent.id, now=now))
