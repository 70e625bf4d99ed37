"""Where a sync sends runs: another W&B server, and all that is asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeper.backend import run_reader, sdk
from sweeper.backend.run_reader import ServerRun, ServerRuns
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.ref import RunRef, SweepRef
from sweeper.settings import Backend, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where runs are sent to.

    Attributes:
        backend: The server.
        entity: Whose they will be there.
        project: Where they will be.
    """

    backend: Backend
    entity: str
    project: str

    def __str__(self) -> str:
        return f"{self.backend.base_url.rstrip('/')}/{self.entity}/{self.project}"

    def run(self, run_id: str) -> RunRef:
        """Name a run there."""
        return RunRef(self.entity, self.project, run_id)


class OtherServer:
    """A destination that answers; this process's SDK is turned to it.

    Every method raises BackendError where the server does not answer, or refuses.
    """

    def __init__(self, destination: Destination, settings: Settings) -> None:
        self._destination, self._settings = destination, settings
        self._runs = ServerRuns(destination.backend, settings)

    def find(self, run_id: str) -> ServerRun | None:
        """Read a run; None if there is none of that id."""
        return self._runs.find(self._destination.run(run_id))

    def send(self, folder: Path, run_id: str, lock: int) -> None:
        """Send the transaction log in a folder; the lock is held as long as that goes on."""
        environ = self._destination.backend.environ(self._settings.environ)
        run_reader.sync_log(folder, self._destination.run(run_id), environ, lock)

    def register(self, definition: SweepDefinition, runs: Sequence[str]) -> SweepRef:
        """Make a sweep, with runs attached to it."""
        there = self._destination
        return sdk.register(definition, entity=there.entity, project=there.project, prior_runs=runs)

    def attach(self, sweep: SweepRef, definition: SweepDefinition, runs: Sequence[str]) -> None:
        """Attach further runs to a sweep."""
        run_reader.attach(sweep, definition, runs)

    def page(self, sweep: SweepRef) -> str:
        """Give the address of a sweep's page."""
        return sdk.page(sweep)
