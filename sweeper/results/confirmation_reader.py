"""What a sweep's confirmation has shown, read from its server: the sweep's own runs, and those with other seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeper.backend.any_sweeps import AnySweepReader
from sweeper.backend.sweep_view import SweepView
from sweeper.errors import SweepNotFoundError
from sweeper.journal.directories import SweepDir
from sweeper.ref import SweepRef
from sweeper.settings import Backend, Settings

if TYPE_CHECKING:
    from sweeper.search.confirmation import Confirmation, ConfirmingRuns


class ConfirmationReader:
    """Reads the confirmation of one sweep, again and again.

    Args:
        settings: The user's environment.
        backend: The server.
    """

    def __init__(self, settings: Settings, backend: Backend | None) -> None:
        self._settings = settings
        self._backend = backend
        self._readers: dict[str, AnySweepReader] = {}

    def read(self, view: SweepView) -> Confirmation | None:
        """Weigh what other seeds have shown of a sweep, or of the one that it confirms; None if there is nothing.

        Args:
            view: What the server says of the sweep.

        Raises:
            BackendError: The server does not answer.
        """
        if view.confirms:
            confirmed = self._view(SweepRef(view.ref.entity, view.ref.project, view.confirms))
            if confirmed is None or confirmed.confirms:  # anybody may say that one confirms another
                return None
            view = confirmed
        found, metric = self.confirming(view), view.outline.metric
        if not found or metric is None:
            return None
        from sweeper.search.confirmation import confirmation

        own = [run for run in view.runs if not run.prior]
        return confirmation(sweep=view.ref.sweep_id, runs=own, confirming=found, metric=metric.name, goal=metric.goal)

    def confirming(self, view: SweepView) -> list[ConfirmingRuns]:
        """Read the sweeps that confirm a sweep, the oldest first: as its server tells, else as this machine knows."""
        directory = SweepDir.of(self._settings.home, view.ref)
        names = directory.confirmed_by() if view.confirmed_by is None else view.confirmed_by
        if not names:
            return []
        from sweeper.definition.confirming import link, planned  # with the models of the file
        from sweeper.search.confirmation import ConfirmingRuns

        found = []
        for name in names:
            other = self._view(SweepRef(view.ref.entity, view.ref.project, name))
            if other is None:
                continue
            definition = other.whole_definition
            if about := link(definition):
                one = ConfirmingRuns(
                    sweep=name,
                    seed=about.seed,
                    planned=planned(definition),
                    runs=[run for run in other.runs if not run.prior],
                    state=other.state,
                )
                found.append(one)
        return found

    def _view(self, ref: SweepRef) -> SweepView | None:
        """Read another sweep; None if it was deleted."""
        reader = self._readers.get(ref.sweep_id)
        if reader is None:
            reader = self._readers[ref.sweep_id] = AnySweepReader(ref, self._settings, self._backend)
        try:
            return reader.read()
        except SweepNotFoundError:
            return None
