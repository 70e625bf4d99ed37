"""A sweep's runs sent to another W&B server, once each, and attached there to a new sweep of the same definition."""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

from sweeper import private_files
from sweeper.backend import run_reader, sdk
from sweeper.backend.create import without_extensions
from sweeper.backend.run_reader import ServerRun, ServerRuns
from sweeper.backend.sweep_reader import SweepReader
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import BackendError, SweeperError
from sweeper.journal.directories import SweepDir
from sweeper.ref import SweepRef
from sweeper.results.sync_ledger import Ledger, targets
from sweeper.results.sync_staging import Staged, find_logs, stage
from sweeper.results.sync_target import Destination, OtherServer
from sweeper.run import RunState
from sweeper.settings import Backend, Settings

ARRIVAL_TIMEOUT_S = 30.0
LOCK_TIMEOUT_S = 60.0
ATTACHED_AT_ONCE = 200
"""The SDK (0.31) gives a request 20 s; a server looks for each of these among all runs of its project."""

SyncOutcome = Literal["sent", "sent before", "to be sent", "not ended", "failed"]
"""What has become of a run, in the words that `sweeper sync` prints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSync:
    """What became of one run.

    Attributes:
        run: Its id, here and there.
        outcome: Whether it is there now.
        notes: What did not go with it, or came from elsewhere than its log.
        error: Why it is not there.
    """

    run: str
    outcome: SyncOutcome
    notes: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """What became of a sweep.

    Attributes:
        source: The sweep here.
        to: Where its runs went: address, entity and project.
        runs: Its own runs, oldest first.
        sweep: The sweep there; empty if there is none yet.
        url: Its page.
        error: Why the runs are not attached to it.
    """

    source: str
    to: str
    runs: tuple[RunSync, ...]
    sweep: str = ""
    url: str = ""
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether everything that has ended is there."""
        return not self.error and not any(run.outcome == "failed" for run in self.runs)


@contextmanager
def _locked(folder: Path, *, timeout_s: float = LOCK_TIMEOUT_S) -> Iterator[int]:
    """Let one sync at a time work on a sweep; `wandb sync` holds on to it too, should this process be killed.

    By hand and not with filelock, which keeps the descriptor to itself: a child that inherits it keeps the lock.
    """
    private_files.make_folder(folder)
    deadline = time.monotonic() + timeout_s
    with (folder / "lock").open("w", encoding="utf-8") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise SweeperError("another `sweeper sync` of this sweep is under way", "wait for it") from error
                time.sleep(0.1)
        yield file.fileno()


def _own_runs(ref: SweepRef, source: Backend, settings: Settings) -> tuple[ServerRun, ...]:
    return tuple(run for run in ServerRuns(source, settings).of(ref) if run.sweep == ref.sweep_id)


def _planned(runs: Sequence[ServerRun], sent: Collection[str]) -> tuple[RunSync, ...]:
    def outlook(run: ServerRun) -> SyncOutcome:
        if run.id in sent:
            return "sent before"
        return "to be sent" if run.state.ended else "not ended"

    return tuple(RunSync(run=run.id, outcome=outlook(run)) for run in runs)


def plan_without_key(
    ref: SweepRef, source: Backend, settings: Settings, *, url: str | None, entity: str | None, project: str | None
) -> SyncResult:
    """Say what would be sent, for who has no key of the other server yet: by what was noted here, asking nobody there.

    Args:
        ref: The sweep, on the server that the SDK is pointed at.
        source: That server.
        settings: The user's environment.
        url: The other server's address, where it is known.
        entity: Whose the runs will be there; whose key it will be by default.
        project: Where they will be; in a project of the same name by default.
    """
    file = SweepDir.of(settings.home, ref).sync / "sent.jsonl"
    server, project = (url or "").rstrip("/"), project or settings.project or ref.project
    entity = entity or settings.entity
    end = f"/{entity}/{project}" if entity else f"/{project}"
    known = [to for to in targets(file) if to.startswith(f"{server}/" if server else "") and to.endswith(end)]
    sent = {run for to in known for run in Ledger(file, to).runs("sent")}
    to = "/".join([server or "(no server is named)", entity or "(the key's own user)", project])
    return SyncResult(source=ref.path, to=to, runs=_planned(_own_runs(ref, source, settings), sent))


