"""What the sweeps on a server are called: for who has mistyped one, and for the completion of command lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Self

from sweeper.backend.sdk import sdk_errors
from sweeper.errors import BackendError, SweeperError, SweepNotFoundError
from sweeper.nearest import nearest
from sweeper.ref import SweepRef
from sweeper.run import SweepState

Ask = Callable[..., Any]
"""Puts a question to sweeper's own server: `ask(query, what, **variables)`; see `OwnServer.ask`."""
LOOKED_AT = 1000
"""Sweeps of a project that are read over the SDK to find the one that was meant."""
_NAMES = "query SweepNames($project: String) { viewer { sweepNames(project: $project) } }"


@dataclass(frozen=True, slots=True)
class NamedSweep:
    """A sweep on a server.

    Attributes:
        ref: Its full name.
        name: What a person has called it; empty if nobody has.
        state: Where it is in its life; None where that was not told.
    """

    ref: SweepRef
    name: str = ""
    state: SweepState | None = None

    @classmethod
    def told(cls, sweep: Any) -> Self:
        """Read what sweeper's own server tells of a sweep.

        Raises:
            SweeperError: Its name would lead elsewhere.
        """
        state = sweep["state"] if sweep["state"] in set(SweepState) else None
        ref = SweepRef(sweep["entity"], sweep["project"], sweep["id"])
        return cls(ref, sweep["name"], SweepState(state) if state else None)


@dataclass(frozen=True, slots=True)
class KnownNames:
    """What is called something on sweeper's own server.

    Attributes:
        sweeps: The sweeps, the newest first.
        projects: Entity and name of each project, with sweeps or without.
        user: Who asked.
    """

    sweeps: tuple[NamedSweep, ...] = ()
    projects: tuple[tuple[str, str], ...] = ()
    user: str = ""

    @classmethod
    def ask(cls, ask: Ask) -> Self:
        """Ask sweeper's own server.

        Raises:
            UnknownQuestionError: It does not know the question.
            BackendError: It does not answer.
        """
        told = json.loads(ask(_NAMES, "the names of the sweeps")["viewer"]["sweepNames"])
        return cls(
            tuple(map(NamedSweep.told, told["sweeps"])),
            tuple((place["entity"], place["project"]) for place in told["projects"]),
            told["user"],
        )


def names_of_project(api: Any, entity: str, project: str) -> list[NamedSweep]:
    """List the sweeps of a project over the SDK; none where the server does not tell, or has no such project.

    Args:
        api: A `wandb.Api`.
        entity: Whose project it is.
        project: Its name.
    """
    try:
        with sdk_errors("cannot list the sweeps"):
            found = islice(api.project(project, entity=entity).sweeps(), LOOKED_AT)
            return [NamedSweep(SweepRef(entity, project, sweep.id), str(sweep.name or "")) for sweep in found]
    except (SweeperError, TypeError, AttributeError):  # an SDK before 0.31, a server that lists none
        return []


def no_sweep(ref: SweepRef, known: Iterable[NamedSweep]) -> SweepNotFoundError:
    """Say that there is no such sweep, and which one may have been meant.

    Args:
        ref: What was looked for.
        known: The sweeps that there are, as far as they are known.
    """
    what, there = f"no sweep {ref} on this server", tuple(known)
    if meant := near_sweep(ref, there):
        called = f" ({meant.name})" if meant.name and meant.name != meant.ref.sweep_id else ""
        return SweepNotFoundError(what, f"did you mean {meant.ref.quoted}{called}? `sweeper list` shows all")
    fix = "give the name that `sweeper create` printed (ENTITY/PROJECT/ID), or create one: sweeper create FILE"
    return SweepNotFoundError(what, f"`sweeper list` shows the sweeps that there are; {fix}" if there else fix)


def near_sweep(ref: SweepRef, known: Iterable[NamedSweep]) -> NamedSweep | None:
    """Find the sweep that was meant: of that id elsewhere, of that name, of a similar id or name."""
    there = tuple(known)
    beside = tuple(one for one in there if (one.ref.entity, one.ref.project) == (ref.entity, ref.project))
    for near in (beside, there):  # of two as near, the one of the project that was named
        if same := next((one for one in near if ref.sweep_id in {one.ref.sweep_id, one.name}), None):
            return same
    for near in (beside, there):
        by_word = {word: one for one in reversed(near) for word in (one.ref.sweep_id, one.name) if word}
        if meant := nearest(ref.sweep_id, by_word):
            return by_word[meant]
    return None


def own_names(ask: Ask) -> tuple[NamedSweep, ...]:
    """List the sweeps on sweeper's own server for an error message, which must not fail over it."""
    try:
        return KnownNames.ask(ask).sweeps
    except (BackendError, KeyError, ValueError):
        return ()
