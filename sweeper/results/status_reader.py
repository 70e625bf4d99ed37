"""The status of a sweep, read from its server and from what this machine's workers wrote."""

from __future__ import annotations

import socket
from collections.abc import Sequence
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
from sweeper.results.confirmation_reader import ConfirmationReader
from sweeper.results.foremost import foremost
from sweeper.results.living import living_launches
from sweeper.results.outlook import is_idle, not_idle
from sweeper.results.status import RunStatus, SweepStatus
from sweeper.results.summarise import LocalView, summarise
from sweeper.run import Curve, Run
from sweeper.settings import Backend, Settings

if TYPE_CHECKING:
    from sweeper.definition.sweep_definition import SweepDefinition
    from sweeper.search.confirmation import Confirmation


POINTS = 48
"""Points of a curve: twice the columns that it has on the widest screen."""


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
        self._curves: dict[str, tuple[object, Curve]] = {}
        self._confirmations = ConfirmationReader(settings, backend)

    @property
    def definition(self) -> SweepDefinition | None:
        """Its file, known after the first read."""
        return self._view.whole_definition if self._view else None

    @property
    def runs(self) -> tuple[Run, ...]:
        """Its own runs as the server told of them, known after the first read."""
        return tuple(run for run in self._view.runs if not run.prior) if self._view else ()

    def read(self, *, weigh: bool = False, curves: int = 0) -> SweepStatus:
        """Ask the server, and read what this machine's workers wrote.

        Args:
            weigh: Whether to tell how much each parameter mattered.
            curves: Of how many of the foremost runs to tell the curves.

        Raises:
            SweepNotFoundError: The server does not know the sweep.
            BackendError: It does not answer.
        """
        asked_at = datetime.now(UTC)
        view = self._view = self._reader.read()
        history, living = self.directory.history(), living_launches(self.directory)
        here = LocalView(
            attempts={attempt.run_id: attempt for attempt in history},
            spent=spent(history),
            models=self.directory.models(),
            launchers={launch.pid: tuple(launch.devices) for launch in living},
            living=living,
        )
        status = summarise(view, here, now=datetime.now(UTC), weigh=weigh)
        told = self._told(foremost(status, curves)) if curves and status.facts.metric else {}
        return replace(status, idle=self._is_idle(status, here), curves=told, read_at=asked_at)

    def _told(self, shown: Sequence[RunStatus]) -> dict[str, Curve]:
        """Give the curves of some runs; only of those that have logged something since are they asked for."""
        marks = {run.id: (run.iterations, run.last, run.best) for run in shown if run.iterations}
        known = {name: kept for name, kept in self._curves.items() if marks.get(name) == kept[0]}
        fresh = [run for run in (self._view.runs if self._view else ()) if run.id in marks.keys() - known.keys()]
        asked = self._reader.curves(fresh, POINTS)
        self._curves = known | {name: (marks[name], curve) for name, curve in asked.items() if name in marks}
        return {name: curve for name, (_, curve) in self._curves.items()}

    def confirmation(self) -> Confirmation | None:
        """Weigh what other seeds have shown since the sweep was confirmed; None if it was not.

        Raises:
            BackendError: The server does not answer.
        """
        return self._confirmations.read(self._view) if self._view else None

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
