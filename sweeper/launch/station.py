"""`python -m sweeper.launch.station ORDERS`: a worker away from its launch, on the machine that a scheduler gave it.

Its launch has written the orders into a folder that both see, and may have ended since, or be on its way to another
machine with the server. So the station sees to all that a launch sees to on its own machine: it takes up what the
slot's last worker left, stays with the new one until that has ended, and says in the same folder how it is.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType

from sweeper import __version__, private_files, temporary_folder
from sweeper.backend import embedded_server, sdk
from sweeper.backend.server_presence import absence
from sweeper.errors import BackendError, LaunchError, SweeperError
from sweeper.journal.directories import LaunchDir
from sweeper.journal.station_state import State, StationState
from sweeper.launch.cores import usable_cores
from sweeper.launch.last_word import last_word
from sweeper.launch.launcher import WorkerState
from sweeper.launch.local import LocalLauncher
from sweeper.launch.recovery import recover_slot
from sweeper.launch.relay_process import RelayProcess
from sweeper.launch.replacement import Replacement, check_needs
from sweeper.launch.supervisor import supervise
from sweeper.ref import SweepRef
from sweeper.settings import Backend, Settings
from sweeper.worker.spec import WorkerSpec

DONE, FAILED, USAGE, DIED, PREEMPTED = 0, 1, 2, 3, 75
"""Exit codes. 75 is what sysexits.h calls a temporary failure: the same orders may be given again."""
_CODES: dict[State, int] = {"done": DONE, "failed": FAILED, "died": DIED, "preempted": PREEMPTED}
SERVER_WITHIN_S = 900.0
"""How long a server may be away when a worker starts: its next job may wait in the queue."""
LOOK_S = 1.0
NEWS_S = 30.0
"""How often a station says that it runs."""
_GENTLE = (signal.SIGTERM, signal.SIGINT)


def work(
    orders: Path,
    environ: Mapping[str, str],
    *,
    native_id: str,
    node: str,
    preempted: Callable[[], None] | None = None,
    server_within_s: float = SERVER_WITHIN_S,
) -> int:
    """Be the worker of a slot until it has ended; call it from the main thread.

    SIGTERM, SIGINT, and SIGUSR1 as a warning of it, end its run within the grace of its orders; it is marked, and goes
    on elsewhere. A second SIGTERM or SIGINT kills.

    Args:
        orders: The JSON of a `WorkerSpec`, which names the same folder.
        environ: What this machine's jobs find in their environment; what the orders say goes before it.
        native_id: What the scheduler calls this job.
        node: What it calls this machine.
        preempted: Called at the end where it was stopped from outside and work is left: has it given out again.
        server_within_s: How long the server may be away at the start.

    Returns:
        An exit code, see DONE.
    """
    try:
        spec = _read_orders(orders, node)
    except LaunchError as error:
        print(f"error: {error.message}", file=sys.stderr, flush=True)  # noqa: T201 the job's own log, the only place
        return FAILED
    directory = LaunchDir(Path(spec.directory))
    station = _Station(spec, directory, native_id, node, server_within_s)
    with _signals() as stops, temporary_folder.owned():
        state, why = station.hold(environ, stops)
    station.say(state, why)
    if state == "preempted" and preempted:
        preempted()
    return _CODES[state]


def _read_orders(orders: Path, node: str) -> WorkerSpec:
    """Read a worker's orders, which lie in the launch's folder.

    Raises:
        LaunchError: They do not, as seen from here.
    """
    try:
        spec = WorkerSpec.load(orders)
        same = LaunchDir(Path(spec.directory)).spec(spec.slot.name).samefile(orders)
    except FileNotFoundError as error:
        shared = "is it on a file system that both machines share?"
        raise LaunchError(f"{error.filename} is not there on {node}: {shared}") from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise LaunchError(f"{orders} cannot be read on {node}: {error}") from error
    if not same:
        raise LaunchError(f"{spec.directory} is another folder on {node} than that in which {orders} lies")
    return spec


@dataclass
class _Stops:
    """The signals that have come.

    Attributes:
        pending: Those to act on: the first ends gently, the next one kills.
        seen: How many were acted on or will be.
    """

    pending: list[int] = field(default_factory=list)
    seen: int = 0
    warned: bool = False

    def note(self, number: int, _frame: FrameType | None = None) -> None:
        """Take one: a warning, and the SIGTERM that it warned of, are one stop."""
        if number == signal.SIGUSR1:
            if self.seen or self.warned:
                return
            self.warned = True
        elif self.warned:
            self.warned = False
            return
        self.seen += 1
        self.pending.append(number)


@contextmanager
def _signals() -> Iterator[_Stops]:
    stops = _Stops()
    before = {number: signal.signal(number, stops.note) for number in (*_GENTLE, signal.SIGUSR1)}
    try:
        yield stops
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass
class _Station:
    """One slot, one worker at a time."""

    spec: WorkerSpec
    directory: LaunchDir
    native_id: str
    node: str
    server_within_s: float
    said_at: float = 0.0
    relay: RelayProcess | None = None

    @property
    def slot(self) -> str:
        """The slot's name."""
        return self.spec.slot.name

    def say(self, state: State, why: str = "") -> None:
        """Say how the worker is; a disk without room for it is no reason to end."""
        self.said_at = time.monotonic()
        news = StationState(native_id=self.native_id, node=self.node, pid=os.getpid(), state=state, why=why)
        with contextlib.suppress(OSError):
            news.write(self.directory.station(self.slot))

    def hold(self, environ: Mapping[str, str], stops: _Stops) -> tuple[State, str]:
        """Work to the end; say how it went, and why."""
        if why := self.directory.ended():
            return "done", why
        self.say("running")
        try:
            self._check(environ)
            with ExitStack() as stack:
                env = self._connected(environ, stack)
                if not self._await_server(env, stops):
                    return self._outcome(WorkerState.DONE, stops)
                return self._work(env, stops)
        except SweeperError as error:
            with (
                contextlib.suppress(OSError),
                private_files.open_file(self.directory.worker_log(self.slot), "a") as log,
            ):
                log.write(f"{error.message}\n")  # where people look; its last line is told
            return "failed", error.message

    def _check(self, environ: Mapping[str, str]) -> None:
        """See that this machine is one that the orders can be followed on.

        Raises:
            LaunchError: It is not.
        """
        spec, node = self.spec, self.node
        if spec.version and spec.version != __version__:
            fix = f"install sweeper {spec.version} there, or start the launch anew"
            raise LaunchError(f"{node} has sweeper {__version__}, and its launch is of {spec.version}: {fix}", fix)
        if spec.slot.device and not environ.get("CUDA_VISIBLE_DEVICES"):
            raise LaunchError(f"{node} has given the job no GPU: CUDA_VISIBLE_DEVICES names none")
        if spec.server and not Path(spec.server).is_dir():
            raise LaunchError(f"{spec.server} is not there on {node}: is it on a file system that both machines share?")

    def _connected(self, environ: Mapping[str, str], stack: ExitStack) -> dict[str, str]:
        """Point this process and its worker at the server; give the worker's environment.

        Raises:
            SweeperError: There is no way to it.
        """
        env = {**environ, **self.spec.environ, "TMPDIR": tempfile.gettempdir()}
        if self.spec.server:
            data = Path(self.spec.server)
            log = self.directory.path / f"{self.slot}.relay.log"
            self.relay = stack.enter_context(closing(RelayProcess(data, env, log)))
            backend = Backend(kind="local", base_url=self.relay.url, api_key=_key(data))
        else:
            backend = Backend(kind="wandb", base_url=env.get("WANDB_BASE_URL", ""), api_key=None)
        settings = Settings.from_env(env)
        sdk.connect(backend, settings)
        return backend.environ(settings.environ)

    def _await_server(self, env: Mapping[str, str], stops: _Stops) -> bool:
        """Wait until the server answers; False if the launch has ended, or was stopped, meanwhile.

        Raises:
            BackendError: It does not in time.
        """
        until = time.monotonic() + self.server_within_s
        while away := absence(env):
            if self.spec.server:
                away = f"no server of {self.spec.server} answers"
            if time.monotonic() > until:
                raise BackendError(f"{away} on {self.node}, for {self.server_within_s:.0f} s", "see its log")
            self.say("running", f"{away}; waiting for it")
            for _ in range(5):
                if stops.seen or self.directory.ended():
                    return False
                time.sleep(LOOK_S / 5)
        return True

    def _work(self, env: Mapping[str, str], stops: _Stops) -> tuple[State, str]:
        spec, ref = self.spec, SweepRef.parse(self.spec.sweep)
        mine = replace(spec.slot, device=env.get("CUDA_VISIBLE_DEVICES", ""), threads=_threads(env))
        spec = replace(spec, slot=mine)
        with contextlib.suppress(BackendError):  # it has just gone; what is left waits until it is silent for too long
            recover_slot(ref, self.directory, self.slot, retries=spec.rules.retries)
        with closing(LocalLauncher(env)) as launcher:
            needs = [self.directory.path]
            care = Replacement(
                ref,
                self.directory,
                launcher,
                orders=lambda _name: spec,
                retries=spec.rules.retries,
                needs=needs,
                spare=lambda: {self.relay.pid} if self.relay else set(),
            )

            def turn() -> None:
                check_needs(needs)
                if self.relay:
                    self.relay.ensure()
                if time.monotonic() - self.said_at > NEWS_S:
                    self.say("running")

            self.say("running")
            states = supervise(
                launcher,
                launcher.start([spec]),
                signals=stops.pending,
                grace_s=spec.rules.grace_s,
                tick=turn,
                on_stop=lambda _asked: None,
                replace=care.replace,
                sleep=launcher.wait,
            )
            care.clear(states)
        return self._outcome(states[self.slot], stops)

    def _outcome(self, state: WorkerState, stops: _Stops) -> tuple[State, str]:
        ended, log = self.directory.ended(), self.directory.worker_log(self.slot)
        if stops.seen and not ended and self.directory.tickets_left(self.spec.count):
            return "preempted", "it was stopped from outside, and there is more to do"
        if state is WorkerState.FAILED:
            return "failed", last_word(log)
        if state is WorkerState.DIED and not stops.seen:
            return "died", f"its worker was killed again and again (log: {log})"
        return "done", ended