@dataclass
class Sync:
    """A sync, prepared: nothing was sent yet.

    Attributes:
        ref: The sweep here.
        definition: What both sweeps search.
        runs: The sweep's own runs, oldest first.
        destination: Where to.
        directory: The sweep's directory.
        logs: The transaction logs of each run.
        server: The other server.
        arrival_timeout_s: How long a run that was sent may take until it is seen there.
    """

    ref: SweepRef
    definition: SweepDefinition
    runs: tuple[ServerRun, ...]
    destination: Destination
    directory: SweepDir
    server: OtherServer
    logs: Mapping[str, tuple[Path, ...]]
    arrival_timeout_s: float = ARRIVAL_TIMEOUT_S
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        """Find what was noted earlier."""
        self.ledger = Ledger(self.directory.sync / "sent.jsonl", str(self.destination))

    @classmethod
    def prepare(
        cls,
        ref: SweepRef,
        source: Backend,
        to: Backend,
        settings: Settings,
        *,
        entity: str | None = None,
        project: str | None = None,
    ) -> Self:
        """Read the sweep and turn the SDK to the other server.

        Args:
            ref: The sweep, on the server that the SDK is pointed at.
            source: That server.
            to: The other one.
            settings: The user's environment.
            entity: Whose the runs will be there; the key's own by default.
            project: Where they will be; in a project of the same name by default.

        Raises:
            SweepNotFoundError: There is no such sweep.
            BackendError: One of the servers does not answer, or both are the same.
        """
        if source.base_url.rstrip("/") == to.base_url.rstrip("/"):
            raise BackendError(f"sweep {ref} is on {to.base_url} already", "give another server: --to URL")
        view = SweepReader(ref).read()
        run_reader.turn_to(to, settings)
        # read from the source after the SDK was turned away from it: its address and key are named outright
        runs = _own_runs(ref, source, settings)
        entity = entity or settings.entity or sdk.default_entity()
        destination = Destination(backend=to, entity=entity, project=project or settings.project or ref.project)
        directory = SweepDir.of(settings.home, ref)
        elsewhere = settings.environ.get("WANDB_DIR")  # which `launch` leaves as it is
        logs = {**(find_logs(Path(elsewhere)) if elsewhere else {}), **find_logs(directory.wandb)}
        definition = view.whole_definition
        if definition.sweeper.used and not sdk.speaks_sweeper(to):
            definition = without_extensions(definition)
        return cls(ref, definition, runs, destination, directory, OtherServer(destination, settings), logs)

    def plan(self) -> SyncResult:
        """Say what would be sent."""
        sweep, _ = self.ledger.sweep()
        return self._result(_planned(self.runs, self.ledger.runs("sent")), sweep)

    def run(self, tell: Callable[[RunSync], None]) -> SyncResult:
        """Send what was not sent yet, one run after the other, and attach it; a failure does not stop the others.

        Args:
            tell: Told of every run as it is done with.
        """
        done: list[RunSync] = []
        with _locked(self.directory.sync) as lock:
            shutil.rmtree(self.directory.sync / "staging", ignore_errors=True)  # of a sync that was killed
            for planned in self.plan().runs:
                done.append(self._send(planned.run, lock) if planned.outcome == "to be sent" else planned)
                tell(done[-1])
            try:
                sweep, error = self._attach(), ""
            except BackendError as failure:
                sweep, error = None, failure.message
        return self._result(tuple(done), sweep, error)

    def _result(self, runs: tuple[RunSync, ...], sweep: SweepRef | None, error: str = "") -> SyncResult:
        url = self.server.page(sweep) if sweep else ""
        there = sweep.path if sweep else ""
        return SyncResult(source=self.ref.path, to=str(self.destination), runs=runs, sweep=there, url=url, error=error)

    def _send(self, run_id: str, lock: int) -> RunSync:
        run = next(run for run in self.runs if run.id == run_id)
        folder = self.directory.sync / "staging" / f"run-{run.id}"
        try:
            there = self.server.find(run.id)
            if there is not None and run.id not in self.ledger.runs("begun"):
                # ids are random: one of the same id is another person's, or this one from another copy of the ledger
                raise BackendError(f"a run {run.id} is there already and was not sent from here")
            folder.mkdir(parents=True)
            # what has ended is written over by a process that begins anew, as W&B does; what has not is gone on with
            behind = there.last_step if there and not there.state.ended else None
            staged = stage(run, self.logs.get(run.id, ()), folder, behind=behind)
            self.ledger.begin(run.id)  # before the first byte: what is found there after a kill is ours
            self.server.send(folder, run.id, lock)
            self._check_arrival(run.id, staged)
        except (SweeperError, OSError, ValueError) as error:
            return RunSync(run=run.id, outcome="failed", error=str(error))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self.ledger.sent(run.id)
        return RunSync(run=run.id, outcome="sent", notes=staged.notes)

    def _check_arrival(self, run_id: str, staged: Staged) -> None:
        """Ask the server itself; W&B's cloud shows what it took a moment later."""
        deadline = time.monotonic() + self.arrival_timeout_s
        while True:
            there = self.server.find(run_id)
            # crashed is what a server calls a run whose end it has not heard yet
            ended = there is not None and there.state.ended and there.state is not RunState.CRASHED
            if there is not None and ended and there.last_step == staged.last_step:
                return
            if time.monotonic() > deadline:
                found = f"it is {there.state}, with rows up to step {there.last_step}" if there else "it is not there"
                raise BackendError(f"{found}, and not up to {staged.last_step}")
            time.sleep(0.5)

    def _attach(self) -> SweepRef | None:
        """Attach all that was ever sent: to the sweep of an earlier sync, or to a new one."""
        sweep, attached = self.ledger.sweep()
        sent = self.ledger.runs("sent")
        more = [run for run in sent if run not in attached]
        if sweep is not None and more:
            try:
                self._attach_to(sweep, more)
            except BackendError:  # its definition was changed there, or the server does not take more runs
                sweep = None
        if sweep is None and sent:
            first = sent[:ATTACHED_AT_ONCE]
            sweep = self.server.register(self.definition, first)
            self.ledger.attached(sweep.path, first)
            self._attach_to(sweep, sent[ATTACHED_AT_ONCE:])
        return sweep

    def _attach_to(self, sweep: SweepRef, runs: Sequence[str]) -> None:
        for start in range(0, len(runs), ATTACHED_AT_ONCE):
            some = runs[start : start + ATTACHED_AT_ONCE]
            self.server.attach(sweep, self.definition, some)
            self.ledger.attached(sweep.path, some)
