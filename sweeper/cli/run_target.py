"""What a command about runs begins with: the runs that are meant, each with its sweep."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from sweeper.cli.target import Target, find_server, find_target
from sweeper.errors import ResultError, SweeperError, SweepNotFoundError, UsageError
from sweeper.ref import RunRef, SweepRef
from sweeper.settings import Backend, BackendChoice, Settings

if TYPE_CHECKING:
    from sweeper.definition.sweep_definition import SweepDefinition
    from sweeper.results.status import RunStatus, SweepStatus
    from sweeper.results.status_reader import StatusReader

_PAGE = re.compile(r"(?:.*/)?([^/]+)/([^/]+)/runs/([^/?#]+)")
_FIX = "`sweeper list` shows the sweeps, `sweeper runs SWEEP` the runs of one"


@dataclass(frozen=True, slots=True)
class RunTarget:
    """A run that a command is about.

    Attributes:
        target: Its sweep, on its server.
        run: The run.
        status: Its sweep's status.
        reader: What has read it.
    """

    target: Target
    run: RunStatus
    status: SweepStatus
    reader: StatusReader

    @property
    def definition(self) -> SweepDefinition | None:
        """The sweep's file; None where it has a form that cannot be read here."""
        try:
            return self.reader.definition
        except SweeperError:
            return None


def find_runs(names: Sequence[str], sweep: str | None, choice: BackendChoice) -> list[RunTarget]:
    """Find runs by id or display name in one sweep, or by `ENTITY/PROJECT/RUN` in whichever.

    Args:
        names: What the user wrote.
        sweep: What `--sweep` says; None for the sweep created last.
        choice: What `--backend` says.

    Raises:
        ResultError: There is no such run.
        SweepNotFoundError: There is no such sweep.
        BackendError: The server does not answer.
    """
    from sweeper.results.named_runs import find, of_other_sweep

    paths = {name: RunRef(*name.split("/")) for name in names if name.count("/") == 2}
    for name in names:
        if "/" in name and name not in paths:
            raise _no_run(name)
    if sweep is None and len(paths) == len(names):
        settings, backend = find_server(choice)
        own = None
    else:
        own = find_target(sweep, choice)
        settings, backend = own.settings, own.backend
    if backend is None:
        raise SweepNotFoundError(f"no sweep was created yet in {settings.home} (SWEEPER_HOME)", _FIX)
    read: dict[SweepRef, tuple[Target, StatusReader, SweepStatus]] = {}
    found: list[RunTarget] = []
    for name in names:
        target = _home(paths[name], settings, backend) if name in paths else own
        assert target is not None  # noqa: S101 - looked for above, if any name is no path
        if target.ref not in read:
            reader = target.reader()
            read[target.ref] = (target, reader, reader.read())
        target, reader, status = read[target.ref]
        elsewhere = of_other_sweep(target.ref, settings, backend)
        run = find(paths[name].run_id if name in paths else name, status.runs, target.ref, elsewhere)
        found.append(RunTarget(target, run, status, reader))
    return found


def _no_run(name: str) -> UsageError:
    """Refuse what people give for a run and is none, as `check_name` does for a sweep."""
    if page := _PAGE.match(name):
        fix = f"write its name: {quote('/'.join(map(unquote_plus, page.groups())))}"
        return UsageError(f"{name} is the address of a page, and not a run", fix)
    return UsageError(f"{name!r} is no run", "write a run's id or name, or ENTITY/PROJECT/RUN")


def _home(ref: RunRef, settings: Settings, backend: Backend) -> Target:
    """Find the sweep of a run that was given by its full name."""
    from sweeper.backend.run_facts import FactReader

    sweep = FactReader(backend, settings).sweep_of(ref)
    if sweep is None:
        raise ResultError(f"no run {ref} on this server", _FIX)
    if not sweep:
        raise ResultError(f"run {ref} is of no sweep", f"{_FIX}; a single run has its page")
    return Target(settings, backend, SweepRef(ref.entity, ref.project, sweep))
