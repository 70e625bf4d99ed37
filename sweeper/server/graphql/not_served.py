"""What the SDK (0.15 to 0.31.0) can ask for that this server has none of, and what its user is told of that.

docs/protocol.md lists the same operations.
"""

from __future__ import annotations

from graphql import DocumentNode, OperationDefinitionNode

LAUNCH = "this server has no W&B Launch (queues, launch agents, jobs): `wandb agent` and `sweeper launch` start runs"
REGISTRIES = "this server has no organizations and no registries: log to a project, and link to its `project/name`"
USERS = "this server makes no teams, users or keys over the wire: `sweeper server add-user NAME` and `rotate-key` do"
AUTOMATIONS = "this server has no automations and no integrations: look at `wandb.Api()` or the pages, or poll a sweep"
FEATURES = "this server announces no such feature"
REPORTS = "this server has no reports: the pages show a sweep and its runs, `sweeper report` writes a file of them"
INTERNAL = "this server answers wandb.Api(), not all of the SDK's own wandb.apis.InternalApi()"

NOT_SERVED = {
    LAUNCH: """
        CreateDefaultResourceConfig CreateRunQueue UpsertRunQueue DeleteFromRunQueue DeleteRunQueue
        GetDefaultResourceConfig GetRunQueueItem GetRunQueueItems GetRunQueueMetadata fetchRunQueuesFromProject
        ProjectRunQueues LaunchAgent createLaunchAgent updateLaunchAgent pushToRunQueue pushToRunQueueByName
        popFromRunQueue ackRunQueueItem failRunQueueItem updateRunQueueItemWarning
        """,
    REGISTRIES: """
        FetchOrgInfoFromEntity FetchOrgEntityFromEntity FetchAdvancedRegistryFeatures FetchRegistries FetchRegistry
        UpsertRegistry RenameRegistry DeleteRegistry RegistryCollections RegistryVersions RegistryUserMembers
        RegistryTeamMembers CreateRegistryMembers DeleteRegistryMembers UpdateUserRegistryRole UpdateTeamRegistryRole
        """,
    USERS: "CreateTeam CreateInvite DeleteInvite CreateServiceAccount CreateUserFromAdmin GenerateApiKey DeleteApiKey",
    AUTOMATIONS: "CreateAutomation UpdateAutomation DeleteAutomation CreateGenericWebhookIntegration",
    FEATURES: """
        MarkRunFilesUploaded CompleteMultipartUploadArtifact XXHashDigestsEnabled FetchArtifactDigestAlgorithm
        ArtifactFileURLsByManifestEntries
        """,
}
"""The operations, by what is said of them."""

EARLIER = {
    LAUNCH: "createDefaultResourceConfig createRunQueue upsertRunQueue",
    REGISTRIES: "Collections Registries UpsertRegistryProject Versions deleteProject renameProject",
    USERS: "CreateAnonymousApiKey",
    REPORTS: "SpecificReport upsertView",
    INTERNAL: "CreateArtifactType ProjectRuns RunInfo RunUploadUrls",
}
"""Those that only releases before 0.30 send."""

_SAID = {name: said for part in (NOT_SERVED, EARLIER) for said, names in part.items() for name in names.split()}


def said_of(document: DocumentNode) -> str | None:
    """Say why a document of the SDK is not served, whatever the schema says to it; None if it is, or is another's."""
    for part in document.definitions:
        if isinstance(part, OperationDefinitionNode) and part.name and part.name.value in _SAID:
            return f"{part.name.value}: {_SAID[part.name.value]}"
    return None
