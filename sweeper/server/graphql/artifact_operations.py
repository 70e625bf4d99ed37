"""Queries and mutations of artifacts: what run.log_artifact, run.use_artifact and wandb.Api() send (0.31.0)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sweeper.server import strict_json
from sweeper.server.artifacts import collections, commit, lifetimes, manifests
from sweeper.server.artifacts.blobs import hex_of
from sweeper.server.errors import NotFoundError, RequestError
from sweeper.server.graphql import artifact_inputs as sent_as
from sweeper.server.graphql import inputs
from sweeper.server.graphql.artifact_addresses import MAX_MANIFEST, limit_of, upload_url
from sweeper.server.graphql.context import global_id, parts_of
from sweeper.server.graphql.root import Root
from sweeper.server.rules import rights
from sweeper.server.store import artifact_collections, artifact_files, artifacts, projects, runs
from sweeper.server.store.artifact_collections import Collection
from sweeper.server.store.artifact_files import ArtifactFile, Manifest
from sweeper.server.store.artifacts import Artifact
from sweeper.server.store.database import Connection


@dataclass(frozen=True, slots=True)
class ArtifactOperations(Root):
    """An artifact's life: begun, filled, committed, changed, used, deleted."""

    def artifact(self, global_name: str) -> Artifact:
        """Find an artifact."""
        with self.context.store.read() as db:
            return find_artifact(db, global_name)

    def client_id_mapping(self, client_id: str) -> dict[str, str] | None:
        """Find the artifact that a client calls so."""
        with self.context.store.read() as db:
            found = artifacts.of_client(db, client_id)
        return None if found is None else {"server_id": global_id("Artifact", str(found))}

    def create_artifact(self, fields: object) -> dict[str, Any]:
        """Begin an artifact; if its collection has the same content already, give out that one."""
        sent = inputs.read(sent_as.CreateArtifact, fields)
        if sent.digest_algorithm not in {None, "MANIFEST_MD5"}:
            raise RequestError(f"artifacts have MD5 digests here, not {sent.digest_algorithm!r}")
        if sent.metadata is not None:
            strict_json.parse_object(sent.metadata, "the metadata")
        with self.context.store.write() as db:
            place = self.ensure_project(db, sent.entity_name, sent.project_name)
            collection = collections.ensure(
                db, place.id, sent.name, artifact_collections.SEQUENCE, sent.artifact_type_name, now=self.context.now
            )
            rights.check_aliases(db, self.context.user, collection.id, sent.aliases or [])
            lifetimes.check(db, collection, None, sent.ttl_duration_seconds)
            found = self._known(db, collection, sent) or self._begun(db, collection, sent)
            self._logged_by(db, place, found, sent.run_name)
        return {"artifact": found}

    def _known(self, db: Connection, collection: Collection, sent: sent_as.CreateArtifact) -> Artifact | None:
        """Find the artifact that a request means which came before, or which has the same content."""
        found = artifacts.of_client(db, sent.client_id) if sent.client_id else None
        if found is not None:
            known = artifacts.get(db, found)
            return known if known.collection_id == collection.id else None
        if sent.distributed_id is not None:
            # several runs fill one artifact: the first begins it, the others join it
            known_or_none = artifacts.in_progress(db, collection, sent.distributed_id)
        else:
            known_or_none = artifacts.same_content(db, collection, sent.digest)
        if known_or_none is None:
            return None
        if known_or_none.state == artifacts.COMMITTED:
            aliases = [collections.LATEST, *(sent.aliases or [])]
            # logged again, it is the latest once more, as if it had been uploaded
            collections.give_aliases(db, collection.id, known_or_none.id, aliases)
            lifetimes.logged_again(db, known_or_none, sent.ttl_duration_seconds, now=self.context.now)
        if sent.client_id:
            artifacts.remember_client(db, sent.client_id, known_or_none.id)
        return known_or_none

    def _begun(self, db: Connection, collection: Collection, sent: sent_as.CreateArtifact) -> Artifact:
        artifact = artifacts.create(
            db,
            collection,
            sent.digest,
            now=self.context.now,
            user_id=self.context.user.id,
            distributed_id=sent.distributed_id,
            description=sent.description,
            metadata=sent.metadata,
            tags=collections.changed_tags("[]", sent.tags or [], []),
            asked_aliases=json.dumps([collections.check_alias(alias) for alias in sent.aliases or []]),
            history_step=sent.history_step,
            **lifetimes.lifetime(sent.ttl_duration_seconds, self.context.now),
        )
        if sent.client_id:
            artifacts.remember_client(db, sent.client_id, artifact.id)
        return artifact

    def _logged_by(self, db: Connection, place: projects.Project, artifact: Artifact, run_name: str | None) -> None:
        run = runs.find(db, place.id, run_name) if run_name else None
        if run is not None:
            rights.check_run(self.context.user, run)
            artifacts.note_run(db, artifact.id, run.id, artifacts.OUTPUT)

    def create_artifact_manifest(self, fields: object) -> dict[str, Any]:
        """Announce a manifest, and give out where to write it once its digest is known."""
        sent = inputs.read(sent_as.CreateArtifactManifest, fields)
        if sent.type not in {manifests.FULL, manifests.INCREMENTAL, manifests.PATCH}:
            raise RequestError(f"a manifest is FULL, INCREMENTAL or PATCH, not {sent.type!r}")
        md5 = hex_of(sent.digest) if sent.digest else ""
        with self.context.store.write() as db:
            artifact = self._pending(db, sent.artifact_id)
            base = find_artifact(db, sent.base_artifact_id).id if sent.base_artifact_id else None
            manifest = artifact_files.add_manifest(db, artifact.id, sent.type, base, md5)
            return self._manifest_payload(db, artifact, manifest)

    def update_artifact_manifest(self, fields: object) -> dict[str, Any]:
        """Give out where to write a manifest whose digest is now known."""
        sent = inputs.read(sent_as.UpdateArtifactManifest, fields)
        with self.context.store.write() as db:
            number = _number(sent.artifact_manifest_id, "ArtifactManifest")
            manifest = artifact_files.set_manifest(db, number, hex_of(sent.digest))
            artifact = artifacts.get(db, manifest.artifact_id)
            rights.check_artifact(self.context.user, artifact)
            return self._manifest_payload(db, artifact, manifest)

    def _manifest_payload(self, db: Connection, artifact: Artifact, manifest: Manifest) -> dict[str, Any]:
        project_id = artifact_collections.get(db, artifact.collection_id).project_id
        url = upload_url(self.context, project_id, manifest.md5, MAX_MANIFEST) if manifest.md5 else None
        name = global_id("ArtifactManifest", str(manifest.id))
        file: dict[str, Any] = {
            "id": name,
            "name": manifests.MANIFEST_NAME,
            "display_name": manifests.MANIFEST_NAME,
            "upload_url": url,
            "upload_headers": [],
        }
        return {"artifact_manifest": {"id": name, "file": file}}

    def create_artifact_files(self, fields: object) -> dict[str, Any]:
        """Give out where to upload files to; nowhere, if the project has their content already."""
        sent = inputs.read(sent_as.CreateArtifactFiles, fields)
        with self.context.store.write() as db:
            nodes = [self._announced(db, spec) for spec in sent.artifact_files]
        return {"files": {"edges": [{"node": node} for node in nodes], "page_info": {"has_next_page": False}}}

    def _announced(self, db: Connection, spec: sent_as.FileSpec) -> dict[str, Any]:
        artifact, md5 = self._pending(db, spec.artifact_id), hex_of(spec.md5)
        project_id = artifact_collections.get(db, artifact.collection_id).project_id
        path = manifests.check_path(spec.name)
        artifact_files.announce(db, artifact.id, ArtifactFile(path, md5, 0))
        # announced and then looked for, in one write: no deletion can take the content away in between
        here = self.context.blobs.size(project_id, md5) is not None
        limit = limit_of(len(spec.upload_parts_input or []))
        return {
            "id": global_id("ArtifactFile", str(artifact.id), path),
            "name": path,
            "display_name": path,  # by which the SDK up to 0.17 finds it again
            "storage_path": f"{project_id}/{md5}",
            "upload_url": None if here else upload_url(self.context, project_id, md5, limit),
            "upload_headers": [],
            "artifact": artifact,
        }

    def commit_artifact(self, fields: object) -> dict[str, Any]:
        """Make an artifact a version, if all of it is here."""
        number = _number(inputs.read(sent_as.OneArtifact, fields).artifact_id, "Artifact")
        with self.context.store.read() as db:
            rights.check_artifact(self.context.user, artifacts.get(db, number))
        done = commit.commit(self.context.store, self.context.blobs, number, now=self.context.now)
        return {"artifact": done}

    def update_artifact(self, fields: object) -> dict[str, Any]:
        """Change description, metadata, tags and time to live."""
        sent = inputs.read(sent_as.UpdateArtifact, fields)
        if sent.metadata is not None:
            strict_json.parse_object(sent.metadata, "the metadata")
        with self.context.store.write() as db:
            known = self.own_artifact(db, sent.artifact_id)
            columns: dict[str, Any] = {
                "tags": collections.changed_tags(known.tags, sent.tags_to_add or [], sent.tags_to_delete or []),
                "description": known.description if sent.description is None else sent.description,
                "metadata": known.metadata if sent.metadata is None else sent.metadata,
            }
            if sent.ttl_duration_seconds is not None:
                place = artifact_collections.get(db, known.collection_id)
                lifetimes.check(db, place, known.id, sent.ttl_duration_seconds)
                columns |= lifetimes.changed(known, sent.ttl_duration_seconds)
            changed = artifacts.update(db, known.id, now=self.context.now, **columns)
        return {"artifact": changed}

    def use_artifact(self, fields: object) -> dict[str, Any]:
        """Note that a run uses an artifact."""
        sent = inputs.read(sent_as.UseArtifact, fields)
        with self.context.store.write() as db:
            found = find_artifact(db, sent.artifact_id)
            place = self.find_project(db, sent.entity_name, sent.project_name)
            run = runs.find(db, place.id, sent.run_name) if place else None
            if place is None or run is None:
                raise NotFoundError(f"no run {sent.run_name!r} in this project")
            rights.check_run(self.context.user, run)
            rights.check_stays(db, found, place)
            artifacts.note_run(db, found.id, run.id, artifacts.INPUT)
        return {"artifact": found}

    def delete_artifact(self, fields: object) -> dict[str, Any]:
        """Delete an artifact; one with aliases only if they may go as well. One that is gone already stays so."""
        sent = inputs.read(sent_as.OneArtifact, fields)
        with self.context.store.read() as db:
            if artifacts.was_deleted(db, _number(sent.artifact_id, "Artifact")):
                return {"artifact": {"id": sent.artifact_id}}
            doomed = self.own_artifact(db, sent.artifact_id)

        def choose(db: Connection) -> list[Artifact]:
            aliases = [alias for _, alias in artifact_collections.aliases_seen(db, doomed.id)]
            if aliases and not sent.delete_aliases:
                raise RequestError(f"the artifact has aliases ({', '.join(aliases)}): delete(delete_aliases=True)")
            return [artifacts.get(db, doomed.id)]

        commit.delete(self.context.store, self.context.blobs, choose)
        return {"artifact": doomed}

    def own_artifact(self, db: Connection, global_name: str) -> Artifact:
        """Find an artifact that the asker may change, by its global id.

        Raises:
            NotFoundError: There is none.
            ForbiddenError: It is another user's.
        """
        found = find_artifact(db, global_name)
        rights.check_artifact(self.context.user, found)
        return found

    def _pending(self, db: Connection, global_name: str) -> Artifact:
        found = self.own_artifact(db, global_name)
        if found.state != artifacts.PENDING:
            raise RequestError("this artifact is committed: log another version of it instead of changing this one")
        return found


def find_artifact(db: Connection, global_name: str) -> Artifact:
    """Find an artifact by its global id.

    Raises:
        NotFoundError: There is none.
    """
    return artifacts.get(db, _number(global_name, "Artifact"))


def _number(global_name: str, kind: str) -> int:
    """Read the number out of a global id."""
    parts = parts_of(global_name, kind)
    if len(parts) != 1 or not parts[0].isdecimal() or not parts[0].isascii() or len(parts[0]) > 18:
        raise NotFoundError(f"{global_name!r} is not the id of a {kind.lower()}")
    return int(parts[0])
