"""The rules of a sweep: who gets which run, what stops, what has died, and when it is over.

Assignment is a ladder inside one transaction; `Scheduler.heartbeat` goes down it in this order:

1. the sweep has ended: stop what must stop, let the rest finish, then exit
2. a listed run is to stop, or another agent's since this one fell silent: stop it
3. the agent is busy, or the sweep paused: wait (one whose run has just ended is not: `early.py`)
4. a run was assigned to this agent and never started: send it again (the answer was lost)
5. a run waits for an agent (requeued): assign it
6. the sweep is over, or has nothing left: exit
7. the sweep has a scheduler of its own, outside of this server: wait until that proposes a run
8. take the suggestion that was computed ahead for the sweep's next run

A heartbeat does not wait for the disk: what it decided is there by the time the run reports its start, which does wait.

Where none is ready the agent waits a moment for the search process, and then gets a random draw: a search never keeps
an agent. What must be exact (a grid, repeats, the rest of a finite space) is computed then and there, between two
transactions under a lock of its sweep, and counts only if the sweep has made no run meanwhile.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import RunState, SweepState
from sweeper.search import judge, suggest
from sweeper.server.errors import NotFoundError
from sweeper.server.rules import run_transitions, stop_requests, suggestions, sweep_transitions
from sweeper.server.rules.early_handout import EAGER_S, all_done, watchable
from sweeper.server.rules.search_ahead import Searcher
from sweeper.server.rules.sweep_transitions import settle
from sweeper.server.store import agent_runs, runs, sweeps
from sweeper.server.store.database import Connection, Store
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.suggestions import NumberedSuggestion
from sweeper.server.store.sweeps import Agent, Sweep

log = logging.getLogger(__name__)

MAX_SENDS = 3
"""Times a run that never starts is handed out; then its trainer is taken to end before `wandb.init`."""


PATIENCE_S = 0.03
"""For how long an agent waits for the search process."""


@dataclass(frozen=True, slots=True)
class Command:
    """What an agent shall do next; `search` never leaves the scheduler. `watch` are runs whose end may change it."""

    kind: Literal["run", "resume", "stop", "exit", "wait", "search"]
    run: StoredRun | None = None
    watch: tuple[int, ...] = ()


WAIT = Command("wait")
EXIT = Command("exit")
SEARCH = Command("search")


@lru_cache(maxsize=256)
def _by_chance(text: str) -> SweepDefinition:
    """Give a sweep's definition with random draws for a search."""
    data = {**sweeps.parse_definition(text).to_dict(), "method": "random"}
    data.pop("metrics", None)  # several metrics have no random search; the target ends the sweep, whoever searches
    return SweepDefinition.model_validate(data)


