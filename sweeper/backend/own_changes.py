"""Changes a sweep on sweeper's own server in ways that W&B's protocol lacks: another file once it runs, deletion."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweeper.backend.own_server import OwnServer, UnknownQuestionError
from sweeper.errors import BackendError
from sweeper.ref import SweepRef

if TYPE_CHECKING:
    from sweeper.definition.sweep_definition import SweepDefinition

OLDER = (
    "the server is an older sweeper: `sweeper server stop` ends an embedded one, and the next command starts this one"
)
"""What to do about a server that does not know a question of ours."""


@dataclass(frozen=True, slots=True)
class StandingSweep:
    """A sweep as it stands on the server, before it is changed.

    Attributes:
        id: What the protocol calls it.
        state: Its state, in W&B's words.
        text: Its file, as it was registered.
    """

    id: str
    state: str
    text: str


def known(server: OwnServer, ref: SweepRef) -> StandingSweep:
    """Ask what a sweep is.

    Raises:
        SweepNotFoundError: The server does not know it.
        BackendError: It does not answer.
    """
    found = server.sweep(ref, "SweepToChange", "id state config")
    return StandingSweep(found["id"], found["state"].upper(), found["config"])


def edit(
    server: OwnServer, ref: SweepRef, sweep: StandingSweep, definition: SweepDefinition, *, dry_run: bool
) -> dict[str, Any]:
    """Give a sweep another file; tell what that comes to.

    Args:
        server: Where it is.
        ref: The sweep.
        sweep: What is known of it; the server refuses if it was given another file since.
        definition: The new file.
        dry_run: Only tell.

    Raises:
        BackendError: The server refuses, or does not answer.
    """
    import yaml

    text = yaml.safe_dump(definition.to_dict(), sort_keys=False)
    given = {"id": sweep.id, "config": text, "basedOn": sweep.text, "dryRun": dry_run}
    told = _changed(server, "editSweep", given, "effects", f"edit {ref}")
    effects: dict[str, Any] = json.loads(told["effects"])
    return effects


def holdings(server: OwnServer, ref: SweepRef, runs: Sequence[str] | None) -> dict[str, Any]:
    """Ask what would go with a sweep, or with some of its runs.

    Raises:
        SweepNotFoundError: The server does not know the sweep.
        BackendError: It does not know one of the runs, or does not answer.
    """
    given = {"runs": ("[String!]", None if runs is None else [*runs])}
    try:
        found = server.sweep(ref, "SweepHoldings", "holdings(runs: $runs)", given)
    except UnknownQuestionError as error:
        raise BackendError(f"cannot tell what {ref} holds", OLDER) from error
    told: dict[str, Any] = json.loads(found["holdings"])
    return told


def delete(server: OwnServer, ref: SweepRef, sweep: StandingSweep, runs: Sequence[str] | None) -> tuple[list[str], int]:
    """Delete some of a sweep's runs, and the sweep behind its last one; tell which are gone, and how many are left.

    Raises:
        BackendError: The server refuses, or does not answer.
    """
    given = {"id": sweep.id, "runs": None if runs is None else [*runs]}
    told = _changed(server, "deleteSweep", given, "deleted left", f"delete {ref}")
    return list(told["deleted"]), int(told["left"])


def _changed(server: OwnServer, name: str, given: dict[str, Any], fields: str, what: str) -> Any:
    try:
        return server.change(name, given, fields, what)
    except UnknownQuestionError as error:
        raise BackendError(f"cannot {what}", OLDER) from error
