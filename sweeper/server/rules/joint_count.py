"""How many runs a group of workers takes of a sweep together, on however many machines: `sweeper worker --count`.

A worker names its group and the most runs with every question. A run counts once, for the group it was first given out
for, whoever tries it again. When a group has had its runs, its workers take up those of them that come back, and are
sent home when the last one has ended: until then a machine may still be lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from sweeper.server.errors import RequestError
from sweeper.server.store import counted_runs, runs
from sweeper.server.store.database import Connection
from sweeper.server.store.runs import StoredRun

_WORDS = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63})(?: ([1-9][0-9]{0,8}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class JointCount:
    """What a worker says of its group.

    Attributes:
        group: Its name.
        most: How many runs it takes of the sweep; None for as many as there are.
    """

    group: str
    most: int | None = None

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Read the header; None where nobody counts.

        Raises:
            RequestError: It says something else.
        """
        if not text:
            return None
        found = _WORDS.fullmatch(text)
        if found is None:
            raise RequestError(f"X-Sweeper-Count is {text[:80]!r}: a group's name, and perhaps a number of runs")
        return cls(found[1], int(found[2]) if found[2] else None)

    def is_reached(self, db: Connection, sweep_id: int) -> bool:
        """Whether the group has had all its runs of a sweep."""
        return self.most is not None and counted_runs.made(db, sweep_id, self.group) >= self.most

    def goes_on(self, db: Connection, sweep_id: int) -> bool:
        """Whether a run may yet come back to a worker of this group for which there is none now."""
        if self.is_reached(db, sweep_id):
            return counted_runs.unfinished(db, sweep_id, self.group) > 0
        return runs.count(db, sweep_id, runs.UNFINISHED) > 0


def waiting(db: Connection, sweep_id: int, joint: JointCount | None) -> StoredRun | None:
    """Find the oldest run of a sweep that waits for an agent, and that one of this group may have."""
    if joint and joint.is_reached(db, sweep_id):
        return counted_runs.waiting(db, sweep_id, joint.group)
    return runs.waiting(db, sweep_id)
