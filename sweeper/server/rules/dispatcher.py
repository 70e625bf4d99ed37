"""Answers agents: a sign of life in, a command out. What the command is, `assignment.py` decides.

A heartbeat does not wait for the disk: what it decided is there by the time the run reports its start, which does wait.

Where no suggestion is ready the agent waits a moment for the search process, and then gets a random draw: a search
never keeps an agent. What must be exact (a grid, repeats, the rest of a finite space) is computed then and there,
between two transactions under a lock of its sweep, and counts only if the sweep has made no run meanwhile.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Sequence, Set
from functools import lru_cache, partial

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import Run, SweepState
from sweeper.search import suggest
from sweeper.server.errors import NotFoundError
from sweeper.server.rules import assignment, early_termination, liveness, suggestions
from sweeper.server.rules.assignment import WAIT, Command
from sweeper.server.rules.early_handout import EAGER_S
from sweeper.server.rules.idle_agents import idle_at
from sweeper.server.rules.joint_count import JointCount
from sweeper.server.rules.liveness import LivenessPolicy
from sweeper.server.rules.search_ahead import SearchAhead
from sweeper.server.rules.sweep_transitions import finish_if_done
from sweeper.server.store import agent_runs, runs, seen_runs, sweeps
from sweeper.server.store.database import Connection, Store
from sweeper.server.store.suggestions import NumberedSuggestion
from sweeper.server.store.sweep_lists import BestOfThePast
from sweeper.server.store.sweeps import Agent, Sweep

log = logging.getLogger(__name__)

SEARCH_WAIT_S = 0.03
"""For how long an agent waits for the search process."""
MOST_LISTED = 20
"""Runs of one agent that others may wait for; it has one or two."""


@lru_cache(maxsize=256)
def _drawn_at_random(text: str) -> SweepDefinition:
    """Give a sweep's definition with random draws for a search."""
    data = {**sweeps.parse_definition(text).to_dict(), "method": "random"}
    data.pop("metrics", None)  # several metrics have no random search; the target ends the sweep, whoever searches
    return SweepDefinition.model_validate(data)


class UnhurriedError(BaseException):
    """A request takes longer than one may that others wait for: it is to go its own way, and has done nothing.

    No `Exception`: of those, graphql-core (3.3) notes one for a field and goes on with the next.
    """


