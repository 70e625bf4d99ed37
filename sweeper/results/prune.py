"""Retention: the runs of sweeps that are over for long go, but for the best ones and what others still need.

What goes, the server says (`server/rules/retention.py`), and it looks again at each sweep before it deletes. As with
`sweeper delete` the server comes first and then this machine, where a mark tells what was begun.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sweeper.backend import choose, own_retention
from sweeper.backend.any_sweeps import own_server
from sweeper.backend.own_retention import DatabaseSpace
from sweeper.errors import BackendError, LaunchError, SweeperError
from sweeper.journal import leftovers
from sweeper.journal.directories import SweepDir
from sweeper.journal.leftovers import Leftovers
from sweeper.ref import SweepRef
from sweeper.settings import Backend, Settings

AT_ONCE = 50
"""Runs that are named in one request, which is what the server deletes in one transaction."""
NEEDED = ("best", "owner")
"""Why a run stays of which nobody needs to be told: it is among the best, or none of ours."""
NOTHING = Leftovers(0, 0)

Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class StayingRun:
    """A run that stays: why (`server/rules/retention.py`), and who needs it, in words."""

    run: str
    why: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrunedSweep:
    """What goes of a sweep.

    Attributes:
        ref: The sweep.
        id: What the protocol calls it; empty if the server has deleted it, or these runs, already.
        name: What a person has called it.
        ended_at: When it ended, or its last run; empty where the server knows it no more.
        whole: Whether all of it goes.
        runs: The runs that go, by their ids.
        staying: Those that stay.
        rows: How many lines these runs have logged.
        files: How many files they have uploaded.
        file_bytes: The bytes of these.
        artifacts: How many artifacts they have made.
        artifact_bytes: The bytes of these; what others need of it stays.
        here: What they have left on this machine.
    """

    ref: SweepRef
    id: str = ""
    name: str = ""
    ended_at: str = ""
    whole: bool = False
    runs: tuple[str, ...] = ()
    staying: tuple[StayingRun, ...] = ()
    rows: int = 0
    files: int = 0
    file_bytes: int = 0
    artifacts: int = 0
    artifact_bytes: int = 0
    here: Leftovers = NOTHING

    def to_json(self) -> dict[str, Any]:
        """Give it for scripts."""
        return {
            "sweep": self.ref.path,
            "name": self.name,
            "ended_at": self.ended_at or None,
            "whole": self.whole,
            "run_ids": [*self.runs],
            "kept": [run.run for run in self.staying if run.why == "best"],
            "rows": self.rows,
            "files": self.files,
            "file_bytes": self.file_bytes,
            "artifacts": self.artifacts,
            "artifact_bytes": self.artifact_bytes,
            "checkpoints": self.here.checkpoints,
            "local_bytes": self.here.size,
        }


class Pruning:
    """What is to go.

    Args:
        settings: The user's environment.
        backend: The server.
        before: What ended before this time (aware).
        keep: How many of the best runs of each sweep stay; of one with several metrics all of the front, if any.
        project: `PROJECT` or `ENTITY/PROJECT`, whose sweeps alone; None for all.
        tell: Told how many sweeps were found.

    Attributes:
        sweeps: What goes of each sweep, the oldest sweep first.
        needed: What could go by its age, and stays since others need it.
        silent: Sweeps that nobody has ended, and of which nothing was heard since `before`, by their ids.
        space: The room that the database takes; None where the server does not tell.

    Raises:
        BackendError: The server is none of ours, or does not answer.
    """

    def __init__(
        self,
        settings: Settings,
        backend: Backend,
        *,
        before: datetime,
        keep: int,
        project: str | None = None,
        tell: Callable[[int], None] = lambda _: None,
    ) -> None:
        server = own_server(backend, settings)
        if server is None:
            what = f"{backend.base_url} is no server of sweeper's: it prunes nothing"
            raise BackendError(what, "delete sweeps by name: sweeper delete SWEEP")
        self._server, self._settings = server, settings
        self._before = before.timestamp()
        # the embedded server comes back on any port
        self._where = "local" if backend.kind == "local" else backend.base_url
        found: dict[SweepRef, PrunedSweep] = {}
        needed: list[tuple[SweepRef, StayingRun]] = []
        self.silent: tuple[str, ...] = ()
        entity, _, name = (project or "").rpartition("/")
        for page in own_retention.pages(server, before=self._before, keep=keep, entity=entity, project=name):
            for told in page.sweeps:
                one = self._read(told)
                needed += [(one.ref, run) for run in one.staying if run.why not in NEEDED]
                if one.whole or one.runs:
                    found[one.ref] = one
            self.silent += tuple(page.silent)
            tell(len(found))
        found |= {one.ref: one for one in self._begun(entity, name, found)}
        self.sweeps, self.needed = tuple(found.values()), tuple(needed)
        self.space = own_retention.space(server)

    def _read(self, told: Mapping[str, Any]) -> PrunedSweep:
        """Read what the server says of a sweep, and look what is on this machine."""
        ref = SweepRef(told["entity"], told["project"], told["sweep"])
        staying = tuple(StayingRun(one["run"], one["why"], one["by"]) for one in told["staying"])
        runs = tuple(told["runs"])
        directory = SweepDir.of(self._settings.home, ref)
        more = {run for run in leftovers.marked_runs(directory, self._where) if run not in {s.run for s in staying}}
        here = [*runs, *sorted(more.difference(runs))]
        return PrunedSweep(
            ref=ref,
            here=self._left(directory, None if told["whole"] else here, staying),
            runs=runs,
            staying=staying,
            **{name: told[name] for name in ("id", "name", "ended_at", "whole", "rows")},
            **{name: told[name] for name in ("files", "file_bytes", "artifacts", "artifact_bytes")},
        )

    @staticmethod
    def _left(directory: SweepDir, runs: Sequence[str] | None, staying: Sequence[StayingRun]) -> Leftovers:
        if not directory.path.is_dir():
            return NOTHING
        return leftovers.found(directory, runs, staying=[run.run for run in staying])

    def _begun(self, entity: str, project: str, found: Mapping[SweepRef, PrunedSweep]) -> Iterator[PrunedSweep]:
        """Find what is gone on the server, and was not removed here yet when the last command was interrupted."""
        for directory in SweepDir.known(self._settings.home):
            whole = leftovers.is_marked(directory, self._where)
            runs = leftovers.marked_runs(directory, self._where)
            with contextlib.suppress(SweeperError):  # a folder of somebody's that is called like no sweep
                ref = directory.ref
                asked = ref.project == (project or ref.project) and ref.entity == (entity or ref.entity)
                if not (whole or runs) or ref in found or not asked:
                    continue
                there = own_retention.names_of(self._server, ref)
                if there is None:
                    yield PrunedSweep(ref=ref, whole=True, here=leftovers.found(directory))
                elif gone := [run for run in runs if run not in there]:
                    staying = tuple(StayingRun(run, "there", "") for run in sorted(there))
                    here = self._left(directory, gone, staying)
                    yield PrunedSweep(ref=ref, runs=tuple(gone), staying=staying, here=here)

    @property
    def runs(self) -> int:
        """How many runs go."""
        return sum(len(one.runs) for one in self.sweeps)

    @property
    def about_bytes(self) -> int | None:
        """About how much room of the database goes, by the share of lines; None where the server does not tell."""
        if self.space is None:
            return None
        rows = sum(one.rows for one in self.sweeps)
        return round((self.space.size - self.space.free) * rows / max(self.space.rows, 1))

    def carry_out(self, tell: Tell = lambda _done, _total: None) -> list[tuple[SweepRef, str]]:
        """Delete; tell now and then how many runs are gone, of how many.

        Returns:
            What stays all the same, and why: somebody has gone on with it meanwhile.

        Raises:
            BackendError: The server refuses, or does not answer: the same again goes on.
            LaunchError: Something here cannot be removed.
        """
        done, kept = 0, []
        for one in self.sweeps:
            directory = SweepDir.of(self._settings.home, one.ref)
            if directory.launchers():
                kept.append((one.ref, "a launch of this machine is at work on it"))
                continue
            self._mark(directory, one)
            stays = ""
            for number, stays in self._on_server(one):  # noqa: B007 the last word counts
                done += number
                tell(done, max(done, self.runs))
            if stays:
                leftovers.unmark(directory)
                kept.append((one.ref, stays))
            else:
                self._here(directory, one)
        return kept

    def _mark(self, directory: SweepDir, one: PrunedSweep) -> None:
        if one.whole:
            leftovers.mark(directory, self._where)
        else:
            before = leftovers.marked_runs(directory, self._where)
            leftovers.mark_runs(directory, self._where, dict.fromkeys([*before, *one.runs]))

    def _on_server(self, one: PrunedSweep) -> Iterator[tuple[int, str]]:
        """Delete on the server, some runs at a time: how many went, and why the rest stays."""
        if not one.id:
            return
        parts = [one.runs[at : at + AT_ONCE] for at in range(0, len(one.runs), AT_ONCE)]
        for part in [None] if one.whole else parts:
            left, stays = 1, ""
            while left and not stays:
                gone, left, stays = own_retention.delete(self._server, one.ref, one.id, part, before=self._before)
                yield len(gone), stays
            if stays:
                return

    def _here(self, directory: SweepDir, one: PrunedSweep) -> None:
        marked = leftovers.marked_runs(directory, self._where)
        staying = [run.run for run in one.staying]
        runs = None if one.whole else [run for run in dict.fromkeys([*marked, *one.runs]) if run not in staying]
        try:
            leftovers.remove(directory, runs, staying=staying)
        except OSError as error:
            what = f"deleted on the server, and not here: {error.filename}: {error.strerror}"
            raise LaunchError(what, "mend that, and prune again") from error
        if one.whole:
            choose.forget(self._settings, one.ref)

    def free_space(self, tell: Tell = lambda _done, _total: None) -> DatabaseSpace | None:
        """Have the database give back its free room, if it can; give the room that it takes then, without its rows.

        Raises:
            BackendError: The server does not answer.
        """
        if self.space is None:
            return None
        first, now = 0, self.space
        for now in own_retention.free_space(self._server):
            first = first or now.free
            tell(first - now.free, first)
        return now
