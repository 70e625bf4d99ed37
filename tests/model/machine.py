"""The real dispatcher over a real database, driven at random, with the reference beside it."""

from __future__ import annotations

import contextlib
import json
import math
import shutil
import tempfile
from pathlib import Path

import yaml
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sweeper.run import RunState, SweepState
from sweeper.server.errors import RequestError
from sweeper.server.rules import (
    file_stream,
    run_endings,
    run_transitions,
    stop_requests,
    sweep_edits,
    sweep_transitions,
)
from sweeper.server.rules.dispatcher import Dispatcher
from sweeper.server.rules.early_handout import take_back
from sweeper.server.rules.file_stream import Chunk, Sent
from sweeper.server.rules.joint_count import JointCount
from sweeper.server.rules.liveness import DEFAULT
from sweeper.server.rules.reaper import reap
from sweeper.server.store import counted_runs, lines, projects, runs, sweeps, users
from sweeper.server.store.database import Store
from sweeper.server.store.lines import Stream
from tests.model.reference import AgentFacts, Attempt, RunFacts

METRIC = {"name": "loss", "goal": "minimize"}
POINTS = [1, 2, 3, 4]
LINE = {"min": 0.0, "max": 1.0}
SWEEPS = {
    "grid": {"method": "grid", "parameters": {"x": {"values": POINTS}}},
    "repeats": {"method": "grid", "parameters": {"x": {"values": [1, 2]}}, "sweeper": {"repeats": 2}},
    "random": {"method": "random", "parameters": {"x": LINE}, "run_cap": 4},
    "bayes": {"method": "bayes", "parameters": {"x": LINE}, "run_cap": 3},
    "hyperband": {
        "method": "random",
        "parameters": {"x": LINE},
        "run_cap": 4,
        "early_terminate": {"type": "hyperband", "min_iter": 1, "eta": 2},
    },
}
GROUPS = {"some": JointCount("some", 2), "all": JointCount("all")}
"""What workers on several machines say of their group."""
EDITS = [[1, 2, 3, 4], [2, 3, 4], [1, 2, 3, 4, 5], [1, 3, 5]]
ANSWERS_WITH_RUN = {"run", "resume"}
LONGEST_S = 400
MOST_AGENTS, MOST_BEATS = 4, 400

picks = st.integers(min_value=0, max_value=10_000)
values = st.lists(st.one_of(st.floats(0, 9), st.just(math.nan), st.just(math.inf)), min_size=1, max_size=3)


class ModelError(AssertionError):
    """The server has broken a promise; says which."""


def promise(name: str, kept: object, *about: object) -> None:
    """Hold the server to a promise of docs/guarantees.md.

    Raises:
        ModelError: It is broken.
    """
    if not kept:
        raise ModelError(f"{name}: {about}")