class Dispatcher:
    """Applies the rules to a store; all state is in the store, and `past` remembers what takes long to be read anew.

    Args:
        store: The database.
        search_ahead: Computes suggestions ahead; without one each is computed when it is asked for.
        policy: For how long silence is borne.
        hearing_since: Since when agents are answered; by default none is sure to have got an answer.
    """

    def __init__(
        self,
        store: Store,
        search_ahead: SearchAhead | None = None,
        policy: LivenessPolicy = liveness.DEFAULT,
        *,
        hearing_since: float = math.inf,
    ) -> None:
        self.store = store
        self.policy = policy
        self.hearing_since = hearing_since
        self.past = BestOfThePast()
        self._search_ahead = search_ahead
        self._search_locks: dict[int, threading.Lock] = {}

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
        if self._search_ahead and sweep_id is not None:
            self.store.when_stored(partial(self._search_ahead.notify, sweep_id))

    def heartbeat(
        self,
        agent_name: str,
        listed: Set[str],
        *,
        now: float,
        early: bool = True,
        held: bool = False,
        hurried: bool = False,
        joint: JointCount | None = None,
    ) -> Command:
        """Take a sign of life of an agent and decide what it does next.

        Args:
            agent_name: The id it was given.
            listed: The ids of the runs it says are queued or running with it.
            now: The time.
            early: It may get a run as soon as its last one has ended, if it takes it beside that one's function. One
                that may not, a worker of ours, may be kept waiting when there is no run for it.
            held: Whether this one has been held: who sent it may be gone by now.
            hurried: Others wait meanwhile.
            joint: The group for which the agent's runs count; None where nobody counts them.

        Raises:
            NotFoundError: There is no such agent; its client then gives up.
            UnhurriedError: It takes longer, so nothing was done.
        """
        if not hurried:
            self._judge_listed(agent_name, listed, now=now)
        with self.store.write(durable=False) as db:
            agent = self._agent(db, agent_name)
            known = sweeps.get(db, agent.sweep_id)
            if hurried and (not 0 < len(listed) <= MOST_LISTED or known.definition.stopping is not None):
                raise UnhurriedError
            sweeps.touch(db, agent, known, eager=early and now - agent.created_at < EAGER_S, now=now)
            own, news = assignment.take_listed(db, agent, listed, now=now, hearing_since=self.hearing_since)
            # a sweep with a run under way has not ended: nobody needs to count
            goes_on = not news and any(run.unfinished for run in own)
            sweep = known if goes_on else finish_if_done(db, agent.sweep_id, now=now)
            command = assignment.next_command(db, agent, sweep, listed, now=now, own=own, joint=joint)
            if hurried and command.kind == "search":
                raise UnhurriedError
        if command.kind == "search":
            command = self._search(agent, listed, joint, now=now)
        if listed or held:
            self._note_early(command, now=now)
        if listed and command.kind == "exit":  # its function has perhaps not returned yet: this would break it off
            command = WAIT
        if command.kind == "wait" and not listed and not early:
            with self.store.read() as db:
                command = Command("wait", idle=idle_at(db, agent.sweep_id, joint))
        if news or command.kind != "wait":
            self.changed(agent.sweep_id)
        if command.run is not None:
            told = {"action": command.kind, "sweep": sweep.name, "run": command.run.name, "agent": agent.name}
            log.info("%s %s -> agent %s", command.kind, command.run.name, agent.name, extra=told)
        return command

    def _judge_listed(self, agent_name: str, listed: Set[str], *, now: float) -> None:
        """Ask early termination about what an agent is at: W&B's rule looks at a run again as the others get on."""
        with self.store.read() as db:
            own = runs.of_agent(db, self._agent(db, agent_name).id)
        for run in own:
            if run.name in listed:
                early_termination.judge(self.store, run.id, now=now)

    def _agent(self, db: Connection, name: str) -> Agent:
        agent = sweeps.find_agent(db, name)
        if agent is None:
            raise NotFoundError(f"no agent {name!r} here: start it again with `wandb agent SWEEP`")
        return agent

    def _note_early(self, command: Command, *, now: float) -> None:
        """Remember what is given to an agent that may be gone, or has enough runs."""
        if command.kind in {"run", "resume"} and command.run is not None:
            with self.store.write(durable=False) as db:
                agent_runs.note_early(db, command.run.id, now=now)

    def _search(self, agent: Agent, listed: Set[str], joint: JointCount | None, *, now: float) -> Command:
        """Find a suggestion for an agent when none is ready."""
        until = time.monotonic() + SEARCH_WAIT_S
        while self._search_ahead and self._search_ahead.wait(agent.sweep_id, until=until):
            command = self._retry(agent, listed, joint, now=now)
            if command.kind != "search":
                return command
        why = ""
        if self._search_ahead:
            why = self._search_ahead.why_none(agent.sweep_id)
            command = self._retry(agent, listed, joint, now=now, fallback=why)
            if command.kind != "search":
                return command
        # One thread searches for a sweep at a time: the others would only find out that their answer is void.
        with self._search_locks.setdefault(agent.sweep_id, threading.Lock()):
            return self._compute(agent, listed, joint, now=now, fallback=why)

    def _retry(
        self, agent: Agent, listed: Set[str], joint: JointCount | None, *, now: float, fallback: str = ""
    ) -> Command:
        """Walk the ladder once more; with a reason for it, a random draw will do."""
        with self.store.write(durable=False) as db:
            sweep = finish_if_done(db, agent.sweep_id, now=now)
            command = assignment.next_command(db, agent, sweep, listed, now=now, joint=joint)
            if command.kind == "search" and fallback and (found := suggestions.draw(db, sweep)):
                log.warning("a random draw for sweep %s: %s", sweep.name, fallback)
                return assignment.give(db, sweep, agent, found, now=now, fallback=fallback, joint=joint)
            return command

    def _compute(
        self, agent: Agent, listed: Set[str], joint: JointCount | None, *, now: float, fallback: str
    ) -> Command:
        """Search in this thread, again if the sweep has made a run meanwhile, or was edited."""
        while True:
            with self.store.read() as db:
                asked = sweeps.get(db, agent.sweep_id)
                known = seen_runs.for_search(db, asked)
            found, fallback = self._suggestion(asked, known, fallback)
            with self.store.write(durable=False) as db:
                sweep = finish_if_done(db, agent.sweep_id, now=now)
                command = assignment.next_command(db, agent, sweep, listed, now=now, joint=joint)
                if command.kind != "search":
                    return command
                is_same = sweep.definition_text == asked.definition_text  # else it was edited meanwhile
                if is_same and found.number == runs.count(db, sweep.id) + 1:
                    return assignment.give(db, sweep, agent, found, now=now, fallback=fallback, joint=joint)

    @staticmethod
    def _suggestion(sweep: Sweep, known: Sequence[Run], fallback: str) -> tuple[NumberedSuggestion, str]:
        """Search; give the reason again if a random draw has to do."""
        own, ended = sum(not run.prior for run in known), sum(run.state.ended for run in known)
        if not sweep.definition.learns:
            fallback = ""  # there is nothing to crash or hang
        definition = _drawn_at_random(sweep.definition_text) if fallback else sweep.definition
        found = suggest(definition, known, seed=sweep.search_seed)
        return NumberedSuggestion.of(own + 1, found, seed=sweep.search_seed, based_on=ended), fallback
