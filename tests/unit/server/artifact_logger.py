"""What wandb-core does to log an artifact, a step at a time."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sweeper.server.artifacts.manifests import digest_of

CREATE = """mutation($i: CreateArtifactInput!) { createArtifact(input: $i) {
    artifact { id state versionIndex artifactSequence { id latestArtifact { id } } } } }"""
FILES = """mutation($i: CreateArtifactFilesInput!) { createArtifactFiles(input: $i) {
    files { edges { node { storagePath uploadUrl uploadHeaders artifact { id } } } } } }"""
MANIFEST = """mutation($id: ID!, $d: String!, $t: ArtifactManifestType!, $b: ID, $u: Boolean!) {
    createArtifactManifest(input: {artifactID: $id, baseArtifactID: $b, digest: $d, type: $t, name: "m"}) {
        artifactManifest { id file { uploadUrl @include(if: $u) } } } }"""
COMMIT = "mutation($id: ID!) { commitArtifact(input: {artifactID: $id}) { artifact { id digest } } }"
DELETE = "mutation($i: DeleteArtifactInput!) { deleteArtifact(input: $i) { artifact { id } } }"
FOUND = """query($n: String!) { project(name: "p") { artifactCollectionMembership(name: $n) { versionIndex
    aliases { alias } artifact { id state size fileCount currentManifest { file { directUrl } }
        files(first: 2) { edges { node { name directUrl md5 } } } } } } }"""


def md5_of(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


@dataclass
class Logger:
    """What wandb-core does to log an artifact, a step at a time."""

    client: Any
    name: str = "data"
    contents: dict[str, bytes] = field(default_factory=lambda: {"a": b"A", "b": b"B"})
    extra: dict[str, Any] = field(default_factory=dict)

    def create(self, *, status: int = 200, **fields: Any) -> Any:
        """Begin the artifact; give its id."""
        entries = {path: {"digest": md5_of(content)} for path, content in self.contents.items()}
        sent = {
            "artifactTypeName": "dataset",
            "artifactCollectionName": self.name,
            "projectName": "p",
            "digest": digest_of(entries),
            "digestAlgorithm": "MANIFEST_MD5",
            "enableDigestDeduplication": True,
            **fields,
        }
        found = self.client.graphql(CREATE, i=sent, status=status)
        return found["createArtifact"]["artifact"] if status == 200 else found

    def announce(self, artifact: str, *, status: int = 200, **fields: Any) -> Any:
        """Ask where to upload files to; give the addresses."""
        specs = [
            {"artifactID": artifact, "name": path, "md5": md5_of(content), "artifactManifestID": "x", **fields}
            for path, content in self.contents.items()
        ]
        found = self.client.graphql(FILES, i={"artifactFiles": specs, "storageLayout": "V2"}, status=status)
        if status != 200:
            return found
        return [edge["node"]["uploadUrl"] for edge in found["createArtifactFiles"]["files"]["edges"]]

    def put(self, url: str, content: bytes) -> int:
        """Upload, without a key."""
        return self.client.http.put(url, content=content, headers={"Authorization": ""}).status_code

    def manifest(self, artifact: str, contents: Any = None, kind: str = "FULL") -> str:
        """Write the manifest; give where to."""
        text = self.manifest_text(contents)
        url = self.announce_manifest(artifact, text, kind)
        assert self.put(url, text) == 200
        return url

    def announce_manifest(self, artifact: str, text: bytes, kind: str = "FULL") -> str:
        """Ask where to write the manifest; give the address."""
        found = self.client.graphql(MANIFEST, id=artifact, d=md5_of(text), t=kind, u=True)
        return str(found["createArtifactManifest"]["artifactManifest"]["file"]["uploadUrl"])

    def manifest_text(self, contents: Any = None) -> bytes:
        """Give what the manifest holds."""
        entries = {path: {"digest": md5_of(text), "size": len(text)} for path, text in self.contents.items()}
        whole = {"version": 1, "storagePolicy": "wandb-storage-policy-v1", "storagePolicyConfig": {}}
        return json.dumps({**whole, "contents": entries if contents is None else contents}).encode()

    def commit(self, artifact: str, *, status: int = 200) -> Any:
        """Commit."""
        return self.client.graphql(COMMIT, id=artifact, status=status)

    def delete(self, artifact: str, *, status: int = 200, **fields: Any) -> Any:
        """Delete; give what was said."""
        return self.client.graphql(DELETE, i={"artifactID": artifact, **fields}, status=status)

    def on_disk(self) -> set[bytes]:
        """Read what lies on the server's disk, without manifests."""
        found = {path.read_bytes() for path in Path(self.client.data_dir / "artifacts").glob("*/*/*")}
        return {content for content in found if not content.startswith(b'{"version"')}

    def log(self, **fields: Any) -> str:
        """Do all of it; give the id."""
        artifact = self.create(**fields)
        if artifact["state"] == "PENDING":
            for url, content in zip(self.announce(artifact["id"]), self.contents.values(), strict=True):
                if url:
                    assert self.put(url, content) == 200
            self.manifest(artifact["id"])
            self.commit(artifact["id"])
        return str(artifact["id"])

    def found(self, alias: str = "latest") -> Any:
        """Look the artifact up as wandb.Api() does."""
        return self.client.graphql(FOUND, n=f"{self.name}:{alias}")["project"]["artifactCollectionMembership"]
