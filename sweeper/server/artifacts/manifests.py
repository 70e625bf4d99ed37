"""Manifests: what names the files of an artifact, as the SDK (0.31.0) writes and digests it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sweeper.server import strict_json
from sweeper.server.artifacts.blobs import hex_of
from sweeper.server.errors import RequestError
from sweeper.server.store.artifact_files import ArtifactFile

FULL, INCREMENTAL, PATCH = "FULL", "INCREMENTAL", "PATCH"
MANIFEST_NAME = "wandb_manifest.json"
MAX_FILES = 1_000_000
"""Files of an artifact; as many as its largest manifest has room for."""
MAX_PATH = 4096
"""Characters: Linux opens no longer path."""


def check_path(path: str) -> str:
    """Give back a path that stays below the folder an artifact is downloaded to.

    Raises:
        RequestError: It would leave it.
    """
    odd = any(ord(char) < 32 or 0xD800 <= ord(char) < 0xE000 for char in path)
    if odd or not path or len(path) > MAX_PATH or path.startswith(("/", "\\")) or ".." in path.split("/"):
        raise RequestError(f"{path[:200]!r} is not a path for a file of an artifact: use relative/path/name.ext")
    return path


def parse_manifest(text: bytes) -> dict[str, Any]:
    """Read a manifest.

    Raises:
        RequestError: It is none.
    """
    found = strict_json.parse_object(text, "the manifest", most=8 * MAX_FILES)
    contents = found.get("contents")
    if not isinstance(contents, dict) or not all(isinstance(entry, dict) for entry in contents.values()):
        raise RequestError("the manifest has no `contents` with an object for each file")
    return found


def entries(contents: Mapping[str, dict[str, Any]]) -> list[ArtifactFile]:
    """Read the files that a manifest names.

    Raises:
        RequestError: An entry is not one.
    """
    return [_entry(check_path(path), entry) for path, entry in contents.items()]


def _entry(path: str, entry: dict[str, Any]) -> ArtifactFile:
    digest, size, reference = entry.get("digest"), entry.get("size") or 0, entry.get("ref")
    if not isinstance(digest, str) or not isinstance(size, int) or not 0 <= size < 2**63:
        raise RequestError(f"the manifest's entry {path!r} has no digest, or a size that is none")
    if not isinstance(reference, str | None):
        raise RequestError(f"the manifest's entry {path!r} has a reference that is no text")
    # a reference has the digest of where it lies, an ETag as like as an MD5, and nothing on our disk
    return ArtifactFile(path, "" if reference else hex_of(digest), size, reference or None)


def digest_of(contents: Mapping[str, dict[str, Any]]) -> str:
    """Compute an artifact's digest as the SDK does: the MD5 of a heading and of each `path:digest`, by path."""
    # equal to the SDK's to the byte: by it a client that logs the same contents again is told that they are here
    lines = "".join(f"{path}:{contents[path]['digest']}\n" for path in sorted(contents))
    return hashlib.md5(f"wandb-artifact-manifest-v1\n{lines}".encode(), usedforsecurity=False).hexdigest()


def merged(manifests: list[dict[str, Any]]) -> dict[str, Any]:
    """Put manifests one over the other: what a later one names replaces what an earlier one named."""
    contents: dict[str, Any] = {}
    for manifest in manifests:
        contents |= manifest["contents"]
    return {**manifests[-1], "contents": contents}


def dump_manifest(manifest: dict[str, Any]) -> bytes:
    """Write a manifest."""
    return json.dumps(manifest, separators=(",", ":")).encode()