class SweepMachine(RuleBasedStateMachine):
    """A sweep with agents, stock ones and workers of ours, and everything that can happen to them.

    Attributes:
        steps: How many rules were applied, over all machines.
    """

    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="model-"))
        self.store = Store(self.folder / "db")
        self.dispatcher = Dispatcher(self.store, hearing_since=0.0)
        self.now, self.heard_since = 1_000_000.0, 0.0
        self.agents: list[AgentFacts] = []
        self.runs: dict[str, RunFacts] = {}
        self.sent: list[tuple[Attempt, Sent]] = []
        self.ended_by_person = False

    def teardown(self) -> None:
        """Let what is left come to its end, and leave nothing behind."""
        try:
            if self.agents:
                self.nothing_is_stuck()
        finally:
            self.store.close()
            shutil.rmtree(self.folder)

    @initialize(kind=st.sampled_from(sorted(SWEEPS)))
    def create(self, kind: str) -> None:
        """Create a sweep and its first agent."""
        self.kind = kind
        with self.store.write() as db:
            self.user = users.ensure_user(db, "local", "k" * 40, now=self.now)
            place = projects.ensure(db, "local", "p", now=self.now)
            text = yaml.safe_dump({"metric": METRIC, **SWEEPS[kind]})
            made = sweeps.create(db, place.id, text, user_id=self.user.id, seed=1, display_name=None, now=self.now)
        self.sweep_id = made.id
        self.register(ours=False)

    def tick(self, seconds: float = 2.0) -> None:
        """Let time pass: no two requests come at one moment."""
        self.now += seconds

    # agents

    @precondition(lambda self: sum(not agent.gone for agent in self.agents) < MOST_AGENTS)
    @rule(ours=st.booleans(), group=st.sampled_from(["", "", *GROUPS]))
    def register(self, ours: bool, group: str = "") -> None:
        """Start an agent; those of ours may be of a group that shares a number of runs."""
        self.tick()
        with self.store.read() as db:
            sweep = sweeps.get(db, self.sweep_id)
        agent = self.dispatcher.register(sweep, "host", now=self.now)
        self.agents.append(AgentFacts(agent.name, ours, group if ours else ""))

    @rule(pick=picks, arrives=st.sampled_from([True, True, True, False]))
    def beat(self, pick: int, arrives: bool) -> None:
        """Send a heartbeat; its answer may be lost on the way."""
        there = [agent for agent in self.agents if not (agent.gone or agent.away)]
        if there:
            self.tick(5.0)
            self.ask(there[pick % len(there)], arrives=arrives)

    def ask(self, agent: AgentFacts, *, arrives: bool = True) -> str:
        """Send a heartbeat, and do what it says; give what that was."""
        listed, before = agent.listed, self.sweep_state()
        joint = GROUPS.get(agent.group)
        command = self.dispatcher.heartbeat(agent.name, listed, early=not agent.ours, now=self.now, joint=joint)
        if command.kind in ANSWERS_WITH_RUN:
            assert command.run
            facts = self.runs.setdefault(command.run.name, RunFacts(command.run.name))
            promise(
                "an ended or paused sweep gives nothing", before in {SweepState.PENDING, SweepState.RUNNING}, before
            )
            promise("a busy agent is given nothing", not listed, listed)
            promise("what has finished is not run again", not facts.finished, facts.name)
            facts.group = facts.group or agent.group
            self.full_groups_take_their_own(agent, facts)
            facts.taken()
            facts.stopped = False
            if arrives:
                name = f"w{len(facts.attempts)}-{facts.name}" if agent.ours else ""
                agent.attempt = Attempt(facts, name, self.now)
                facts.attempts.append(agent.attempt)
        elif arrives and command.kind == "stop" and agent.attempt:
            assert command.run
            self.die(agent.attempt)
        elif arrives and command.kind == "exit" and not listed:
            agent.gone = True
        return command.kind

    def full_groups_take_their_own(self, agent: AgentFacts, facts: RunFacts) -> None:
        """A group that has had its runs takes up those of them that come back, and no other."""
        if agent.group == "some":
            promise("a joint count is exact", facts.group == "some" or self.made("some") < 2, facts.name)

    def made(self, group: str) -> int:
        """Count the runs that are there and were first given to a group."""
        with self.store.read() as db:
            return sum(facts.group == group and self.stored(db, facts) is not None for facts in self.runs.values())

    @rule(pick=picks)
    def go_away(self, pick: int) -> None:
        """Suspend a machine, or wake one up; a process that had not begun is not waited for."""
        there = [agent for agent in self.agents if not agent.gone]
        if there:
            agent = there[pick % len(there)]
            agent.away = not agent.away
            if agent.attempt and not agent.attempt.begun:
                agent.attempt.alive = False

    @rule(pick=picks, steps=st.integers(2, 8), resumes=st.booleans(), code=st.sampled_from([0, 0, 1]))
    def go_on(self, pick: int, steps: int, resumes: bool, code: int) -> None:
        """Let an agent and its process do what they would do if nothing happened to them."""
        there = [agent for agent in self.agents if not (agent.gone or agent.away)]
        if not there:
            return
        agent = there[pick % len(there)]
        for step in range(steps):
            attempt = agent.attempt
            if attempt is None or not attempt.alive:
                self.tick(5.0)
                if self.ask(agent) not in ANSWERS_WITH_RUN:
                    return
            elif not attempt.begun:
                place = [one for one in self.at_work() if not one.begun].index(attempt)
                self.begin(place, resumes=resumes)
            elif len(attempt.rows) < 3:
                place = [one for one in self.at_work() if one.begun and one.ended is None].index(attempt)
                self.report(place, [float(step)], arrives=True)
            else:
                place = [one for one in self.at_work() if one.begun].index(attempt)
                self.end(place, code=code, preempted=False)

    @rule(pick=picks)
    def lose(self, pick: int) -> None:
        """Suspend a machine until its run is taken from it, while somebody else waits for one; then wake it up."""
        there = [agent for agent in self.agents if agent.listed and agent.attempt and agent.attempt.begun]
        if not there:
            return
        agent = there[pick % len(there)]
        agent.away = True
        self.pass_time(61.0)
        self.pass_time(20.0)
        if pick % 3:
            other = next((one for one in self.agents if not (one.listed or one.gone or one.away)), None)
            if other is None:
                self.register(ours=bool(pick % 2))
                other = self.agents[-1]
            self.ask(other, arrives=bool(pick % 4))
        agent.away = False

    @rule(pick=picks)
    def kill_agent(self, pick: int) -> None:
        """Kill an agent with its process."""
        there = [agent for agent in self.agents if not agent.gone]
        if len(there) > 1:
            agent = there[pick % len(there)]
            agent.gone = True
            if agent.attempt:
                self.die(agent.attempt)

    @rule(seconds=st.sampled_from([6.0, 20.0, 61.0, LONGEST_S]))
    def pass_time(self, seconds: float) -> None:
        """Let time pass, with a sign of life from whoever is there, and look for the dead."""
        end = self.now + seconds
        while self.now < end:
            self.tick(min(20.0, end - self.now))
            for agent in self.agents:
                if not (agent.gone or agent.away) and agent.listed:
                    self.ask(agent)
            with self.store.write() as db:
                found = reap(db, DEFAULT, now=self.now, hearing_since=self.heard_since)
                take_back(db, now=self.now)
                for run in found:
                    self.note_back(runs.get(db, run.id))

    # processes

    def at_work(self) -> list[Attempt]:
        """The processes that have a run and can say something."""
        found = [(agent, agent.attempt) for agent in self.agents if not agent.away]
        return [attempt for _, attempt in found if attempt and attempt.alive]

    @rule(pick=picks, resumes=st.booleans())
    def begin(self, pick: int, resumes: bool) -> None:
        """Let a process report its start."""
        found = [attempt for attempt in self.at_work() if not attempt.begun]
        if not found:
            return
        self.tick()
        attempt = found[pick % len(found)]
        names = {attempt.name or f"born@{attempt.born:.3f}"}
        try:
            with self.store.write() as db:
                run = self.stored(db, attempt.run)
                resumes = resumes and run.started_at is not None
                if resumes:
                    run_transitions.asks_to_resume(db, run, now=self.now)
                    run_transitions.resumes(db, run, names, now=self.now)
                else:
                    run_transitions.begins(db, run, names, first=True, now=self.now)
        except RequestError:
            promise("who has a run is heard", attempt.taken, attempt.run.name)
            self.die(attempt)
            return
        attempt.run.begins(attempt, resumes=resumes)

    @rule(pick=picks, logged=values, arrives=st.sampled_from([True, True, False]))
    def report(self, pick: int, logged: list[float], arrives: bool) -> None:
        """Let a process log; where the answer is lost it sends all of it again with the next rows."""
        found = [attempt for attempt in self.at_work() if attempt.begun and attempt.ended is None]
        if not found:
            return
        self.tick()
        attempt = found[pick % len(found)]
        rows = []
        for value in logged:
            attempt.rows.append(attempt.row(value, now=self.now))
            rows.append(attempt.rows[-1])
        offset = attempt.first + len(attempt.rows) - len(rows)
        self.deliver(attempt, Sent(lines={Stream.HISTORY: Chunk(offset, rows)}))
        if not arrives:
            self.deliver(*self.sent[-1])

    @rule(pick=picks)
    def be_silent(self, pick: int) -> None:
        """Let a process say that it goes on; a stock one names nobody so."""
        found = [attempt for attempt in self.at_work() if attempt.begun]
        if found:
            self.tick()
            self.deliver(found[pick % len(found)], Sent())

    @rule(pick=picks)
    def deliver_again(self, pick: int) -> None:
        """Bring any request once more, however old it is and whoever sent it."""
        if self.sent:
            self.tick()
            self.deliver(*self.sent[-1 - pick % min(len(self.sent), 12)], again=True)

    @rule(pick=picks, code=st.sampled_from([0, 0, 0, 1, 255]), preempted=st.booleans())
    def end(self, pick: int, code: int, preempted: bool) -> None:
        """Let a process report its end."""
        found = [attempt for attempt in self.at_work() if attempt.begun]
        if not found:
            return
        self.tick()
        attempt = found[pick % len(found)]
        attempt.ended = code
        if preempted and code == 1:
            self.deliver(attempt, Sent(preempting=True, summary=self.summary(attempt)))
        sent = Sent(complete=True, exit_code=code, summary=self.summary(attempt))
        self.deliver(attempt, sent)
        self.die(attempt)

    def summary(self, attempt: Attempt) -> str:
        """What a process sums up, which tells who it is."""
        return json.dumps({"_timestamp": self.now, "_runtime": self.now - attempt.born})

    @rule(pick=picks)
    def crash(self, pick: int) -> None:
        """Kill a process."""
        if found := self.at_work():
            self.die(found[pick % len(found)])

    @staticmethod
    def die(attempt: Attempt) -> None:
        """End a process: its agent lists it no more."""
        attempt.alive = False

    def deliver(self, attempt: Attempt, sent: Sent, *, again: bool = False) -> None:
        """Bring what a process sent, and hold the answer against who has the run."""
        facts = attempt.run
        if not again:
            self.sent.append((attempt, sent))
        with self.store.read() as db:
            # the summary names nobody where the run was resumed: whoever resumes begins with that of the last one
            known = self.stored(db, facts)
            named = attempt.name or sent.writers(resumed=bool(known and known.resuming))
        try:
            kept = file_stream.keep(
                self.dispatcher, "local", "p", facts.name, sent, user=self.user, now=self.now, holder=attempt.name
            )
        except RequestError:
            promise("who has a run is heard", attempt.taken, facts.name)
            self.die(attempt)
            return
        history = sent.lines.get(Stream.HISTORY)
        if named:
            promise("late words are refused", not attempt.taken, facts.name, sent)
        if history:
            facts.stored(history.offset, list(history.content))
        file_stream.judge(self.dispatcher, kept, now=self.now)
        with self.store.read() as db:
            run = self.stored(db, facts)
        facts.stopped = facts.stopped or bool(run.stop_requested)
        if sent.complete and named:
            if not facts.stopped and sent.exit_code == 0:
                facts.finished = True
            self.note_back(run)

    def note_back(self, run: runs.StoredRun) -> None:
        """Note that a run went back to the queue, where its last process was shut out at once."""
        if run.state is RunState.PREEMPTED and run.lost_agent_id is None and run.name in self.runs:
            self.runs[run.name].taken()

    # people and workers

    @rule(pick=picks, by_worker=st.booleans())
    def hand_out_again(self, pick: int, by_worker: bool) -> None:
        """`sweeper retry`, or a worker whose run's process is gone."""
        self.change(
            pick, lambda db, run: run_endings.requeue(db, run, now=self.now, reason="oom" * by_worker), by_worker
        )

    @rule(pick=picks)
    def give_up(self, pick: int) -> None:
        """A worker that tries no more."""
        self.change(pick, lambda db, run: run_endings.give_up(db, run, now=self.now, reason="oom"), ended_only=True)

    def change(self, pick: int, how, ended_only: bool) -> None:
        """Change a run as a worker does of one whose process is gone, or as a person does of any that has ended."""
        found = [facts for facts in self.runs.values() if not any(attempt.alive for attempt in facts.attempts)]
        if not found:
            return
        self.tick()
        facts = found[pick % len(found)]
        with contextlib.suppress(RequestError), self.store.write() as db:
            run = self.stored(db, facts)
            if run is None or (run.offered and not ended_only):
                return
            was_over = run.state.ended
            how(db, run)
            if not (ended_only and was_over and runs.get(db, run.id).state.ended):
                facts.taken()
            facts.stopped = bool(runs.get(db, run.id).stop_requested)

    @rule(pick=picks)
    def stop_run(self, pick: int) -> None:
        """A person stops a run."""
        if self.runs:
            self.tick()
            facts = list(self.runs.values())[pick % len(self.runs)]
            with self.store.write() as db:
                if run := self.stored(db, facts):
                    stop_requests.ask(db, run, "stopped by a person", now=self.now)
                    facts.stopped = bool(self.stored(db, facts).stop_requested)
                    sweep_transitions.finish_if_done(db, self.sweep_id, now=self.now)

    @rule(state=st.sampled_from([SweepState.PAUSED, *[SweepState.RUNNING] * 3]))
    def steer(self, state: SweepState) -> None:
        """Pause or resume the sweep."""
        self.set_state(state)

    @precondition(lambda self: self.now > 1_000_150)
    @rule(state=st.sampled_from([SweepState.FINISHED, SweepState.CANCELED, *[SweepState.RUNNING] * 6]))
    def end_sweep(self, state: SweepState) -> None:
        """Stop, cancel or resume the sweep."""
        self.set_state(state)

    def set_state(self, state: SweepState) -> None:
        """Do what a person asks of the sweep."""
        self.tick()
        with contextlib.suppress(RequestError), self.store.write() as db:
            sweep_transitions.set_state(db, sweeps.get(db, self.sweep_id), state, now=self.now)
            self.ended_by_person = state.ended
        with self.store.read() as db:
            for facts in self.runs.values():
                if run := self.stored(db, facts):
                    facts.stopped = facts.stopped or bool(run.stop_requested)

    @precondition(lambda self: self.kind == "grid")
    @rule(points=st.sampled_from(EDITS))
    def edit(self, points: list[int]) -> None:
        """Give the sweep another file."""
        self.tick()
        text = yaml.safe_dump({"metric": METRIC, "method": "grid", "parameters": {"x": {"values": points}}})
        with contextlib.suppress(RequestError), self.store.write() as db:
            sweep = sweeps.get(db, self.sweep_id)
            sweep_edits.apply(db, sweep, sweep_edits.plan(db, sweep, text), {}, now=self.now)
            for facts in self.runs.values():
                if run := self.stored(db, facts):
                    facts.stopped = facts.stopped or bool(run.stop_requested)

    @rule()
    def restart_server(self) -> None:
        """Stop the server and start it again on its files."""
        self.tick()
        self.store.close()
        self.store = Store(self.folder / "db")
        self.dispatcher = Dispatcher(self.store, hearing_since=self.now)
        self.heard_since = self.now

    # what must hold

    def stored(self, db, facts: RunFacts) -> runs.StoredRun:
        """Read a run; None if it was only offered and has gone."""
        return runs.find(db, 1, facts.name)

    def sweep_state(self) -> SweepState:
        """Read the sweep's state."""
        with self.store.read() as db:
            return sweeps.get(db, self.sweep_id).state

    @invariant()
    def promises(self) -> None:
        """Hold everything that is stored against the reference."""
        SweepMachine.steps += 1
        if not self.agents:
            return
        with self.store.read() as db:
            sweep, found = sweeps.get(db, self.sweep_id), runs.of_sweep(db, self.sweep_id)
            texts = {run.id: lines.texts(db, run.id, Stream.HISTORY) for run in found if run.name in self.runs}
            metric = lines.metric_histories(db, self.sweep_id)
            bad = {run.id: lines.nonfinite(db, self.sweep_id, run.id) for run in found}
        for run in found:
            facts = self.runs.get(run.name)
            if facts is None:  # its command was lost, or is not out yet
                continue
            if facts.attempt:
                promise("one history", texts[run.id] == facts.history, run.name, texts[run.id], facts.history)
                same = metric.get(run.id, ()) == facts.values and bad[run.id] == facts.nonfinite
                promise("the metric is that of the history", same, run.name, metric.get(run.id), facts.values)
            promise("what has finished stays so", not facts.finished or run.state is RunState.FINISHED, run)
            promise("a run says why it did not finish", not _is_unexplained(run), run)
            promise("a lost run is tried so often", run.losses <= DEFAULT.lost_retries, run.losses)
            promise("a stopped run is killed", not facts.stopped or run.state not in _NOT_STOPPED, run)
        self._nothing_twice(sweep, found)
        self._counted(found)

    def _counted(self, found: list[runs.StoredRun]) -> None:
        """Each run counts for the group it was first given to, and for no other; of none are there too many."""
        groups = [self.runs[run.name].group for run in found if run.name in self.runs]
        with self.store.read() as db:
            made = {group: counted_runs.made(db, self.sweep_id, group) for group in GROUPS}
        promise("a run counts once", made == {group: groups.count(group) for group in GROUPS}, made, groups)
        promise("a joint count is exact", made["some"] <= 2, made)

    def _nothing_twice(self, sweep: sweeps.Sweep, found: list[runs.StoredRun]) -> None:
        """Each configuration is tried once, and no more runs are made than were asked for."""
        asked = [run.params for run in found if not run.beyond]
        if self.kind == "grid":
            promise("each configuration once", len(set(asked)) == len(asked), asked)
        if self.kind == "repeats":
            promise("each configuration as often as asked", all(asked.count(one) <= 2 for one in asked), asked)
        if cap := sweep.definition.run_cap:
            promise("run_cap is exact", len(found) <= cap, len(found))
        busy = [run.agent_id for run in found if run.agent_id is not None and run.live]
        promise("an agent is at one run", len(busy) == len(set(busy)), busy)

    def nothing_is_stuck(self) -> None:
        """Kill everybody; a new agent then brings the sweep to its end, whatever happened to it."""
        for agent in self.agents:
            agent.gone = True
            if agent.attempt:
                self.die(agent.attempt)
        if self.sweep_state() is SweepState.PAUSED:
            self.set_state(SweepState.RUNNING)
        self.pass_time(LONGEST_S)
        self._work(group="some")
        promise("a joint count is exact", self.made("some") == 2 or self.sweep_state().ended, self.sweep_state())
        self.pass_time(LONGEST_S)
        self._work()
        self.pass_time(LONGEST_S)
        self._all_done()

    def _work(self, group: str = "") -> None:
        """Let one worker do all that it is given, until it is sent home."""
        self.register(ours=True, group=group)
        agent = self.agents[-1]
        for _ in range(MOST_BEATS):
            self.pass_time(6.0)
            if agent.attempt and agent.attempt.alive:
                self.begin(0, resumes=False)
                self.report(0, [0.5], arrives=True)
                self.end(0, code=0, preempted=False)
            elif self.ask(agent) == "exit":
                return
            self.promises()
        promise("nothing is stuck", False, self.sweep_state(), group)

    def _all_done(self) -> None:
        with self.store.read() as db:
            sweep, found = sweeps.get(db, self.sweep_id), runs.of_sweep(db, self.sweep_id)
        left = [(run.name, run.state) for run in found if run.unfinished]
        promise("nothing is stuck", sweep.state.ended and not left, sweep.state, left)
        if not self.ended_by_person:
            asked = sum(not run.beyond for run in found)
            size = sweep.definition.run_cap or sweep.definition.expected_runs
            promise("the whole space is tried", asked == size, asked, size)


_NOT_STOPPED = {RunState.FINISHED, RunState.FAILED, RunState.CRASHED}


def _is_unexplained(run: runs.StoredRun) -> bool:
    return run.state in {RunState.FAILED, RunState.CRASHED, RunState.KILLED, RunState.PREEMPTED} and not run.reason
