"""A worker: it owns one slot and runs one fresh process per run in it.

The next process is prepared while the current one trains.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType

from sweeper.journal.attempt import Attempt
from sweeper.journal.broken import Ending, broken
from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.journal.failures import EndedBy, Facts, Failure, Kind, Policy, classify
from sweeper.journal.rank_files import RankFailure
from sweeper.processes import end_with_parent
from sweeper.ref import SweepRef
from sweeper.run import RunState
from sweeper.worker.conclusion import OPEN, EndedRun, conclude, failure_of
from sweeper.worker.main_thread import Raised, Returned, Started
from sweeper.worker.patience import Patience
from sweeper.worker.rank_leader import RankLeader, facts_of
from sweeper.worker.run_handle import RunHandle
from sweeper.worker.run_log import last_lines, tail
from sweeper.worker.run_processes import Method, RunProcesses
from sweeper.worker.spec import WorkerSpec
from sweeper.worker.stop_grace import StopGrace

POLL_S = 0.2

ELSEWHERE_S = 10.0
"""How long a slot leaves a run that failed on it to the others."""
MOST_LOST = 3
"""Processes in a row that die while they ask for a run, until the slot gives up."""
MOST_CUT_OFF = 12
"""The same where each was killed, or lost its wandb-core: whoever kills (a lack of memory, a person) often goes on a
while. Behind the last of them, with its pauses, that is most of a minute."""
LONGEST_PAUSE_S = 5.0


class Worker:
    """One slot's loop: take a ticket, run a process, write down how it ended.

    Args:
        spec: The orders.
        method: How its runs' processes are made.
    """

    def __init__(self, spec: WorkerSpec, method: Method = "fork") -> None:
        self.spec = spec
        self.directory = LaunchDir(Path(spec.directory))
        self.sweep_directory = SweepDir.of_launch(self.directory)
        self.ref = SweepRef.parse(spec.sweep)
        self.signals: list[int] = []
        self.strikes = 0
        self.upcoming: RunHandle | None = None
        self.ranks = RankLeader.of(spec, os.environ)  # noqa: TID251 what its station has told it
        self.failed_rank: RankFailure | None = None
        self.patience = Patience(self._absence, lambda: bool(self.signals or self.directory.ended()), _say)
        # what is on its way to a server that is there is heard of, also in a stop
        self.processes = RunProcesses(spec, self.directory, method, lambda: bool(self.signals and self._absence()))

    def run(self) -> int:
        """Work until tickets, runs or patience are used up.

        Returns:
            0 when there was nothing more to do, 1 when the worker gave up.
        """
        try:
            error = self._work()
        finally:
            if self.upcoming:
                self.upcoming.dismiss()
            self.processes.end_strays()
        if error:
            _say(error)
        return int(bool(error))

    @staticmethod
    def _absence() -> str:
        """Say why the server does not answer; empty if it does."""
        from sweeper.backend.server_presence import absence  # most workers never ask: it takes 0.1 s

        return absence(os.environ)  # noqa: TID251 the SDK's own

    def _work(self) -> str:
        """Run processes as long as there are tickets; say why no longer, if that is an error."""
        lost = 0
        while not self.signals and not self.directory.ended():
            # the ticket comes first: a process that asked the server without one would get a run too many
            ticket = self.directory.take_ticket(self.spec.tickets, self.spec.slot.name)
            if ticket is None:
                break
            handle, self.upcoming = self.upcoming or self.processes.new(), None
            grace = self._follow(handle, ticket)
            self.failed_rank = self._end_ranks(handle, grace)
            core_killed = self.processes.end_strays()  # before the next run: they may hold the memory of its GPU
            if not handle.run_id:
                self.directory.return_ticket(ticket)
                why = self._why_no_run(handle)
                if not why or self.directory.ended():
                    return why
                if self._absence():  # whom nobody answers has not failed
                    self.patience.wait()
                    continue
                lost += 1
                cut_off = _is_cut_off(handle, core_killed=core_killed)
                if lost >= (MOST_CUT_OFF if cut_off else MOST_LOST):
                    return why
                _say(f"{why}; trying again")
                self._pause(min(LONGEST_PAUSE_S, POLL_S * 2**lost) if cut_off else 0.0)
                continue
            lost = 0
            run_id, failure = handle.run_id, self._conclude(handle, ticket, grace, core_killed=core_killed)
            if not self.spec.rules.isolated:
                self.upcoming = handle if handle.renew() else None
            if failure and failure.policy is Policy.QUARANTINE:
                return f"{self.spec.slot.name} is taken out of the launch: {failure.cause}"
            if failure and failure.policy is Policy.RETRY_ELSEWHERE:
                self._leave_to_others(run_id)
        return ""

    def _why_no_run(self, handle: RunHandle) -> str:
        """Tell a sweep without more runs, which is no error, from a process that could not take one."""
        error = handle.setup_error
        if not (error or handle.prepared or self.spec.script or self.signals):  # os._exit, or a crash in native code
            error = f"importing {self.spec.trainer.partition(':')[0]} ended its process: {handle.how_it_ended}"
        if error:
            self.directory.end(f"{error}; see {handle.log}")  # the trainer is the same on every slot
            return self.directory.ended()  # the words of the slot that was the first to say so
        if self.signals or not handle.exit_code:  # the agent ends well when the sweep has no run for it
            return ""
        return f"the run's process ended with code {handle.exit_code} before it got a run; see {handle.log}"

    def _follow(self, handle: RunHandle, ticket: int) -> StopGrace:
        """Stay with a process until it ends; end it, gently and then by force, when it must."""
        handle.let_in()
        # importing and starting the SDK's service then cost no time between two runs
        if self.spec.rules.isolated and self.directory.tickets_left(self.spec.tickets):
            self.upcoming = self.processes.new()
        grace = StopGrace(self.spec.rules)
        while not handle.ended:
            if isinstance(handle.next_message(POLL_S), Started):
                earlier = self.sweep_directory.earlier_failures(handle.run_id)
                self.directory.append(self._started(handle, ticket, earlier))
            due = grace.next_signal(
                time.monotonic(),
                preempted=bool(self.signals),
                done=handle.result is not None,
                stopped=self._stopped(handle),
                started_at=handle.started_at,
                rank_failed=self.ranks.failed(time.monotonic()),
                away=lambda: bool(self._absence()),
            )
            if due is not None:
                handle.send(due)
            if grace.asked_to_end:
                self.ranks.ask_to_end(self.spec.rules.grace_s)
        return grace

    def _end_ranks(self, handle: RunHandle, grace: StopGrace) -> RankFailure | None:
        """Have the run's other ranks end with the first; say which of them failed, if the run failed for that."""
        for_rank = grace.ended_by is EndedBy.RANK
        return self.ranks.conclude(
            handle.result,
            handle.log,
            asked=(grace.asked_to_end and not for_rank) or self._stopped(handle),
            ended_for_rank=for_rank,
            grace_s=self.spec.rules.grace_s,
        )

    def _stopped(self, handle: RunHandle) -> bool:
        """Whether the server wants the run stopped: its agent has heard so, or the launch, which reads the sweep."""
        began = handle.started_at_s
        return handle.stopping or (began is not None and self.directory.stop_ordered(handle.run_id, since_s=began))

    def _started(self, handle: RunHandle, ticket: int, earlier: Sequence[Kind]) -> Attempt:
        slot, log = self.spec.slot.name, str(handle.log)
        number = len(earlier) + 1
        return Attempt(
            run_id=handle.run_id,
            slot=slot,
            ticket=ticket,
            log=log,
            attempt=number,
            params=handle.params,
            holder=handle.holder,
        )

    def _conclude(self, handle: RunHandle, ticket: int, grace: StopGrace, *, core_killed: bool) -> Failure | None:
        """Write down how a run ended, and do what follows from it."""
        facts = self._facts(handle, grace, core_killed=core_killed)
        run = EndedRun(
            started=self._started(handle, ticket, facts.earlier),
            result=handle.result,
            stopped=self._stopped(handle),
            wall_s=time.monotonic() - (handle.let_in_at or 0.0),
            facts=facts,
            log_tail=last_lines(
                Path(self.failed_rank.log) if self.failed_rank and self.failed_rank.log else handle.log
            ),
        )
        self.directory.forget_stop(handle.run_id)
        failure, told = self._tell_server(handle, found := failure_of(run))
        if found and not failure:
            run = replace(run, result=Returned(run.result.trainer_s if run.result else 0.0))
        self.directory.append(replace(conclude(run, failure), untold=not told))
        self.strikes = self.strikes + 1 if failure and failure.kind is Kind.BAD_GPU else 0
        if failure and failure.policy.retries:
            self.directory.return_ticket(ticket)
        elif failure:
            self._end_if_broken()
        return failure

    def _tell_server(self, handle: RunHandle, failure: Failure | None) -> tuple[Failure | None, bool]:
        """Have the server hand the run out again or end it, and tell it why.

        Returns:
            What came of it, and whether the server knows: one that is away while its launch is stopped does not.
        """
        run = self.ref.run(handle.run_id)
        # lost behind its end, of which a server that is away could not tell: all that the run did is there
        lost = failure is not None and failure.kind is Kind.CONNECTION
        if lost and self.patience.wait() and self.processes.state_of(run) == RunState.FINISHED:
            return None, True
        if failure and failure.policy.retries:
            refusal = self.patience.ask(partial(self.processes.set_state, run, "pending", failure.cause, handle.holder))
            # W&B itself hands out what was marked as preempting, and sweeper's server what has fallen silent
            if not refusal or failure.kind is Kind.PREEMPTED:
                return failure, refusal is not None
            failure = failure.not_retried(refusal)
        # of a run that never began, or whose process died, the server would know nothing for a minute, and then little;
        # a script that is told to stop dies of the signal, unless it listens
        if failure or handle.exit_code or (self.spec.script and isinstance(handle.result, Raised)):
            why = failure.cause if failure else ""
            self.patience.ask(partial(self.processes.set_state, run, "failed", why, handle.holder))
        return failure, True

    def _unsent(self, handle: RunHandle) -> str:
        """Say that the server lacks the end of a run whose trainer returned, if it does; empty if all is well."""
        result = handle.result
        if not isinstance(result, Returned) or result.unbegun:
            return ""
        if handle.exit_code and self.patience.wait():  # it died, or was killed, while it may still have sent something
            state = self.processes.state_of(self.ref.run(handle.run_id))
            state = state if state in OPEN else ""
        else:
            state = "open" if handle.exit_code else result.open_state
        return f"the trainer returned, but what it logged last did not reach the server ({state})" if state else ""

    def _facts(self, handle: RunHandle, grace: StopGrace, *, core_killed: bool) -> Facts:
        if self.failed_rank:
            return facts_of(
                self.failed_rank,
                gpu=bool(self.spec.slot.device),
                earlier=self.sweep_directory.earlier_failures(handle.run_id),
                strikes=self.strikes,
                retries=self.spec.rules.retries,
            )
        result = handle.result
        unsent = self._unsent(handle)
        preempted = EndedBy.PREEMPTION if unsent and self.signals else None
        return Facts(
            unsent=unsent,
            core_killed=core_killed or (isinstance(result, Raised) and result.core_killed),
            exit_code=result.exit_code if isinstance(result, Raised) else handle.exit_code,
            error=result.error if isinstance(result, Raised) else "",
            exited=isinstance(result, Raised) and result.exited,
            unbegun=result.unbegun if isinstance(result, Returned) else "",
            # the log is only asked where the process could not say what it raised: a script, an exit, or a crash
            log="" if isinstance(result, Raised) and result.error and not result.exited else tail(handle.log),
            ended_by=grace.ended_by or preempted,
            gpu=bool(self.spec.slot.device),
            earlier=self.sweep_directory.earlier_failures(handle.run_id),
            strikes=self.strikes,
            retries=self.spec.rules.retries,
        )

    def _end_if_broken(self) -> None:
        """End the launch if what failed would fail again and again."""
        ended = [attempt for attempt in self.directory.history() if attempt.outcome and not attempt.waits]
        if why := broken([*map(Ending.of, ended)], self.spec.rules.limits, self.spec.varied):
            self.directory.end(why)

    def _leave_to_others(self, run_id: str) -> None:
        """Wait until another slot has taken up a run, if there are others, but not for long: they may be busy."""
        if len(self.directory.slots()) > 1:
            self._pause(ELSEWHERE_S, lambda: self.directory.attempts()[run_id].waits)

    def _pause(self, seconds: float, still: Callable[[], bool] = lambda: True) -> None:
        """Wait for so long, as long as there is something to wait for; not when the launch is stopped."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.signals and still():
            time.sleep(POLL_S)


def _is_cut_off(handle: RunHandle, *, core_killed: bool) -> bool:
    """Whether a process without a run was ended from outside: killed itself, or by the loss of its wandb-core."""
    kind = classify(Facts(exit_code=handle.exit_code, log=tail(handle.log), core_killed=core_killed)).kind
    return kind is Kind.CONNECTION or handle.exit_code == -signal.SIGKILL


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)  # noqa: T201 the worker's own log


def main(orders: Path, method: Method) -> int:
    """Read the orders and work; SIGTERM or SIGINT ends the run under way, which the next launch goes on with.

    Args:
        orders: Their file.
        method: How its runs' processes are made.

    Returns:
        The exit code.
    """
    end_with_parent()  # a launch that is killed with -9 leaves nothing behind
    worker = Worker(WorkerSpec.load(orders), method)

    def note(number: int, _frame: FrameType | None) -> None:
        worker.signals.append(number)

    signal.signal(signal.SIGTERM, note)
    signal.signal(signal.SIGINT, note)
    return worker.run()