def _key(data: Path) -> str:
    """Read the key of the server's own user.

    Raises:
        LaunchError: It cannot be read.
    """
    file = embedded_server.key_file(data)
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise LaunchError(f"{file} cannot be read: {error}") from error


def _threads(environ: Mapping[str, str]) -> int:
    """Say how many cores this job has; without control groups only Slurm's own words tell its share of a machine."""
    said = (environ.get(name, "") for name in ("SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE"))
    share = next((int(text) for text in said if text.isdecimal() and int(text)), None)
    return min(usable_cores(), share) if share else usable_cores()


def _native_id(environ: Mapping[str, str]) -> str:
    """Name the Slurm job that this is in, as `squeue` does; the process where it is in none."""
    array, task = environ.get("SLURM_ARRAY_JOB_ID"), environ.get("SLURM_ARRAY_TASK_ID")
    return f"{array}_{task}" if array and task else environ.get("SLURM_JOB_ID", str(os.getpid()))


def main(argv: Sequence[str]) -> int:
    """Follow the orders in a file.

    Args:
        argv: The file.
    """
    if len(argv) != 1:
        print("usage: python -m sweeper.launch.station ORDERS", file=sys.stderr)  # noqa: T201 the job's own log
        return USAGE
    environ = Settings.from_env().environ
    node = environ.get("SLURMD_NODENAME") or socket.gethostname()
    return work(Path(argv[0]), environ, native_id=_native_id(environ), node=node)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
