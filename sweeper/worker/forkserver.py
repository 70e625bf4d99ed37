"""The one process of a machine that imports: the launch's workers are forked from it, each of them with its own slot.

So eight slots cost one import, and what was imported is in memory once. A worker dies with it, and it with the launch.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path

from sweeper.definition.obstacle import GUARD
from sweeper.journal.directories import LaunchDir
from sweeper.processes import die_with_parent
from sweeper.worker import preload
from sweeper.worker.forkserver_orders import Ended, ForkWorker, Prepare, Prepared, SignalWorker
from sweeper.worker.run_process import redirect
from sweeper.worker.run_processes import Method, ask
from sweeper.worker.spec import WorkerSpec

IMPORT_S = 600.0
"""A module that takes longer to import trains, or waits for something: nobody would be told for ever."""

_DEFAULT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)


class Forkserver:
    """Imports, forks workers, and tells how they ended.

    Args:
        launch: Where orders come from and answers go; its end is ours.
        import_s: How long importing the trainer may take.
    """

    def __init__(self, launch: Connection, *, import_s: float = IMPORT_S) -> None:
        self._launch = launch
        self._import_s = import_s
        self._method: Method = "fork"
        self._workers: dict[int, int] = {}

    def serve(self) -> None:
        """ForkWorker until the launch is gone."""
        gc.disable()  # importing makes objects that stay
        preload.import_sdk()
        try:
            self._prepare(self._launch.recv())
            self._launch.send(Prepared())
            self._loop()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return

    def _prepare(self, orders: Prepare) -> None:
        directory = LaunchDir(Path(orders.directory))
        redirect(directory.forkserver_log)
        os.environ.clear()  # noqa: TID251 the SDK and libraries of C know no other way to be told
        os.environ.update(orders.environ)  # noqa: TID251
        self._path = list(sys.path)
        if orders.trainer:
            limit = threading.Timer(self._import_s, partial(_give_up, directory, orders.trainer, self._import_s))
            limit.daemon = True
            limit.start()
            preload.import_trainer(orders.trainer)
            limit.cancel()
            limit.join()
        self._method = _method(orders.trainer, gpu=orders.gpu)
        gc.enable()
        gc.freeze()  # what is collected is written to, and memory that is written to is shared no more

    def _loop(self) -> None:
        # a socket, for a wakeup that is not waited for must not block either
        awake, waker = socket.socketpair()
        awake.setblocking(False)
        waker.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        leave = partial(self._leave, [awake, waker])
        while True:
            ready = wait([self._launch, awake])
            if awake in ready:
                awake.recv(4096)
                self._tell_ends()
            if self._launch in ready:
                self._do(self._launch.recv(), leave)

    def _do(self, order: ForkWorker | SignalWorker, leave: Callable[[], None]) -> None:
        if isinstance(order, SignalWorker):
            pid = next((pid for pid, number in self._workers.items() if number == order.number), None)
            if pid is not None:  # of whom we know the end: nobody else has its pid
                os.kill(pid, order.signal)
            return
        pid = os.fork()
        if not pid:
            leave()
            _be_worker(order, self._method, self._path)
        self._workers[pid] = order.number

    def _leave(self, mine: Sequence[socket.socket]) -> None:
        """Let go, in a worker, of what is the forkserver's."""
        signal.set_wakeup_fd(-1)
        for number in _DEFAULT:
            signal.signal(number, signal.SIG_DFL)
        for end in mine:
            end.close()
        self._launch.close()

    def _tell_ends(self) -> None:
        for pid in list(self._workers):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                self._launch.send(Ended(self._workers.pop(pid), os.waitstatus_to_exitcode(status)))


def _give_up(directory: LaunchDir, trainer: str, import_s: float) -> None:
    """End the launch in the middle of an import, which nothing else would end."""
    directory.end(f"importing {trainer} takes longer than {import_s:g} s: {GUARD}")
    print(directory.ended(), file=sys.stderr, flush=True)  # noqa: T201 its own log
    os._exit(1)


def _be_worker(orders: ForkWorker, method: Method, path: list[str]) -> None:
    """ForkWorker in a process that was just forked, and end it."""
    from sweeper.worker import slot_loop

    code = 1
    try:
        os.setsid()  # the terminal's Ctrl-C is for the launch alone
        redirect(Path(orders.log))
        sys.path[:] = path  # the user's folder is for the trainer's process alone
        code = slot_loop.main(Path(orders.orders), method)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:  # noqa: BLE001 its log's last line says why
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # what the trainer's module has left for the end of its process is not ours to run


def _method(trainer: str, *, gpu: bool) -> Method:
    """Choose how runs' processes are made: where an import has started CUDA, a fork could not use the GPU."""
    # without torch nothing of CUDA can have been started here; if the question dies, a run's process will tell why
    if not (gpu and "torch" in sys.modules) or ask(get_context("fork"), _can_use_gpu, otherwise=True):
        return "fork"
    words = "importing it starts CUDA, so every run starts a new Python: seconds instead of milliseconds"
    print(f"{trainer}: {words}", file=sys.stderr, flush=True)  # noqa: T201 our own log
    return "spawn"


def _can_use_gpu(answer: Connection) -> None:
    """Use the GPU in a process that was forked."""
    import torch

    die_with_parent()
    usable = True
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]  # torch 2.15 leaves it so
    except (RuntimeError, AssertionError) as error:  # without a driver or CUDA it raises too
        usable = "forked subprocess" not in str(error)
    answer.send(usable)


def _work_alone(orders: Path) -> int:
    """Be the one worker of a launch that began before sweeper was upgraded: it starts each in a Python of its own."""
    from sweeper.worker import slot_loop

    spec, path = WorkerSpec.load(orders), list(sys.path)
    preload.import_sdk()
    if not spec.script:
        preload.import_trainer(spec.trainer.partition(":")[0])
        sys.path[:] = path
    return slot_loop.main(orders, _method(spec.trainer, gpu=bool(spec.slot.device) and not spec.script))


_STARTED_AGAIN = (
    'error: a trainer that starts its program again for further processes, as strategy="ddp" of Lightning does, cannot'
    ' be a function: make it a script (program: train.py), or have it fork (strategy="ddp_fork")'
)


def main(argv: Sequence[str]) -> int:
    """Serve the launch at the other end of a socket, given by its descriptor; or work by the orders in a file."""
    if not argv:  # a run's process knows itself by this module's name, and by no argument
        print(_STARTED_AGAIN, file=sys.stderr)  # noqa: T201 the log of the run
        return 2
    if not argv[0].isdigit():
        return _work_alone(Path(argv[0]))
    die_with_parent()
    # Slurm sends its SIGTERM to every process of a job: workers answer it, and would die with this one before they can.
    # No SIG_IGN, which what the trainer's module starts would inherit
    signal.signal(signal.SIGTERM, lambda *_: None)
    Forkserver(Connection(int(argv[0]))).serve()
    return 0
