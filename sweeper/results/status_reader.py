"""The status of a sweep, read from its server and from what this machine's workers wrote."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from sweeper.backend import run_files
from sweeper.backend.any_sweeps import AnySweepReader
from sweeper.backend.sweep_view import SweepView
from sweeper.journal.attempt import spent
from sweeper.journal.directories import SweepDir
from sweeper.ref import SweepRef
from sweeper.results.outlook import is_idle, not_idle
from sweeper.results.status import SweepStatus
from sweeper.results.summarise import LocalView, summarise
from sweeper.run import Run
from sweeper.settings import Backend, Settings

if TYPE_CHECKING:
    from sweeper.definition.sweep_definition import SweepDefinition


class StatusReader:
    """Reads the status of one sweep, again and again.

    Args:
        ref: The sweep.
        settings: The user's environment.
        backend: The server that it is on; None for whichever the SDK is pointed at, to be asked over the SDK.
    """

    def __init__(self, ref: SweepRef, settings: Settings, backend: Backend | None = None) -> None:
        self.ref = ref
        self.directory = SweepDir.of(settings.home, ref)
        self._reader = AnySweepReader(ref, settings, backend)
        self._fetch = partial(run_files.download, settings=settings, backend=backend)
        self._view: SweepView | None = None

    @property
    def definition(self) -> SweepDefinition | None:
        """Its file, known after the first read."""
        return self._view.whole_definition if self._view else None

    @property
    def runs(self) -> tuple[Run, ...]:
        """Its own runs as the server told of them, known after the first read."""
        return tuple(run for run in self._view.runs if not run.prior) if self._view else ()

    def read(self, *, weigh: bool = False) -> SweepStatus:
        """Ask the server, and read what this machine's workers wrote.

        Args:
            weigh: Whether to tell how much each parameter mattered.

        Raises:
            SweepNotFoundError: The server does not know the sweep.
            BackendError: It does not answer.
        """
        view = self._view = self._reader.read()
        history = self.directory.history()
        here = LocalView(
            attempts={attempt.run_id: attempt for attempt in history},
            spent=spent(history),
            models=self.directory.models(),
            launchers=self.directory.launchers(),
        )
        status = summarise(view, here, now=datetime.now(UTC), weigh=weigh)
        return replace(status, idle=self._is_idle(status, here))

    def _is_idle(self, status: SweepStatus, here: LocalView) -> bool | None:
        """Tell whether nobody works on the sweep; its agents are only asked for where nothing else tells."""
        if not_idle(status):
            return False
        agents = self._reader.agents()
        if agents is None:
            return None
        noted = [attempt.at for attempt in here.attempts.values()]
        last = max([*noted, *(launch.worked_until() for launch in self.directory.launches())], default=0.0)
        worked_until = datetime.fromtimestamp(last, UTC) if last else None
        return is_idle(status, agents, host=socket.gethostname(), worked_until=worked_until, now=datetime.now(UTC))

    def fetch_model(self, status: SweepStatus) -> SweepStatus:
        """Download the best run's ONNX files, unless they are here already; give the status with them."""
        best = status.standing.best
        if best is None or status.model:
            return status
        self._fetch(self.ref.run(best.id), (".onnx",), self.directory.best_of(best.id))
        return replace(status, model=self.directory.models().get(best.id, ""))
