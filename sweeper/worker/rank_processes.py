"""The ranks of one order on one node: started together, and none is left when they are over."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import psutil

from sweeper import private_files
from sweeper.journal.failures import last_error
from sweeper.journal.rank_files import RankFailure, RankOrder
from sweeper.processes import Family, python
from sweeper.worker import rank, ranks
from sweeper.worker.run_log import last_lines, tail
from sweeper.worker.run_process import environ_of_place
from sweeper.worker.spec import WorkerSpec

PARAMETERS = "parameters.yaml"


class RankProcesses:
    """Starts them, on a node where there is more than the first rank to start.

    Args:
        spec: The worker's orders, for this node's devices.
        environ: The environment of this node's worker.
        node: The node's number; the first has one rank less to start.
        name: Its name.
        order: What to start.
    """

    def __init__(self, spec: WorkerSpec, environ: Mapping[str, str], node: int, name: str, order: RankOrder) -> None:
        self.order = order
        self._name = name
        self._family = Family()
        self._family.keep()
        self._folder = Path(tempfile.mkdtemp(prefix="sweeper-ranks-"))
        (self._folder / PARAMETERS).write_text(order.parameters, encoding="utf-8")
        places = [
            ranks.Rank(node=node, local=local, nodes=spec.nodes, per_node=spec.ranks_per_node)
            for local in range(0 if node else 1, spec.ranks_per_node)
        ]
        self._processes = {place.number: self._start(spec, environ, place) for place in places}

    def _start(self, spec: WorkerSpec, environ: Mapping[str, str], place: ranks.Rank) -> subprocess.Popen[bytes]:
        order = self.order
        env = {**environ, **environ_of_place(spec, environ), **order.environ}
        env |= ranks.without_logging(env, parameters=str(self._folder / PARAMETERS), folder=str(self._folder))
        env |= place.environ(run_id=order.run_id, address=order.address, port=order.port)
        what = [rank.SCRIPT, *order.command] if order.command else [rank.FUNCTION, spec.trainer]
        with private_files.open_file(order.rank_log(place.number), "ab") as log:
            process = subprocess.Popen(
                python("-m", rank.__name__, *what),
                env=env,
                cwd=order.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._family.keep([process.pid])
        return process

    @property
    def over(self) -> bool:
        """Whether all have ended."""
        return all(process.poll() is not None for process in self._processes.values())

    def failures(self) -> list[RankFailure]:
        """Say which have failed, and how."""
        return [
            self._failure(number, process.returncode) for number, process in self._processes.items() if process.poll()
        ]

    def _failure(self, number: int, code: int) -> RankFailure:
        log = self.order.rank_log(number)
        error = last_error(tail(log)) or next(iter(last_lines(log)[-1:]), "")
        return RankFailure(
            number=self.order.number, rank=number, node=self._name, exit_code=code, error=error, log=str(log)
        )

    def ask_to_end(self) -> None:
        """Send each a SIGTERM, as the first rank gets one."""
        for process in self._processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)

    def end(self) -> None:
        """Kill what is left of them, and all below them."""
        for process in self._processes.values():
            with contextlib.suppress(psutil.Error):
                for below in psutil.Process(process.pid).children(recursive=True):
                    with contextlib.suppress(psutil.Error):
                        below.kill()
            process.kill()
            process.wait()
        self._family.end_strays()
        shutil.rmtree(self._folder, ignore_errors=True)
