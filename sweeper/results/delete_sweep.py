"""A sweep, or runs of one, deleted for good: on its server, and then on this machine.

In this order, so that whatever it is interrupted by, nothing is shown that is not there, and the same command again
finishes it: the server goes on where it was, and a folder of this machine whose deletion was begun is marked.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sweeper.backend import choose, own_changes, run_orders
from sweeper.backend.any_sweeps import AnySweepReader, own_server
from sweeper.backend.own_changes import StandingSweep
from sweeper.errors import LaunchError, ResultError, SweeperError, SweepNotFoundError
from sweeper.journal import leftovers
from sweeper.journal.directories import SweepDir
from sweeper.ref import SweepRef
from sweeper.results import named_runs
from sweeper.run import Run, RunState, SweepState
from sweeper.settings import Backend, Settings

SHOWN = 5
STAYS = "the sweep itself stays: W&B's SDK deletes runs alone; delete it on its page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What goes.

    Attributes:
        runs: How many runs.
        files: How many files these have uploaded; None where the server does not tell, as of the next three.
        file_bytes: The bytes of these.
        artifacts: How many artifacts they have made.
        artifact_bytes: The bytes of these; what other artifacts need of it stays.
        checkpoints: How many runs have left checkpoints on this machine.
        local_bytes: The bytes of all that is on this machine.
        learners: Other sweeps of the project that learn from the runs, by their ids.
    """

    runs: int
    files: int | None = None
    file_bytes: int | None = None
    artifacts: int | None = None
    artifact_bytes: int | None = None
    checkpoints: int = 0
    local_bytes: int = 0
    learners: tuple[str, ...] = ()


class Deletion:
    """A sweep that is to go, or runs of it.

    Args:
        ref: The sweep.
        settings: The user's environment.
        backend: Its server.
        runs: Runs by their ids or names; None for the whole sweep.

    Raises:
        SweepNotFoundError: There is no such sweep.
        LaunchError: It, or a run, is at work.
        ResultError: A run is not the sweep's.
    """

    def __init__(self, ref: SweepRef, settings: Settings, backend: Backend, runs: Sequence[str] | None = None) -> None:
        self.ref, self._settings = ref, settings
        # the embedded server comes back on any port
        self._where = "local" if backend.kind == "local" else backend.base_url
        self._directory = SweepDir.of(settings.home, ref)
        self._server = own_server(backend, settings)
        self._elsewhere = named_runs.of_other_sweep(ref, settings, backend)
        self._standing = self._find()
        self.is_there = self._server is None or self._standing is not None
        view = AnySweepReader(ref, settings, backend).read() if self.is_there else None
        state = view.state if view else SweepState.CANCELED
        found = [run for run in (view.runs if view else ()) if not run.prior]
        self.runs = None if runs is None else tuple(dict.fromkeys(self._named(found, name) for name in runs))
        self._found = found if self.runs is None else [run for run in found if run.id in self.runs]
        self._check(state)
        self.held = self._weigh()

    @property
    def whole(self) -> bool:
        """Whether the sweep goes, and not some of its runs."""
        return self.runs is None

    @property
    def stays(self) -> str:
        """What cannot be freed on the server, in words; empty if all goes."""
        return STAYS if self.whole and self._server is None else ""

    def _find(self) -> StandingSweep | None:
        """Ask the server for the sweep; None if it is gone there, and its deletion was begun on this machine."""
        if self._server is None:
            return None
        try:
            return own_changes.known(self._server, self.ref)
        except SweepNotFoundError:
            if leftovers.is_marked(self._directory, self._where):
                return None
            raise

    def _named(self, found: Sequence[Run], name: str) -> str:
        """Give the id of a run that is meant; one that is gone on the server may have left something here."""
        try:
            return named_runs.find(name, found, self.ref, self._elsewhere).id
        except ResultError:
            with contextlib.suppress(SweeperError):  # a text that can be no run's id
                if leftovers.found(self._directory, [name]).size:
                    return name
            raise

    def _check(self, state: SweepState) -> None:
        """Refuse what is at work.

        Raises:
            LaunchError: Something is.
        """
        name = self.ref.quoted
        if self.whole and not state.ended and state is not SweepState.PENDING:
            fix = f"end it first: sweeper cancel {name}, then delete it"
            raise LaunchError(f"cannot delete {self.ref}: it is {state.value.lower()}", fix)
        busy = [run for run in self._found if run.state in {RunState.RUNNING, RunState.PREEMPTING}]
        if busy:
            ids = ", ".join(run.id for run in busy[:SHOWN]) + (f" and {len(busy) - SHOWN} more" if busy[SHOWN:] else "")
            stop = (
                f"sweeper stop {name} --run {busy[0].id}"
                if not state.ended or not self.whole
                else f"sweeper cancel {name}"
            )
            fix = f"stop what is at work ({stop}), wait for its end, and delete again"
            raise LaunchError(f"cannot delete {self.ref}: under way: {ids}", fix)
        if self.whole and (launchers := self._directory.launchers()):
            pids = ", ".join(map(str, launchers))
            fix = f"end it (Ctrl-C where it runs, or: kill {pids}), and delete again"
            raise LaunchError(
                f"cannot delete {self.ref}: a launch of this machine is at work on it (process {pids})", fix
            )

    def _weigh(self) -> Held:
        here = leftovers.found(self._directory, self.runs)
        if self._server is None or self._standing is None:
            return Held(runs=len(self._found), checkpoints=here.checkpoints, local_bytes=here.size)
        told = own_changes.holdings(self._server, self.ref, self.runs)
        if busy := told["under_way"]:  # some that have not begun yet
            raise LaunchError(
                f"cannot delete {self.ref}: under way: {', '.join(busy[:SHOWN])}", "try again in a minute"
            )
        names = ("runs", "files", "file_bytes", "artifacts", "artifact_bytes")
        return Held(
            **{name: told[name] for name in names},
            learners=tuple(told["learners"]),
            checkpoints=here.checkpoints,
            local_bytes=here.size,
        )

    def carry_out(self, tell: Callable[[int, int], None] = lambda _done, _total: None) -> None:
        """Delete; tell now and then how many runs are gone, of how many.

        Raises:
            BackendError: The server refuses, or does not answer: the same again goes on.
            LaunchError: Something here cannot be removed.
        """
        if self.whole:
            leftovers.mark(self._directory, self._where)
        done = 0
        for number in self._on_server():
            done += number
            tell(done, max(done, self.held.runs))
        try:
            leftovers.remove(self._directory, self.runs)
        except OSError as error:
            what = f"deleted on the server, and not here: {error.filename}: {error.strerror}"
            raise LaunchError(what, "mend that, and delete again") from error
        if self.whole:
            choose.forget(self._settings, self.ref)

    def _on_server(self) -> Iterator[int]:
        """Delete on the server, some runs at a time."""
        if self._server is None:
            for run in self._found:
                run_orders.delete(self.ref.run(run.id))
                yield 1
        elif self._standing is not None:
            left = 1
            while left:
                gone, left = own_changes.delete(self._server, self.ref, self._standing, self.runs)
                yield len(gone)

    def to_json(self) -> Mapping[str, Any]:
        """Give it for scripts."""
        told = {"sweep": self.ref.path, "whole": self.whole, "run_ids": [run.id for run in self._found]}
        return told | asdict(self.held) | {"learners": list(self.held.learners), "stays": self.stays}
