"""The inputs of artifacts' mutations as the SDK (0.31.0) sends them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field
from pydantic.alias_generators import to_camel

from sweeper.server.graphql.inputs import Input
from sweeper.server.store.artifacts import MAX_TTL_S


def _id_alias(name: str) -> AliasChoices:
    """Give both ways in which clients write a name that ends in `id`: artifactID, artifactId."""
    return AliasChoices(to_camel(name).removesuffix("Id") + "ID", to_camel(name))


def _tag_name(sent: Any) -> Any:
    return sent.get("tagName") if isinstance(sent, dict) else sent


def _alias_name(sent: Any) -> Any:
    return sent.get("alias") if isinstance(sent, dict) else sent


# W&B's own are objects that say more than is of use here; a text alone is taken for the same
Tag = Annotated[str, BeforeValidator(_tag_name), Field(min_length=1, max_length=128)]
Alias = Annotated[str, BeforeValidator(_alias_name)]
# what SQLite holds in an INTEGER; JSON's numbers have no end
BigInt = Annotated[int, Field(ge=-(2**63), lt=2**63)]
# from "for ever", -2, to what Python's timedelta holds: the SDK could not read an artifact with more
TimeToLive = Annotated[int, Field(ge=-2, le=MAX_TTL_S)]


class CreateArtifact(Input):
    """run.log_artifact, first step; its name comes alone or, from wandb.Api(), in a list."""

    artifact_type_name: str
    digest: str = Field(max_length=200)
    artifact_collection_name: str | None = None
    artifact_collection_names: list[str] | None = None
    entity_name: str | None = None
    project_name: str | None = None
    run_name: str | None = None
    digest_algorithm: str | None = None
    description: str | None = None
    metadata: str | None = None
    aliases: list[Alias] | None = None
    tags: list[Tag] | None = None
    ttl_duration_seconds: TimeToLive | None = None
    history_step: BigInt | None = None
    enable_digest_deduplication: bool | None = None
    distributed_id: str | None = Field(None, validation_alias=_id_alias("distributed_id"))
    client_id: str | None = Field(None, validation_alias=_id_alias("client_id"), max_length=200)

    @property
    def name(self) -> str:
        """What its collection is called."""
        return self.artifact_collection_name or next(iter(self.artifact_collection_names or []), "")


class CreateArtifactManifest(Input):
    """The second step, and again once the digest is known."""

    artifact_id: str = Field(validation_alias=_id_alias("artifact_id"))
    base_artifact_id: str | None = Field(None, validation_alias=_id_alias("base_artifact_id"))
    digest: str = ""
    type: str = "FULL"


class UpdateArtifactManifest(Input):
    """The digest of a manifest that is incremental or one of several."""

    artifact_manifest_id: str = Field(validation_alias=_id_alias("artifact_manifest_id"))
    base_artifact_id: str | None = Field(None, validation_alias=_id_alias("base_artifact_id"))
    digest: str = ""


class FileSpec(Input):
    """A file that is about to be uploaded."""

    artifact_id: str = Field(validation_alias=_id_alias("artifact_id"))
    name: str
    md5: str
    upload_parts_input: list[dict[str, Any]] | None = None


class CreateArtifactFiles(Input):
    """The third step: where to upload files to."""

    artifact_files: list[FileSpec]


class OneArtifact(Input):
    """commitArtifact, deleteArtifact, unlinkArtifact."""

    artifact_id: str = Field(validation_alias=_id_alias("artifact_id"))
    delete_aliases: bool | None = None
    artifact_portfolio_id: str | None = Field(None, validation_alias=_id_alias("artifact_portfolio_id"))


class UpdateArtifact(Input):
    """artifact.save() of a logged artifact; None leaves a column as it is."""

    artifact_id: str = Field(validation_alias=_id_alias("artifact_id"))
    description: str | None = None
    metadata: str | None = None
    ttl_duration_seconds: TimeToLive | None = None
    tags_to_add: list[Tag] | None = None
    tags_to_delete: list[Tag] | None = None


class UseArtifact(Input):
    """run.use_artifact."""

    artifact_id: str = Field(validation_alias=_id_alias("artifact_id"))
    run_name: str
    entity_name: str | None = None
    project_name: str | None = None


class PlacedAlias(Input):
    """An alias in a collection."""

    alias: str
    artifact_collection_name: str
    entity_name: str | None = None
    project_name: str | None = None


class ChangeAliases(Input):
    """artifact.save() with other aliases."""

    artifact_id: str = Field(validation_alias=_id_alias("artifact_id"))
    aliases: list[PlacedAlias]


class LinkArtifact(Input):
    """run.link_artifact, artifact.link."""

    artifact_portfolio_name: str
    artifact_id: str | None = Field(None, validation_alias=_id_alias("artifact_id"))
    client_id: str | None = Field(None, validation_alias=_id_alias("client_id"))
    entity_name: str | None = None
    project_name: str | None = None
    aliases: list[Alias] | None = None


class ChangeCollection(Input):
    """collection.save() and .delete()."""

    artifact_sequence_id: str | None = Field(None, validation_alias=_id_alias("artifact_sequence_id"))
    artifact_portfolio_id: str | None = Field(None, validation_alias=_id_alias("artifact_portfolio_id"))
    name: str | None = None
    description: str | None = None
    destination_artifact_type_name: str | None = None

    @property
    def id(self) -> str:
        """Which collection."""
        return self.artifact_sequence_id or self.artifact_portfolio_id or ""


class TagCollection(Input):
    """collection.save() with other tags."""

    artifact_collection_name: str
    tags: list[Tag]
    entity_name: str | None = None
    project_name: str | None = None
