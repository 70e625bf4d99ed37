"""Queries and mutations of artifact collections: aliases, links, names, tags (wandb.Api(), 0.31.0)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sweeper.server.artifacts import collections, commit, lifetimes
from sweeper.server.errors import NotFoundError, RequestError
from sweeper.server.graphql import artifact_inputs as sent_as
from sweeper.server.graphql import inputs
from sweeper.server.graphql.artifact_operations import find_artifact
from sweeper.server.graphql.collection_nodes import tag_nodes
from sweeper.server.graphql.context import global_id, parts_of
from sweeper.server.graphql.root import Root
from sweeper.server.rules import rights
from sweeper.server.store import artifact_collections, artifacts
from sweeper.server.store.artifact_collections import Collection
from sweeper.server.store.artifacts import Artifact
from sweeper.server.store.database import Connection


@dataclass(frozen=True, slots=True)
class CollectionOperations(Root):
    """What gathers versions of artifacts under names."""

    def artifact_collection(self, global_name: str | None = None) -> Collection:
        """Find a collection."""
        with self.context.store.read() as db:
            return _find_by_id(db, global_name or "")

    def add_aliases(self, fields: object) -> dict[str, bool]:
        """Give an artifact aliases; other versions lose them."""
        return self._change_aliases(fields, collections.give_aliases)

    def delete_aliases(self, fields: object) -> dict[str, bool]:
        """Take aliases from an artifact."""
        return self._change_aliases(fields, artifact_collections.take_aliases)

    def _change_aliases(
        self, fields: object, change: Callable[[Connection, int, int, list[str]], None]
    ) -> dict[str, bool]:
        sent = inputs.read(sent_as.ChangeAliases, fields)
        with self.context.store.write() as db:
            artifact = find_artifact(db, sent.artifact_id)
            rights.check_artifact(self.context.user, artifact)
            for placed in sent.aliases:
                collection = self._member_collection(db, artifact, placed)
                rights.check_aliases(db, self.context.user, collection.id, [placed.alias])
                change(db, collection.id, artifact.id, [placed.alias])
        return {"success": True}

    def _member_collection(self, db: Connection, artifact: Artifact, placed: sent_as.PlacedAlias) -> Collection:
        found = self._collection(db, placed.entity_name, placed.project_name, placed.artifact_collection_name)
        if artifact_collections.membership(db, found.id, artifact.id) is None:
            raise NotFoundError(f"the artifact is not in the collection {found.name!r}")
        return found

    def _own(self, db: Connection, found: Collection) -> Collection:
        """Refuse to change a collection that holds what belongs to another user."""
        rights.check(self.context.user, f"some of {found.name!r}", artifacts.owners(db, found.id))
        return found

    def _collection(self, db: Connection, entity: str | None, project: str | None, name: str) -> Collection:
        place = self.find_project(db, entity, project)
        found = artifact_collections.find(db, place.id, name) if place else None
        if found is None:
            raise NotFoundError(f"no artifact collection {name!r} in {self.entity_of(entity)}/{project}")
        return found

    def link_artifact(self, fields: object) -> dict[str, Any]:
        """Make an artifact a version of a portfolio, made if need be."""
        sent = inputs.read(sent_as.LinkArtifact, fields)
        # W&B keeps registries in projects of this prefix; made here, such a project would look like one and be none
        if (sent.project_name or "").startswith("wandb-registry-"):
            raise RequestError("this server has no registries: link to a collection of a project, `project/name`")
        with self.context.store.write() as db:
            artifact = _to_link(db, sent)
            source = artifact_collections.get(db, artifact.collection_id)
            place = self.ensure_project(db, sent.entity_name, sent.project_name)
            rights.check_stays(db, artifact, place)
            portfolio = collections.ensure(
                db,
                place.id,
                sent.artifact_portfolio_name,
                artifact_collections.PORTFOLIO,
                source.type,
                now=self.context.now,
            )
            member = collections.enrol(db, portfolio, artifact.id, now=self.context.now)
            lifetimes.keep(db, artifact, now=self.context.now)
            rights.check_aliases(db, self.context.user, portfolio.id, sent.aliases or [])
            collections.give_aliases(db, portfolio.id, artifact.id, sent.aliases or [])
        return {"version_index": member.version, "artifact_membership": member}

    def unlink_artifact(self, fields: object) -> dict[str, Any]:
        """Take an artifact out of a portfolio."""
        sent = inputs.read(sent_as.OneArtifact, fields)
        with self.context.store.write() as db:
            artifact = find_artifact(db, sent.artifact_id)
            rights.check_artifact(self.context.user, artifact)
            portfolio = _find_by_id(db, sent.artifact_portfolio_id or "")
            if portfolio.kind != artifact_collections.PORTFOLIO:
                raise RequestError("an artifact cannot be taken out of the collection it was logged to: delete it")
            artifact_collections.leave(db, portfolio.id, artifact.id)
        return {"artifact_id": sent.artifact_id, "success": True}

    def update_artifact_sequence(self, fields: object) -> dict[str, Any]:
        """Change a collection's name or description."""
        sent = inputs.read(sent_as.ChangeCollection, fields)
        with self.context.store.write() as db:
            known = self._own(db, _find_by_id(db, sent.id))
            name = known.name if sent.name is None else collections.check_word(sent.name, "the name of an artifact")
            description = known.description if sent.description is None else sent.description
            changed = artifact_collections.update(
                db, known.id, now=self.context.now, name=name, description=description
            )
        return {"artifact_collection": changed}

    update_artifact_portfolio = update_artifact_sequence

    def move_artifact_sequence(self, fields: object) -> dict[str, Any]:
        """Change the type of a collection's artifacts."""
        sent = inputs.read(sent_as.ChangeCollection, fields)
        kind = collections.check_word(sent.destination_artifact_type_name or "", "an artifact's type")
        with self.context.store.write() as db:
            known = self._own(db, _find_by_id(db, sent.id))
            changed = artifact_collections.update(db, known.id, now=self.context.now, type=kind)
        return {"artifact_collection": changed}

    def create_artifact_collection_tag_assignments(self, fields: object) -> dict[str, Any]:
        """Give a collection tags."""
        changed = self._retagged(fields, add=True)
        return {"tags": tag_nodes(changed.tags)}

    def delete_artifact_collection_tag_assignments(self, fields: object) -> dict[str, bool]:
        """Take tags from a collection."""
        self._retagged(fields, add=False)
        return {"success": True}

    def _retagged(self, fields: object, *, add: bool) -> Collection:
        sent = inputs.read(sent_as.TagCollection, fields)
        with self.context.store.write() as db:
            known = self._own(
                db, self._collection(db, sent.entity_name, sent.project_name, sent.artifact_collection_name)
            )
            tags = collections.changed_tags(known.tags, sent.tags if add else [], [] if add else sent.tags)
            return artifact_collections.update(db, known.id, now=self.context.now, tags=tags)

    def delete_artifact_sequence(self, fields: object) -> dict[str, Any]:
        """Delete a collection: a sequence with its artifacts, a portfolio with its links. One that is gone stays so."""
        sent = inputs.read(sent_as.ChangeCollection, fields)
        with self.context.store.read() as db:
            if artifact_collections.was_deleted(db, _number(sent.id)):
                gone = {"__typename": artifact_collections.SEQUENCE, "id": sent.id, "name": "", "state": "DELETED"}
                return {"artifact_collection": gone}
            found = self._own(db, _find_by_id(db, sent.id))

        def choose(db: Connection) -> list[Artifact]:
            return artifacts.of_sequence(db, found.id)

        commit.delete(self.context.store, self.context.blobs, choose)
        with self.context.store.write() as db:
            artifact_collections.delete(db, found.id)
        deleted = {
            "__typename": found.kind,
            "id": global_id("ArtifactCollection", str(found.id)),
            "name": found.name,
            "state": "DELETED",
        }
        return {"artifact_collection": deleted}

    delete_artifact_portfolio = delete_artifact_sequence


def _to_link(db: Connection, sent: sent_as.LinkArtifact) -> Artifact:
    """Find the artifact to link, by its id or by what its client calls it."""
    number = artifacts.of_client(db, sent.client_id) if sent.client_id and not sent.artifact_id else None
    artifact = artifacts.get(db, number) if number is not None else find_artifact(db, sent.artifact_id or "")
    if artifact.state != artifacts.COMMITTED:
        raise RequestError("an artifact cannot be linked before it is committed")
    return artifact


def _find_by_id(db: Connection, global_name: str) -> Collection:
    return artifact_collections.get(db, _number(global_name))


def _number(global_name: str) -> int:
    parts = parts_of(global_name, "ArtifactCollection")
    if len(parts) != 1 or not (parts[0].isascii() and parts[0].isdecimal()) or len(parts[0]) > 18:
        raise NotFoundError(f"{global_name!r} is not the id of an artifact collection")
    return int(parts[0])
