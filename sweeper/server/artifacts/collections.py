"""Collections of artifacts: names, versions and aliases, and what each of them may be."""

from __future__ import annotations

import json
import re

from sweeper.server.errors import RequestError
from sweeper.server.store import artifact_collections
from sweeper.server.store.artifact_collections import Collection, Membership
from sweeper.server.store.database import Connection

LATEST = "latest"
_VERSION = re.compile(r"v(0|[1-9][0-9]{0,17})\Z")  # 18 digits: more may be beyond what a column holds
_NAME = re.compile(r"[^\x00-\x1f\x7f/:\ud800-\udfff]{1,128}\Z")


def check_word(word: str, what: str) -> str:
    """Give back a name, type or alias that an address such as `name:alias` can hold.

    Raises:
        RequestError: It cannot.
    """
    if word in {".", ".."} or not _NAME.match(word):
        raise RequestError(f"{word!r} cannot be {what}: use 1-128 characters without / and :")
    return word


def version_of(alias: str) -> int | None:
    """Read an alias that names a version, as `v3`."""
    found = _VERSION.match(alias)
    return int(found[1]) if found else None


def check_alias(alias: str) -> str:
    """Give back an alias that may be given to an artifact.

    Raises:
        RequestError: It may not.
    """
    if version_of(check_word(alias, "an alias")) is not None:
        raise RequestError(f"{alias!r} cannot be given as an alias: it names a version")
    return alias


def ensure(db: Connection, project_id: int, name: str, kind: str, artifact_type: str, *, now: float) -> Collection:
    """Find a collection of a project, made if it is not there.

    Raises:
        RequestError: The name is one of another kind or type, or cannot be one.
    """
    check_word(name, "the name of an artifact")
    check_word(artifact_type, "an artifact's type")
    artifact_collections.add(db, project_id, name, kind, artifact_type, now=now)
    found = artifact_collections.find(db, project_id, name)
    # people find a version by the name alone, so a name means one thing
    if found is None or (found.kind, found.type) != (kind, artifact_type):
        known = f"a {found.kind} of type {found.type!r}" if found else "gone"
        raise RequestError(f"the artifact collection {name!r} is {known}, not a {kind} of type {artifact_type!r}")
    return found


def enrol(db: Connection, collection: Collection, artifact_id: int, *, now: float) -> Membership:
    """Make an artifact the next version of a collection, and the latest; one that is a version already stays it."""
    known = artifact_collections.membership(db, collection.id, artifact_id)
    if known is None:
        number = artifact_collections.take_version(db, collection.id, now=now)
        known = Membership(collection.id, number, artifact_id, now)
        artifact_collections.add_membership(db, known)
    give_aliases(db, collection.id, artifact_id, [LATEST])
    return known


def resolve(db: Connection, collection_id: int, alias: str) -> Membership | None:
    """Find a version of a collection by number (`v3`) or alias."""
    number = version_of(alias)
    if number is not None:
        return artifact_collections.with_version(db, collection_id, number)
    return artifact_collections.with_alias(db, collection_id, alias)


def give_aliases(db: Connection, collection_id: int, artifact_id: int, aliases: list[str]) -> None:
    """Give an artifact aliases; another version of the collection loses them.

    Raises:
        RequestError: One cannot be an alias.
    """
    artifact_collections.set_aliases(db, collection_id, artifact_id, [check_alias(alias) for alias in aliases])


def changed_tags(tags: str, add: list[str], remove: list[str]) -> str:
    """Change a JSON list of tags."""
    kept = [tag for tag in json.loads(tags) if tag not in remove]
    return json.dumps(list(dict.fromkeys([*kept, *add])))
