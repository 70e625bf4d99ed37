"""A line of a list of sweeps: how it stands, what is best, what it has cost, when something last happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from sweeper.errors import DefinitionError
from sweeper.run import SweepState
from sweeper.server.page_data.sweep_facts import time_left
from sweeper.server.rules import prior_runs
from sweeper.server.rules.dispatcher import Dispatcher
from sweeper.server.store import page_lists, sweep_lists, sweep_runs
from sweeper.server.store.database import Connection
from sweeper.server.store.projects import Project
from sweeper.server.store.sweep_lists import ListedSweep
from sweeper.server.store.sweeps import Sweep, gist

KINDS: Mapping[str, tuple[str, ...]] = {
    "finished": ("finished",),
    "running": ("running", "preempting"),
    "stopped": ("killed",),
    "failed": ("failed", "crashed"),
    "waiting": ("pending", "preempted"),
}
"""The states of runs in the five words of the pages."""
MOST_REMEMBERED = 50_000
_COMPUTE: dict[str, tuple[object, float]] = {}
"""By sweep, what its runs have taken, and what it was like when they were added up."""


def address(*parts: str) -> str:
    """Write the address of a page."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRow:
    """A sweep as a list shows it.

    Attributes:
        sweep: Its row.
        project: Where it is.
        state: In a word; `idle` for one that goes on and has nobody at work.
        counts: Its runs by the five words.
        expected: How many runs it asks for; None if it goes on until stopped.
        best: Its best run and that one's value.
        metric: What it optimises, in words.
        method: How it searches.
        compute_s: What all its runs have taken together.
        active_at: When something last happened.
        eta_s: How long it will take still, by what its last runs took; None where nobody can tell.
        hosts: The machines whose agents were heard just now.
    """

    sweep: Sweep
    project: Project
    state: str
    counts: Mapping[str, int]
    expected: int | None
    best: tuple[str, float] | None
    metric: str
    method: str
    compute_s: float | None
    active_at: float
    eta_s: float | None
    hosts: tuple[str, ...]

    @property
    def at_work(self) -> str:
        """Say for a sweep that is at work how long it will take, and where."""
        parts = []
        if self.eta_s is not None:  # an estimate: nobody needs its seconds
            minutes = round(self.eta_s / 60)
            parts.append(
                f"{minutes // 60} h {minutes % 60:02} min left" if minutes >= 60 else f"{minutes or 'under 1'} min left"
            )
        if self.counts["running"] and self.hosts:
            parts.append(self.hosts[0] if len(self.hosts) == 1 else f"{len(self.hosts)} machines")
        return ", ".join(parts)

    @property
    def title(self) -> str:
        """What people call it."""
        return self.sweep.display_name or self.sweep.name

    @property
    def page(self) -> str:
        """Its address."""
        return address(self.project.entity, self.project.name, "sweeps", self.sweep.name)

    @property
    def project_page(self) -> str:
        """The address of its project."""
        return address(self.project.entity, self.project.name)

    @property
    def best_page(self) -> str:
        """The address of its best run."""
        return address(self.project.entity, self.project.name, "runs", self.best[0] if self.best else "")

    @property
    def words(self) -> str:
        """What a filter looks through."""
        parts = (self.title, self.sweep.name, self.project.name, self.state, self.method, self.metric)
        return " ".join(parts).lower()

    @property
    def sort_keys(self) -> dict[str, str | float | None]:
        """Give what a list is sorted by, for each column."""
        return {
            "name": self.title.lower(),
            "state": self.state,
            "runs": self.done,
            "best": self.best[1] if self.best else None,
            "metric": self.metric,
            "method": self.method,
            "compute": self.compute_s,
            "active": self.active_at,
        }

    @property
    def total(self) -> int:
        """How many runs it has."""
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        """How many of them have ended."""
        return self.total - self.counts["running"] - self.counts["waiting"]

    @property
    def segments(self) -> Iterator[tuple[str, float, float]]:
        """Lay its runs out on a bar of 100, a piece for each word: word, place, width."""
        whole, place = max(self.expected or 0, self.total, 1), 0.0
        for kind, count in self.counts.items():
            if count:
                yield kind, round(place, 2), round(100 * count / whole, 2)
                place += 100 * count / whole

    @property
    def in_words(self) -> str:
        """Say the same."""
        told = [f"{count} {kind}" for kind, count in self.counts.items() if count]
        more = (self.expected or 0) - self.total
        return ", ".join([*told, *([f"{more} to come"] if more > 0 else [])]) or "no runs yet"


