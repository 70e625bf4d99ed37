"""`python -m sweeper.launch.slurm.head FOLDER`: the job that is the server, and watches over a launch's workers.

Several of them follow each other: one that reaches its time limit, or loses its node, leaves everything as it is, and
the next one adopts it. Only when the launch is over does one clear up.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from sweeper.backend import embedded_server, sdk, server_job
from sweeper.errors import SweeperError
from sweeper.journal import lease
from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.launch.foreground import run_launch
from sweeper.launch.launch_result import LaunchResult
from sweeper.launch.prepare import Away, Launch
from sweeper.launch.relay_process import RelayProcess
from sweeper.launch.slurm import outcome, queue, site
from sweeper.launch.slurm.batch_script import submission_environ
from sweeper.launch.slurm.commands import SlurmError
from sweeper.launch.slurm.head_server import HeadServer, reachable_address
from sweeper.launch.slurm.node import native_id, requeue_own
from sweeper.launch.slurm.slurm_launcher import SlurmLauncher, signal_jobs
from sweeper.launch.slurm.submission import Submission
from sweeper.launch.slurm.waiting import note_waiting
from sweeper.launch.status_poller import StatusPoller
from sweeper.ref import SweepRef
from sweeper.results.status_reader import StatusReader
from sweeper.settings import Backend, Settings
from sweeper.worker.spec import WorkerSpec

BEAT_S = 10.0
BETWEEN_S = 900.0
"""For how long a launch counts as living while no head is at work: the next one may wait in the queue."""


class HandOverError(Exception):
    """This head has to end, and the launch goes on with the next one."""


@dataclass
class Head:
    """One of a launch's heads.

    Attributes:
        directory: The launch's.
        submission: Its jobs.
        settings: This job's environment.
    """

    directory: LaunchDir
    submission: Submission
    settings: Settings
    leaving: list[int] = field(default_factory=list)
    beat_at: float = float("-inf")
    server: HeadServer | None = None
    relay: RelayProcess | None = None
    launcher: SlurmLauncher | None = None

    def work(self) -> int:
        """Watch over the launch until it is over, or this job has to end."""
        if outcome.read(self.directory) is not None:  # a successor that came too late to be cancelled
            return 0
        for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, _frame: self.leaving.append(number))
        lease.renew(self.directory.path)
        try:
            self.submission.check_version()
            with ExitStack() as stack:
                result = self._watch(stack)
                self._await_others()
        except HandOverError:
            self._hand_over()
            return 0
        except SweeperError as error:
            return self._fail(error)
        except Exception as error:  # noqa: BLE001 or the last head would leave the workers waiting for it
            traceback.print_exc()  # into the job's own log, for whoever is told of it
            return self._fail(SweeperError(f"{type(error).__name__}: {error}", "this is a fault of sweeper"))
        self._conclude(result)
        return 0

    def _watch(self, stack: ExitStack) -> LaunchResult:
        backend = self._connect(stack)
        launch, reader = self._launch(backend)
        environ = submission_environ(self.settings.environ, keeps_key=not self.submission.server)
        self.launcher = SlurmLauncher(self.directory, self.submission, environ)
        poller = stack.enter_context(StatusPoller(reader, lambda: sdk.check_reachable(backend, self.settings)))
        return run_launch(
            launch,
            tick=self._tick,
            on_stop=lambda _asked: None,
            latest=lambda: poller.latest,
            launcher=self.launcher,
            stopped_by=(),
        )

    def _connect(self, stack: ExitStack) -> Backend:
        """Start the server if it is ours, and point this process at it, wherever it will be."""
        environ = self.settings.environ
        if self.submission.serves:
            data = Path(self.submission.server)
            host = reachable_address(site.own_address(environ.get("SLURMD_NODENAME", "")))
            self.server = HeadServer(
                data,
                host,
                snapshot_every_s=self.submission.request.snapshot_every_s,
                environ=environ,
                log=embedded_server.log_file(self.settings.home),
            )
            stack.enter_context(closing(self.server))
            self.server.start()
        if self.submission.server:
            data = Path(self.submission.server)
            log = self.directory.path / "head.relay.log"
            self.relay = stack.enter_context(closing(RelayProcess(data, environ, log)))
            key = embedded_server.key_file(data).read_text(encoding="utf-8").strip()
            backend = Backend(kind="local", base_url=self.relay.url, api_key=key)
        else:
            url = self._specs()[0].environ.get("WANDB_BASE_URL") or environ.get("WANDB_BASE_URL", "")
            backend = Backend(kind="wandb", base_url=url)
        sdk.connect(backend, self.settings)
        return backend

    def _specs(self) -> list[WorkerSpec]:
        return [WorkerSpec.load(self.directory.spec(slot)) for slot in self.submission.workers]

    def _launch(self, backend: Backend) -> tuple[Launch, StatusReader]:
        """Describe the launch anew, from the orders of its workers."""
        specs = self._specs()
        first, ref = specs[0], SweepRef.parse(specs[0].sweep)
        reader = StatusReader(ref, self.settings, backend)
        status = reader.read()
        server = Path(self.submission.server) if self.submission.server else None
        launch = Launch(
            ref=ref,
            trainer=first.trainer,
            script=first.script,
            slots=tuple(spec.slot for spec in specs),
            directory=self.directory,
            count=first.count,
            rules=first.rules,
            environ={**backend.environ(self.settings.environ), **first.environ},
            before=status,
            scheduler=self.submission.scheduler,
            needs=(self.directory.path,),
            varied=first.varied,
            away=Away(
                user=self.settings.environ,
                server=server,
                nodes=first.nodes,
                ranks_per_node=first.ranks_per_node,
            ),
        )
        return launch, reader

    def _tick(self) -> None:
        """Do what is to be done several times a second.

        Raises:
            HandOverError: This job has to end.
        """
        if self.leaving:
            raise HandOverError
        if time.monotonic() - self.beat_at < BEAT_S:
            return
        self.beat_at = time.monotonic()
        with contextlib.suppress(OSError):
            lease.renew(self.directory.path)
            if self.launcher:
                note_waiting(self.directory, self.launcher.waiting())
        if self.server:
            self.server.ensure()
        if self.relay:
            self.relay.ensure()

    def _await_others(self) -> None:
        """Stay the server as long as another launch needs it.

        Raises:
            HandOverError: This job has to end.
        """
        while self.server and any(_needs_server(self.settings.home, self.directory)):
            self._tick()
            time.sleep(1)

    def _hand_over(self) -> None:
        """Leave the launch to the next head; the last of the array puts itself back into the queue."""
        lease.renew(self.directory.path, BETWEEN_S)
        if not self._is_followed():  # their user has cancelled them all
            lease.give_up(self.directory.path)

    def _is_followed(self) -> bool:
        """Whether there is a next head; an unsure one is waited for."""
        environ = self.settings.environ
        if environ.get("SLURM_ARRAY_TASK_ID") == str(self.submission.heads - 1):
            return requeue_own(native_id(environ))
        try:
            return any(job.waits for job in queue.read([self.submission.head]).values())
        except SlurmError:
            return True

    def _fail(self, error: SweeperError) -> int:
        """Say why this head cannot work; the last one of all ends the launch."""
        print(f"error: {error.message}\n  {error.hint}", file=sys.stderr, flush=True)  # noqa: T201 the job's own log
        task = self.settings.environ.get("SLURM_ARRAY_TASK_ID", "")
        if task != str(self.submission.heads - 1):
            return 1
        self.directory.end(error.message)
        with contextlib.suppress(SlurmError):
            signal_jobs(list(self.submission.workers.values()), gently=True)
        ended = LaunchResult(runs=(), interrupted=False, errors={}, ended=error.message)
        self._conclude(ended)
        return 1

    def _conclude(self, result: LaunchResult) -> None:
        """Leave nothing in the queue, and let commands start the server by themselves again."""
        if self.submission.serves:
            server_job.remove(Path(self.submission.server))
        outcome.write(self.directory, result)
        lease.give_up(self.directory.path)
        submission = self.launcher.submission if self.launcher else self.submission
        with contextlib.suppress(SlurmError):
            queue.cancel(list(submission.workers.values()), "--quiet")
        with contextlib.suppress(SlurmError):
            queue.cancel([submission.head], "--quiet", "--state=PENDING")


def _needs_server(home: Path, mine: LaunchDir) -> list[LaunchDir]:
    """List the other launches under way that have the server of a state directory."""
    launches = (launch for sweep in SweepDir.known(home) for launch in sweep.launches())
    return [launch for launch in launches if launch != mine and launch.launcher() is not None]


def main(argv: Sequence[str]) -> int:
    """Be a head of a launch.

    Args:
        argv: The launch's folder.
    """
    directory = LaunchDir(Path(argv[0]))
    return Head(directory, Submission.load(directory), Settings.from_env()).work()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
