"""Which runs may go of a sweep that is over for long, and which stay: the best ones, and what others still need.

A sweep that has not ended keeps all its runs, whatever their age: a deleted run's configuration would be free again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sweeper.definition.confirming import link
from sweeper.errors import DefinitionError
from sweeper.run import Run, sign
from sweeper.search.pareto_front import front
from sweeper.server.rules import confirmations, rights
from sweeper.server.store import retention as facts
from sweeper.server.store import run_digests, runs, sweeps
from sweeper.server.store.database import Connection
from sweeper.server.store.sweeps import Sweep
from sweeper.server.store.users import User

BEST, PRIOR, ARTIFACT, CONFIRMED, CONFIRMS, OWNER, UNREAD = (
    "best",
    "prior",
    "artifact",
    "confirmed",
    "confirms",
    "owner",
    "unread",
)
"""Why a run stays: it is among the best; a sweep that is not over learns from it; its artifact is needed; it was
confirmed, or is being confirmed; it confirms one; it is another user's; its sweep's file is of another version."""


@dataclass(frozen=True, slots=True)
class Staying:
    """A run that stays.

    Attributes:
        run: Its id.
        why: One of the words above.
        by: Who needs it, in words; empty where nobody does.
    """

    run: str
    why: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Retained:
    """What becomes of a sweep.

    Attributes:
        sweep: The sweep.
        going: The runs that may go: row id and id of each, the oldest first.
        staying: Those that stay.
    """

    sweep: Sweep
    going: Mapping[int, str]
    staying: Sequence[Staying]

    @property
    def whole(self) -> bool:
        """Whether nothing of it stays."""
        return not self.staying


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """What is to stay.

    Attributes:
        user: Who asks: what is another user's stays.
        before: What ended before this time may go, in seconds since 1970.
        keep: How many of the best runs of a sweep stay; of one with several metrics all of the front.
        address: Writes how references to an artifact's files begin, up to a slash.
        confirming: The sweeps that confirm one, by its project and id; `confirming_of` reads them.
    """

    user: User
    before: float
    keep: int
    address: Callable[[int], str]
    confirming: Mapping[tuple[int, str], Sequence[Sweep]] = field(default_factory=dict)

    def of_sweep(self, db: Connection, sweep: Sweep) -> Retained | None:
        """Tell what may go of a sweep that is over; None if it is another user's."""
        if not rights.may_change(self.user, sweep.user_id):
            return None
        own = {run.id: run for run in runs.of_sweep(db, sweep.id)}
        stays: dict[str, tuple[str, str]] = {}
        for why, found in (
            (OWNER, {run.name: "" for run in own.values() if not rights.may_change(self.user, run.user_id)}),
            *self._by_search(db, sweep, [run.name for run in own.values()]),
            (PRIOR, _named(own, facts.leaning(db, own, before=self.before))),
        ):
            for name, by in found.items():
                stays.setdefault(name, (why, by))
        left = {row: run.name for row, run in own.items() if run.name not in stays}
        for name, by in _named(own, facts.used(db, left, self.address)).items():
            stays[name] = (ARTIFACT, by)
        return Retained(
            sweep,
            {row: name for row, name in left.items() if name not in stays},
            [Staying(run.name, *stays[run.name]) for run in own.values() if run.name in stays],
        )

    def _by_search(self, db: Connection, sweep: Sweep, names: Sequence[str]) -> Sequence[tuple[str, Mapping[str, str]]]:
        """Tell which runs stay for what was searched: why, and the runs, each with who needs it."""
        try:
            about = link(sweep.definition)
            known = [run for run in run_digests.all_of(db, sweep) if not run.prior]
        except DefinitionError:  # of another version: which run is best, nobody here can tell
            return [(UNREAD, dict.fromkeys(names, ""))]
        if about is not None and sweeps.find(db, about.sweep, sweep.project_id):
            return [(CONFIRMS, dict.fromkeys(names, f"sweep {about.sweep}"))]
        found = [(BEST, dict.fromkeys(_best(sweep, known, self.keep), ""))]
        for other in self.confirming.get((sweep.project_id, sweep.name), ()):
            by, over = f"sweep {other.name}", facts.is_over(db, other.id, before=self.before)
            found.append((CONFIRMED, dict.fromkeys(_contenders(db, sweep) if over else names, by)))
        return found


def still_needed(db: Connection, sweep: Sweep, chosen: Collection[int], *, before: float) -> str:
    """Say why runs of a sweep, by their rows, may go no more that could a moment ago; empty if they still may."""
    if not facts.is_over(db, sweep.id, before=before):
        return f"sweep {sweep.name} has begun anew"
    learners = sorted({name for names in facts.leaning(db, chosen, before=before).values() for name in names})
    return f"sweep {', '.join(learners)} learns from it" if learners else ""


def confirming_of(db: Connection, projects: Collection[int]) -> Mapping[tuple[int, str], Sequence[Sweep]]:
    """Find the sweeps of some projects that confirm another one, by the project and id of that one."""
    found: dict[tuple[int, str], list[Sweep]] = {}
    for sweep in facts.may_confirm(db, projects):
        try:
            about = link(sweep.definition)
        except DefinitionError:
            continue
        if about is not None:
            found.setdefault((sweep.project_id, about.sweep), []).append(sweep)
    return found


def _best(sweep: Sweep, known: Sequence[Run], keep: int) -> list[str]:
    """Name the best runs of a sweep: so many, of equals the earliest; or the front, with several metrics."""
    if not keep:
        return []
    definition = sweep.definition
    if definition.metrics is not None:
        places = front(
            [run.values if run.may_lead else None for run in known], [one.goal for one in definition.metrics]
        )
        return [known[place].id for place in places]
    goal = definition.goal
    valued = [(value, run.id) for run in known if run.may_lead and (value := run.best(goal)) is not None]
    return [name for _, name in sorted(valued, key=lambda pair: sign(goal) * pair[0])[:keep]]


def _contenders(db: Connection, sweep: Sweep) -> list[str]:
    """Name the runs with the configurations that were confirmed."""
    weighed = confirmations.of_sweep(db, sweep)
    return [one.run for one in weighed.contenders if one.run] if weighed else []


def _named(own: Mapping[int, runs.StoredRun], found: Mapping[int, Sequence[str]]) -> dict[str, str]:
    return {own[row].name: ", ".join(by) for row, by in found.items()}
