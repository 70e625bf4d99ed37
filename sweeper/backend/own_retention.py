"""What may go of sweeps that are over for long, on sweeper's own server; and the room that its database takes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweeper.backend.own_changes import OLDER
from sweeper.backend.own_server import OwnServer, UnknownQuestionError
from sweeper.errors import BackendError, SweepNotFoundError
from sweeper.ref import SweepRef

_PAGE = "query Retention($input: JSON!) { viewer { retention(input: $input) } }"
_SPACE = "query DatabaseSpace { viewer { databaseSpace } }"


@dataclass(frozen=True, slots=True)
class DatabaseSpace:
    """The room that the server's database takes.

    Attributes:
        size: The bytes of its file.
        free: The bytes in it that hold nothing.
        gives_back: Whether it can give these back to the disk.
        rows: How many lines all runs have logged; 0 while it gives room back, for they are counted one by one.
    """

    size: int
    free: int
    gives_back: bool
    rows: int

    @classmethod
    def told(cls, text: str | None) -> DatabaseSpace | None:
        """Read what the server says; None if it does not tell who asks."""
        found = json.loads(text) if text else None
        return found and cls(found["bytes"], found["free_bytes"], found["gives_back"], found.get("rows", 0))


@dataclass(frozen=True, slots=True)
class Page:
    """A page of what may go.

    Attributes:
        sweeps: Of each sweep what the server says.
        silent: The ids of sweeps that have not ended, and of which nothing was heard for as long; on the first page.
    """

    sweeps: Sequence[Mapping[str, Any]]
    silent: Sequence[str]


def pages(server: OwnServer, *, before: float, keep: int, entity: str, project: str) -> Iterator[Page]:
    """Ask what may go.

    Args:
        server: The server.
        before: Of what ended before this time, in seconds since 1970.
        keep: How many of the best runs of each sweep are to stay.
        entity: Of this entity's projects; empty for all.
        project: Of projects of this name; empty for all.

    Raises:
        BackendError: It does not answer, or is an older one.
    """
    asked = {"before": before, "keep": keep, "entityName": entity or None, "projectName": project or None}
    after: int | None = 0
    while after is not None:
        found = json.loads(_ask(server, _PAGE, "what may go", input=asked | {"after": after})["retention"])
        yield Page(found["sweeps"], found["silent"])
        after = found["next"]


def names_of(server: OwnServer, ref: SweepRef) -> frozenset[str] | None:
    """Name the runs that a sweep still has; None if there is no such sweep.

    Raises:
        BackendError: The server does not answer.
    """
    try:
        found = server.sweep(ref, "RunNames", "runNames")["runNames"]
    except SweepNotFoundError:
        return None
    return frozenset(str(name) for name, *_ in json.loads(found))


def delete(
    server: OwnServer, ref: SweepRef, id_: str, runs: Sequence[str] | None, *, before: float
) -> tuple[list[str], int, str]:
    """Delete some runs of a sweep, or some of a whole one, if it is over since a time.

    Returns:
        Which are gone, how many are left, and why nothing goes; empty if it does.

    Raises:
        BackendError: The server refuses, or does not answer.
    """
    given = {"id": id_, "runs": None if runs is None else [*runs], "endedBefore": before}
    told = server.change("deleteSweep", given, "deleted left stays", f"delete {ref}")
    return list(told["deleted"]), int(told["left"]), told["stays"] or ""


def space(server: OwnServer) -> DatabaseSpace | None:
    """Ask for the room that the database takes; None if the server does not tell who asks.

    Raises:
        BackendError: It does not answer.
    """
    return DatabaseSpace.told(_ask(server, _SPACE, "the room of the database")["databaseSpace"])


def free_space(server: OwnServer) -> Iterator[DatabaseSpace]:
    """Have the database give its free room back, some of it at a time; tell what is left after each.

    Raises:
        BackendError: The server refuses, or does not answer.
    """
    left: int | None = None
    while True:
        told = server.change("freeSpace", {}, "space", "give the room of the database back")
        found = DatabaseSpace.told(told["space"])
        if found is None:
            return
        yield found
        if not (found.gives_back and found.free) or (left is not None and found.free >= left):
            return
        left = found.free


def _ask(server: OwnServer, query: str, what: str, **variables: Any) -> Any:
    try:
        return server.ask(query, what, **variables)["viewer"]
    except UnknownQuestionError as error:
        raise BackendError(f"cannot read {what}", OLDER) from error
