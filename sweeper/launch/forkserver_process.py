"""The process that this machine's workers are forked from, as a launch sees it."""

from __future__ import annotations

import contextlib
import multiprocessing
import subprocess
from collections.abc import Iterator, Mapping

from sweeper.processes import python
from sweeper.worker.forkserver_orders import Ended, ForkWorker, Prepare, Prepared, SignalWorker

END_S = 10.0


class ForkserverProcess:
    """A forkserver, from its start to its end; importing the SDK begins at once.

    Args:
        environ: What libraries find when they are imported, such as the number of their threads.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = dict(environ)
        self._here, there = multiprocessing.Pipe()
        self._process = subprocess.Popen(
            python("-m", "sweeper.worker", str(there.fileno())),
            env=self.environ,
            pass_fds=[there.fileno()],
            stdin=subprocess.DEVNULL,  # a trainer that asks gets an end of file, not the terminal's attention
            stdout=subprocess.DEVNULL,  # it has a log as soon as its launch has a folder
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # the terminal's Ctrl-C is for the launch alone
        )
        there.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def send(self, order: Prepare | ForkWorker | SignalWorker) -> None:
        """Tell it what to do; one that is dead, whose end is about to be read, does nothing."""
        with contextlib.suppress(OSError):
            self._here.send(order)

    def messages(self) -> Iterator[Prepared | Ended]:
        """Read what it has said since.

        Raises:
            EOFError: It is dead.
        """
        try:
            while self._here.poll():
                message: Prepared | Ended = self._here.recv()
                yield message
        except OSError as error:
            raise EOFError from error

    def wait(self, timeout_s: float) -> None:
        """Wait until it has said something or is dead, but not for longer."""
        with contextlib.suppress(OSError):  # dead, which reading tells
            self._here.poll(timeout_s)

    def close(self) -> None:
        """End it and all its workers; once is enough."""
        self._here.close()
        self._process.kill()
        self._process.wait(END_S)
