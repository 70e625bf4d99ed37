"""Which node stands for which type of the schema, and what an interface or union turns out to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sweeper.server.graphql.artifact_file_nodes import ArtifactFileNode, FileOfArtifact
from sweeper.server.graphql.artifact_nodes import ArtifactNode
from sweeper.server.graphql.collection_nodes import ArtifactTypeNode, CollectionNode, MembershipNode
from sweeper.server.graphql.context import Context
from sweeper.server.graphql.node import Node
from sweeper.server.graphql.project_nodes import ProjectNode
from sweeper.server.graphql.run_file_nodes import FileNode, FileOfRun
from sweeper.server.graphql.run_nodes import RunNode
from sweeper.server.graphql.sweep_nodes import AgentNode, SweepNode


def _file(context: Context, row: FileOfRun | FileOfArtifact) -> Node[Any]:
    """Make the one type that two kinds of rows have: W&B's File is a run's or an artifact's."""
    return FileNode(context, row) if isinstance(row, FileOfRun) else ArtifactFileNode(context, row)


NODES: Mapping[str, Callable[[Context, Any], Node[Any]]] = {
    "Project": ProjectNode,
    "Sweep": SweepNode,
    "Agent": AgentNode,
    "Run": RunNode,
    "CreatedBy": RunNode,
    "File": _file,
    "ArtifactType": ArtifactTypeNode,
    "ArtifactCollection": CollectionNode,
    "ArtifactSequence": CollectionNode,
    "ArtifactCollectionMembership": MembershipNode,
    "Artifact": ArtifactNode,
}
"""By the type of a field; what has no node here, a page or a payload, is a dict or a plain value already."""


def _collection_kind(found: Any, *_: object) -> str:
    """Name the type of a collection; a deleted one is no row any more and says it itself."""
    return str(found["__typename"] if isinstance(found, dict) else found.stored.kind)


def _creator_kind(*_: object) -> str:
    return "Run"  # User is there for the SDK's documents: here a run has logged an artifact, or nobody that we know


def _no_kind(*_: object) -> str:
    raise AssertionError("no value of this type is ever given")  # beyond.graphql


KINDS: Mapping[str, Callable[..., str]] = {
    "ArtifactCollection": _collection_kind,
    "CreatedBy": _creator_kind,
    "Integration": _no_kind,
    "TriggerScope": _no_kind,
    "TriggeringCondition": _no_kind,
    "TriggeredAction": _no_kind,
}
"""Interfaces and unions of the schema, each with what names the type of a value."""