class Scheduler:
    """Applies the rules to a store; all state is in the store.

    Args:
        store: The database.
        searcher: Computes suggestions ahead; without one each is computed when it is asked for.
    """

    def __init__(self, store: Store, searcher: Searcher | None = None) -> None:
        self.store = store
        self._searcher = searcher
        self._searching: dict[int, threading.Lock] = {}

    def register(self, sweep: Sweep, host: str, *, now: float) -> Agent:
        """Store a new agent; the first one sets the sweep running."""
        with self.store.write() as db:
            if sweeps.get(db, sweep.id).state is SweepState.PENDING:
                sweeps.set_state(db, sweep.id, SweepState.RUNNING, now=now)
            agent = sweeps.add_agent(db, sweep.id, host, now=now)
        self.changed(sweep.id)
        return agent

    def changed(self, sweep_id: int | None) -> None:
        """Note that something has happened to a sweep that may call for other suggestions."""
        if self._searcher and sweep_id is not None:
            self._searcher.poke(sweep_id)

    def heartbeat(self, agent_name: str, listed: Set[str], *, now: float, early: bool = True) -> Command:
        """Take a sign of life of an agent and decide what it does next.

        Args:
            agent_name: The id it was given.
            listed: The ids of the runs it says are queued or running with it.
            now: The time.
            early: It may get a run as soon as its last one has ended, if it takes it beside that one's function.

        Raises:
            NotFoundError: There is no such agent; its client then gives up.
        """
        self._judge_listed(agent_name, listed, now=now)
        with self.store.write(durable=False) as db:
            agent = self._agent(db, agent_name)
            sweeps.touch(db, agent, eager=early and now - agent.created_at < EAGER_S, now=now)
            self._take_listed(db, agent, listed, now=now)
            sweep = settle(db, agent.sweep_id, now=now)
            command = self._ladder(db, agent, sweep, listed, now=now)
        if command.kind == "search":
            command = self._search(agent, listed, now=now)
        if listed:
            command = self._early(command, now=now)
        self.changed(agent.sweep_id)
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
            run = runs.for_judging(db, sweep, stored, since_line)
            decision = judge(sweep.definition, run, runs.others_at(db, sweep, run_id))
        if decision:
            with self.store.write() as db:
                stop_requests.request(db, run_id, decision.reason, decision, now=now)
            told = {"action": "stop_requested", "sweep": sweep.name, "run": stored.name}
            log.info("stop %s at %.0f: %s", stored.name, now, decision.reason, extra=told)

    def _judge_listed(self, agent_name: str, listed: Set[str], *, now: float) -> None:
        with self.store.read() as db:
            own = runs.of_agent(db, self._agent(db, agent_name).id)
        for run in own:
            if run.name in listed:
                self.judge(run.id, now=now)

    def _agent(self, db: Connection, name: str) -> Agent:
        agent = sweeps.find_agent(db, name)
        if agent is None:
            raise NotFoundError(f"no agent {name!r} here: start it again with `wandb agent SWEEP`")
        return agent

    def _take_listed(self, db: Connection, agent: Agent, listed: Set[str], *, now: float) -> None:
        """Believe what the agent says about its runs: listed ones live, the others have vanished."""
        for run in runs.of_agent(db, agent.id):
            if run.name in listed:
                run_transitions.listed(db, run, now=now)
            elif run.live or (run.state is RunState.PENDING and run.accepted):
                run_transitions.vanished(db, run, now=now)
        for run in runs.taken_from(db, agent.id):
            if run.name in listed:
                run_transitions.listed(db, run, now=now)

    def _ladder(self, db: Connection, agent: Agent, sweep: Sweep, listed: Set[str], *, now: float) -> Command:
        own = runs.of_agent(db, agent.id)
        if to_stop := self._to_stop(db, agent, sweep, own, listed, now=now):
            return Command("stop", to_stop)
        if listed and not all_done(db, agent, listed):
            return Command("wait", watch=watchable(db, agent, listed))
        if sweep.state is SweepState.PAUSED:
            return WAIT
        if sweep.state.ended:
            return EXIT
        for run in own:
            if run.state is RunState.PENDING and run.sends >= MAX_SENDS:
                run_transitions.never_started(db, run, now=now)
            elif run.state is RunState.PENDING:
                return self._send(db, run, agent, now=now)
        return self._next(db, agent, sweep, now=now)

    @staticmethod
    def _to_stop(
        db: Connection, agent: Agent, sweep: Sweep, own: Sequence[StoredRun], listed: Set[str], *, now: float
    ) -> StoredRun | None:
        """Find a listed run that is to stop, or that has gone to another agent."""
        for run in own:
            waits = run.name in listed and (not run.state.ended or run.started_at is None)
            if waits and stop_requests.is_due(run, sweep.definition, eager=bool(agent.eager), now=now):
                return run
        for name in listed - {run.name for run in own}:
            found = runs.find(db, sweep.project_id, name)
            if found and found.sweep_id == sweep.id and found.agent_id not in {None, agent.id}:
                return found
        return None

    def _early(self, command: Command, *, now: float) -> Command:
        """Adapt what is told to an agent whose function has perhaps not returned yet: an exit would break it off."""
        if command.kind in {"run", "resume"} and command.run is not None:
            with self.store.write(durable=False) as db:
                agent_runs.note_early(db, command.run.id, now=now)
        return WAIT if command.kind == "exit" else command

    def _next(self, db: Connection, agent: Agent, sweep: Sweep, *, now: float) -> Command:
        """Find a free agent of a running sweep a run: one that waits, or one to search for."""
        if sweep.definition.scheduler and sweep_transitions.reached_target(db, sweep):
            sweep_transitions.drop_waiting(db, sweep, now=now)
        if waiting := runs.waiting(db, sweep.id):
            return self._send(db, waiting, agent, now=now)
        if sweep.exhausted or sweep_transitions.is_over(db, sweep):
            return self._over(db, sweep, now=now)
        if sweep.definition.scheduler:
            return WAIT
        found = suggestions.take(db, sweep.id)
        if found is None and sweep.definition.method == "random":
            found = suggestions.draw(db, sweep)
        return SEARCH if found is None else self._give(db, sweep, agent, found, now=now)

    def _over(self, db: Connection, sweep: Sweep, *, now: float) -> Command:
        """Send a free agent home when the search has nothing more to propose."""
        sweeps.set_exhausted(db, sweep.id)
        settle(db, sweep.id, now=now)
        # Somebody else's unstarted run may yet come back to the queue, and would find nobody here.
        return WAIT if runs.count(db, sweep.id, ("pending",)) else EXIT

    def _give(
        self, db: Connection, sweep: Sweep, agent: Agent, found: NumberedSuggestion, *, now: float, fallback: str = ""
    ) -> Command:
        """Make a run of a suggestion, with what suggested it and, if it is a makeshift, why."""
        if found.params is None:
            return self._over(db, sweep, now=now)
        origin = {"engine": found.engine, "seed": found.seed, "runs": found.based_on}
        if fallback:
            origin["fallback"] = fallback
        run = runs.propose(db, sweep, json.loads(found.params), now=now, origin=origin)
        return self._send(db, run, agent, now=now)

    def _search(self, agent: Agent, listed: Set[str], *, now: float) -> Command:
        """Find a suggestion for an agent when none is ready."""
        until = time.monotonic() + PATIENCE_S
        while self._searcher and self._searcher.wait(agent.sweep_id, until=until):
            command = self._retry(agent, listed, now=now)
            if command.kind != "search":
                return command
        why = ""
        if self._searcher:
            why = self._searcher.excuse(agent.sweep_id)
            command = self._retry(agent, listed, now=now, fallback=why)
            if command.kind != "search":
                return command
        with self._searching.setdefault(agent.sweep_id, threading.Lock()):
            return self._compute(agent, listed, now=now, fallback=why)

    def _retry(self, agent: Agent, listed: Set[str], *, now: float, fallback: str = "") -> Command:
        """Walk the ladder once more; with a reason for it, a random draw will do."""
        with self.store.write(durable=False) as db:
            sweep = settle(db, agent.sweep_id, now=now)
            command = self._ladder(db, agent, sweep, listed, now=now)
            if command.kind == "search" and fallback and (found := suggestions.draw(db, sweep)):
                log.warning("a random draw for sweep %s: %s", sweep.name, fallback)
                return self._give(db, sweep, agent, found, now=now, fallback=fallback)
            return command

    def _compute(self, agent: Agent, listed: Set[str], *, now: float, fallback: str) -> Command:
        """Search in this thread, again if the sweep has made a run meanwhile."""
        while True:
            found, fallback = self._suggestion(agent.sweep_id, fallback)
            with self.store.write(durable=False) as db:
                sweep = settle(db, agent.sweep_id, now=now)
                command = self._ladder(db, agent, sweep, listed, now=now)
                if command.kind != "search":
                    return command
                if found.number == runs.count(db, sweep.id) + 1:
                    return self._give(db, sweep, agent, found, now=now, fallback=fallback)

    def _suggestion(self, sweep_id: int, fallback: str) -> tuple[NumberedSuggestion, str]:
        """Search; give the reason again if a random draw has to do."""
        with self.store.read() as db:
            sweep = sweeps.get(db, sweep_id)
            known = runs.for_search(db, sweep)
        own, ended = sum(not run.prior for run in known), sum(run.state.ended for run in known)
        if not sweep.definition.learns:
            fallback = ""  # there is nothing to crash or hang
        definition = _by_chance(sweep.definition_text) if fallback else sweep.definition
        found = suggest(definition, known, seed=sweep.search_seed)
        return NumberedSuggestion.of(own + 1, found, seed=sweep.search_seed, based_on=ended), fallback

    def _send(self, db: Connection, run: StoredRun, agent: Agent, *, now: float) -> Command:
        kind: Literal["run", "resume"] = "run" if run.started_at is None else "resume"
        return Command(kind, run_transitions.sent(db, run, agent.id, now=now))