def rows_of(
    db: Connection, listed: Sequence[ListedSweep], dispatcher: Dispatcher, *, now: float, changes: int
) -> list[SweepRow]:
    """Sum up sweeps, in a number of queries that does not grow with those that are over.

    Args:
        db: A connection.
        listed: The sweeps.
        dispatcher: Knows what came of those that are over.
        now: The time.
        changes: What `dispatcher.past.changes` was before the connection began to read.
    """
    beside, times = sweep_runs.beside_files(db), _compute_times(db, listed)
    found = []
    for one in listed:
        extra = beside.get(one.sweep.id, sweep_runs.NOTHING_BESIDE)
        metric = method = ""
        best = expected = None
        try:
            outline, expected = gist(one.sweep.definition_text)
        except DefinitionError:  # of another version: one such sweep hides no other
            method = "?"
        else:
            method = outline.method
            metric = ", ".join(f"{objective.goal} {objective.name}" for objective in outline.objectives)
            best = dispatcher.past.best_of(db, one, outline, now=now, changes=changes)
            if extra != sweep_runs.NOTHING_BESIDE:
                expected = prior_runs.expected_beside(db, one.sweep, extra)
        state = _state(one, dispatcher, now)
        row = SweepRow(
            sweep=one.sweep,
            project=one.project,
            state=state,
            counts={kind: sum(one.counts.get(state, 0) for state in states) for kind, states in KINDS.items()},
            expected=expected,
            best=best,
            metric=metric,
            method=method,
            compute_s=times.get(one.sweep.id),
            active_at=one.active_at,
            eta_s=time_left(db, one.sweep, one.counts, expected, now=now) if state == "running" else None,
            hosts=tuple(sorted(host for host, at in one.agents.items() if dispatcher.policy.hears(at, now=now))),
        )
        found.append(row)
    return found


def listed_in(db: Connection, places: Sequence[Project]) -> list[ListedSweep]:
    """List the sweeps of some projects, what was active last first."""
    return sweep_lists.all_of(db, places)


def _state(one: ListedSweep, dispatcher: Dispatcher, now: float) -> str:
    at_work = any(one.counts.get(state) for state in KINDS["running"])
    heard = any(dispatcher.policy.hears(at, now=now) for at in one.agents.values())
    if one.sweep.state in {SweepState.PENDING, SweepState.RUNNING}:
        return "running" if at_work else "idle" if not heard else "waiting"
    return one.sweep.state.value.lower()


def _compute_times(db: Connection, listed: Sequence[ListedSweep]) -> dict[int, float]:
    """Add up what sweeps have taken, anew only those to which something has happened since."""
    marks = {one.sweep.id: (one.active_at, sorted(one.counts.items())) for one in listed}
    known = {one.sweep.id: _COMPUTE.get(one.sweep.name, (None, 0.0)) for one in listed}
    stale = [id_ for id_, (mark, _) in known.items() if mark != marks[id_]]
    added = page_lists.compute_times(db, stale) if stale else {}
    if len(_COMPUTE) > MOST_REMEMBERED:
        _COMPUTE.clear()
    for one in listed:
        if one.sweep.id in added:
            _COMPUTE[one.sweep.name] = (marks[one.sweep.id], added[one.sweep.id])
    return {id_: seconds for id_, (mark, seconds) in known.items() if mark == marks[id_]} | added
