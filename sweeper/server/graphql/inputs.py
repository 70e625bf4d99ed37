"""The inputs of mutations as the SDK sends them; fields we do not know are passed over."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError
from pydantic.alias_generators import to_camel

from sweeper.server import strict_json
from sweeper.server.errors import RequestError, faults_of
from sweeper.server.store.lines import MAX_INTEGER


class Input(BaseModel):
    """A mutation's input: camelCase on the wire."""

    # strict: "5" for 5 is a client's bug that would show much later; ignored: a newer SDK's further fields
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", strict=True)


Model = TypeVar("Model", bound=Input)


class UpsertSweep(Input):
    """wandb.sweep; with an id, a change of state, of definition, or of what it is called."""

    id: str | None = None
    config: str | None = None
    state: str | None = None
    display_name: str | None = None
    description: str | None = None
    entity_name: str | None = None
    project_name: str | None = None
    prior_runs_filters: str | None = None


class EditSweep(Input):
    """sweeper edit.

    `based_on` is the definition that the person who edits has seen; `dry_run` asks what would happen.
    """

    id: str
    config: str
    based_on: str | None = None
    dry_run: bool = False


class DeleteSweep(Input):
    """sweeper delete, or sweeper server prune; with `runs`, of these runs alone.

    With `ended_before` (seconds since 1970) nothing goes of a sweep that is not over since then.
    """

    id: str
    runs: list[str] | None = None
    ended_before: FiniteFloat | None = None


class RetentionPage(Input):
    """sweeper server prune: what may go of sweeps that ended before a time (seconds since 1970).

    `keep` of the best runs of each stay; `after` is the `next` of the page before.
    """

    before: FiniteFloat
    keep: int = Field(ge=0, le=MAX_INTEGER)
    entity_name: str | None = None
    project_name: str | None = None
    after: int = Field(default=0, ge=0, le=MAX_INTEGER)


class FreeSpace(Input):
    """sweeper server prune, behind its last run."""


class CreateAgent(Input):
    """wandb.agent."""

    host: str
    sweep: str
    entity_name: str | None = None
    project_name: str | None = None


class AgentHeartbeat(Input):
    """The heartbeat; `run_state` is JSON text with the agent's live runs as keys."""

    id: str
    run_state: str | None = None

    @property
    def listed(self) -> frozenset[str]:
        """The ids of the runs that the agent says it has."""
        found = strict_json.parse_object(self.run_state or "{}", "runState")
        return frozenset(name for name, live in found.items() if live)


class UpsertBucket(Input):
    """wandb.init and wandb.finish; None leaves a column as it is."""

    id: str | None = None
    name: str | None = None
    model_name: str | None = None
    entity_name: str | None = None
    sweep: str | None = None
    state: str | None = None
    config: str | None = None
    summary_metrics: str | None = None
    display_name: str | None = None
    description: str | None = None
    notes: str | None = None
    group_name: str | None = None
    job_type: str | None = None
    tags: list[str] | None = None
    host: str | None = None
    commit: str | None = None
    job_program: str | None = None

    @property
    def is_first(self) -> bool:
        """Whether a process says this first: wandb-core (0.29 to 0.31.0) names its host only then."""
        return self.host is not None


class UpdateRunState(Input):
    """Api().run(...).update_state(...)."""

    id: str
    state: str


class RunById(Input):
    """Api().run(...).stop()."""

    id: str


class DeleteRun(RunById):
    """Api().run(...).delete()."""

    delete_artifacts: bool | None = None


class DeleteFiles(Input):
    """Api().run(...).file(...).delete()."""

    files: list[str]


class RunByName(Input):
    """What a run's own process says of it."""

    run_name: str
    entity_name: str | None = None
    project_name: str | None = None


class RewindRun(RunByName):
    """wandb.init(resume_from=...)."""

    metric_name: str
    metric_value: FiniteFloat


class RunAlert(RunByName):
    """run.alert()."""

    title: str
    text: str
    severity: str | None = None


class CustomChart(Input):
    """Api().create_custom_chart."""

    entity: str
    name: str
    display_name: str
    type: str
    access: str
    spec: str


class CreateRunFiles(Input):
    """wandb.save and what is uploaded at the end of a run."""

    run_name: str
    files: list[str]
    entity_name: str | None = None
    project_name: str | None = None


class EnqueueSweepRun(Input):
    """wandb sweep-scheduler; `config` is JSON text, every value under "value"."""

    id: str
    config: str
    display_name: str | None = None


class UpsertModel(Input):
    """Api().create_project."""

    name: str
    entity_name: str | None = None
    access: str | None = None


def read(model: type[Model], sent: Any) -> Model:
    """Read a mutation's input.

    Raises:
        RequestError: A field is missing or has a type it cannot have.
    """
    try:
        return model.model_validate(sent)
    except ValidationError as error:
        raise RequestError(f"{model.__name__} input: {faults_of(error)}") from error
