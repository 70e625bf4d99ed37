"""Runs by what people call them: an id, a display name of which there is one, or `ENTITY/PROJECT/RUN`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from shlex import quote
from typing import Protocol, TypeVar

from sweeper.backend.run_facts import FactReader
from sweeper.errors import ResultError, SweeperError
from sweeper.journal.directories import SweepDir
from sweeper.nearest import nearest
from sweeper.ref import SweepRef
from sweeper.settings import Backend, Settings


class HasName(Protocol):
    """A run, whatever else is known of it."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def name(self) -> str:
        """Its display name."""


Named = TypeVar("Named", bound=HasName)
Elsewhere = Callable[[str], SweepRef | None]
"""Finds the sweep that a run is of, by the run's id; None if there is no such run."""


def find(name: str, runs: Iterable[Named], ref: SweepRef, elsewhere: Elsewhere | None = None) -> Named:
    """Find a run of a sweep.

    Args:
        name: Its id, or its display name where only one is called so.
        runs: The sweep's runs.
        ref: The sweep.
        elsewhere: Finds the sweep that it is a run of, if that is another one; see `of_other_sweep`.

    Raises:
        ResultError: There is none, or several are called so.
    """
    known = list(runs)
    if by_id := next((run for run in known if run.id == name), None):
        return by_id
    called = [run for run in known if run.name == name]
    if len(called) == 1:
        return called[0]
    if called:
        ids = ", ".join(run.id for run in called[:10])
        raise ResultError(f"{len(called)} runs of sweep {ref} are called {name}", f"give the id of one: {ids}")
    raise no_run(name, {run.id: run.name for run in known}, ref, elsewhere)


def no_run(name: str, known: Mapping[str, str], ref: SweepRef, elsewhere: Elsewhere | None = None) -> ResultError:
    """Say that a sweep has no such run, and which may have been meant.

    Args:
        name: What was looked for.
        known: The display name of each run, by id.
        ref: The sweep.
        elsewhere: As for `find`.
    """
    what = f"sweep {ref} has no run {name}"
    if elsewhere and (other := elsewhere(name)):
        fix = f"it is a run of {other}: name that sweep ({other.quoted}), or the run as {quote(other.run(name).path)}"
        return ResultError(what, fix)
    lists = f"`sweeper runs {ref.quoted}` lists its runs"
    by_word = {word: id_ for id_, called in known.items() for word in (called, id_) if word}
    meant = nearest(name, by_word)
    if not meant:
        return ResultError(what, lists)
    id_ = by_word[meant]
    called = f" ({known[id_]})" if known[id_] and known[id_] != id_ else ""
    return ResultError(what, f"did you mean {id_}{called}? {lists}")


def of_other_sweep(ref: SweepRef, settings: Settings, backend: Backend) -> Elsewhere:
    """Make what finds the sweep of a run that is none of this one's: on this machine, else in the sweep's project.

    Args:
        ref: The sweep that has no such run.
        settings: The user's environment.
        backend: The server.
    """

    def find_it(run_id: str) -> SweepRef | None:
        known = (directory for directory in SweepDir.known(settings.home) if directory.ref != ref)
        if here := next((one.ref for one in known if run_id in one.attempts()), None):
            return here
        try:
            sweep = FactReader(backend, settings).sweep_of(ref.run(run_id))
        except SweeperError:  # of a server that does not answer the next question tells, and of a name that is none
            return None
        return SweepRef(ref.entity, ref.project, sweep) if sweep and sweep != ref.sweep_id else None

    return find_it
