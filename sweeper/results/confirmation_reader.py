"""What a sweep's confirmation has shown, read from its server: the sweep's own runs, and those with other seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeper.backend.any_sweeps import AnySweepReader
from sweeper.backend.sweep_view import SweepView
from sweeper.journal.directories import SweepDir
from sweeper.ref import SweepRef
from sweeper.run import RunState, SweepState
from sweeper.settings import Backend, Settings

if TYPE_CHECKING:
    from sweeper.run import Params
    from sweeper.search.confirmation import Confirmation


@dataclass(frozen=True, slots=True)
class ConfirmingSweep:
    """A sweep that runs the best configurations of another one again.

    Attributes:
        view: What its server says of it.
        planned: The parameters of each run it is to have, with its seed.
        seed: The parameter that is the seed.
    """

    view: SweepView
    planned: tuple[Params, ...]
    seed: str

    @property
    def goes_on(self) -> bool:
        """Whether it has runs to give, or one that lost its process: a launch takes it up."""
        if self.view.state is SweepState.CANCELED:
            return False
        lost = any(run.state is RunState.CRASHED or not run.state.ended for run in self.view.runs)
        return lost or not (self.view.state.ended or len(self.view.runs) >= len(self.planned))


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
            SweepNotFoundError: The sweep that it confirms is gone.
            BackendError: The server does not answer.
        """
        if view.confirms:
            view = self._view(SweepRef(view.ref.entity, view.ref.project, view.confirms))
        every, metric = self.confirming(view), view.outline.metric
        if not every or metric is None:
            return None
        # runs with values of another parameter are other configurations: what ran last counts
        seed = next((one.seed for one in reversed(every) if one.view.runs), every[-1].seed)
        found = [one for one in every if one.seed == seed]
        from sweeper.search.confirmation import ConfirmingRuns, confirmation

        runs = [
            ConfirmingRuns(
                sweep=one.view.ref.sweep_id,
                planned=one.planned,
                runs=[run for run in one.view.runs if not run.prior],
                over=one.view.state.ended and not one.goes_on,
            )
            for one in found
        ]
        own = [run for run in view.runs if not run.prior]
        weighed = confirmation(
            sweep=view.ref.sweep_id, runs=own, confirming=runs, seed=seed, metric=metric.name, goal=metric.goal
        )
        return weighed if weighed.contenders else None  # all of it was canceled before it began

    def confirming(self, view: SweepView) -> list[ConfirmingSweep]:
        """Read the sweeps that confirm a sweep, the oldest first: as its server tells, else as this machine knows."""
        directory = SweepDir.of(self._settings.home, view.ref)
        names = directory.confirmed_by() if view.confirmed_by is None else view.confirmed_by
        if not names:
            return []
        from sweeper.definition.confirming import link, planned  # with the models of the file

        found = []
        for name in names:
            other = self._view(SweepRef(view.ref.entity, view.ref.project, name))
            definition = other.whole_definition
            if about := link(definition):
                found.append(ConfirmingSweep(other, tuple(planned(definition)), about.seed))
        return found

    def _view(self, ref: SweepRef) -> SweepView:
        reader = self._readers.get(ref.sweep_id)
        if reader is None:
            reader = self._readers[ref.sweep_id] = AnySweepReader(ref, self._settings, self._backend)
        return reader.read()
