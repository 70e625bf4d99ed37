"""Reads a sweep and its runs from any W&B server, through the SDK's public API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from sweeper.backend.sdk import is_not_found, sdk_errors, spaced, whole_runs
from sweeper.backend.sweep_names import names_of_project, no_sweep
from sweeper.backend.sweep_view import AgentSeen, SweepView, utc
from sweeper.definition.confirming import link
from sweeper.definition.run_metrics import measured
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import BackendError
from sweeper.metric_value import counted, lookup, reading
from sweeper.ref import SweepRef, run_name
from sweeper.run import Run, RunState, StopDecision, SweepState

if TYPE_CHECKING:
    import wandb

HISTORY_SAMPLES = 10_000
"""The API gives a sample of a longer history (by default of 500 rows); few runs log one metric this often."""


class SweepReader:
    """Reads a sweep again and again; asks for the history of an ended run only once.

    Args:
        ref: The sweep.
    """

    def __init__(self, ref: SweepRef) -> None:
        import wandb

        self.ref = ref
        self._ended: dict[str, Run] = {}
        with sdk_errors("cannot log in"):
            self._api: Any = wandb.Api(timeout=60)

    def read(self) -> SweepView:
        """Ask the server.

        Raises:
            SweepNotFoundError: It does not know the sweep.
            BackendError: It does not answer, or the sweep has a form we cannot read.
        """
        with sdk_errors(f"cannot read sweep {self.ref}"):
            sweep = self._find()
            sweep.load(force=True)  # or it answers from its cache (wandb 0.31)
            self._api.flush()  # the same for runs
            definition = self._definition(sweep.config)
            runs = tuple(self._run(run, definition) for run in list(whole_runs(self._api, self.ref)))
            heard_at = self._scheduler_heard_at() if definition.scheduler else None
        return SweepView(
            ref=self.ref,
            url=spaced(sweep.url),
            definition=definition,
            state=SweepState(sweep.state.upper()),
            runs=runs,
            scheduler_heard_at=heard_at,
            confirms=about.sweep if (about := link(definition)) else "",
        )

    def state(self) -> SweepState:
        """Ask for the sweep's state alone, which costs no look at its runs.

        Raises:
            SweepNotFoundError: The server does not know the sweep.
            BackendError: It does not answer.
        """
        with sdk_errors(f"cannot read sweep {self.ref}"):
            sweep = self._find()
            sweep.load(force=True)
            return SweepState(sweep.state.upper())

    def agents(self) -> list[AgentSeen] | None:
        """Ask for the sweep's agents; None where the server or the SDK (before 0.31) does not tell."""
        try:
            with sdk_errors(f"cannot read the agents of sweep {self.ref}"):
                found = self._api.sweep(self.ref.path).agents()
                return [AgentSeen(agent.host or "", utc(agent.heartbeat_at)) for agent in found if agent.heartbeat_at]
        except (AttributeError, BackendError):
            return None

    def _scheduler_heard_at(self) -> datetime | None:
        import wandb

        try:
            run = self._api.run(self.ref.controller_run.path)
        except (ValueError, wandb.Error):  # it never ran, or this is not our server
            return None
        return utc(run.heartbeat_at) if run.state == "running" else None

    def _find(self) -> Any:
        import wandb

        try:
            return self._api.sweep(self.ref.path)
        except (ValueError, wandb.Error) as error:
            if not is_not_found(error):
                raise
            known = names_of_project(self._api, self.ref.entity, self.ref.project)
            raise no_sweep(self.ref, known) from error

    def _definition(self, config: Mapping[str, Any]) -> SweepDefinition:
        try:
            return SweepDefinition.model_validate(dict(config))
        except ValidationError as error:
            fix = "docs/sweep-files.md lists the forms this version reads; watch such a sweep on its page"
            raise BackendError(
                f"sweep {self.ref} has a form we cannot read: {error.errors()[0]['msg']}", fix
            ) from error

    def _run(self, run: wandb.apis.public.Run, definition: SweepDefinition) -> Run:
        # a state of W&B's that is younger than this code belongs to a run that goes on, as far as we can tell
        state = RunState(run.state) if run.state in set(RunState) else RunState.RUNNING
        known = self._ended.get(run.id)
        if known is not None and known.state is state:  # a crashed run may be heard again
            return known
        self._ended.pop(run.id, None)  # and one that was handed out again ends anew
        read = _read_run(run, definition, state, prior=run.sweep_name != self.ref.sweep_id)
        if state.ended:
            self._ended[run.id] = read
        return read


def _read_run(run: wandb.apis.public.Run, definition: SweepDefinition, state: RunState, *, prior: bool) -> Run:
    """Make ours of a run of the SDK's; asks the server for its history, unless it has not begun."""
    summary, keys = dict(run.summary_metrics), getattr(run, "history_keys", None) or {}
    told = summary.get("_sweeper", {})  # what only a server of ours writes there
    logged: list[object] = []
    if definition.metric is not None and state is not RunState.PENDING:
        logged = _logged(run, reading(definition.metric.name, keys.get("keys", {})).key)
    history, nonfinite = counted(logged)
    heard_at = getattr(run, "heartbeat_at", None)
    read = Run(
        id=run_name(run.id),
        state=state,
        params=definition.space.flatten(run.config) if definition.parameters else _plain(run.config),
        history=history,
        nonfinite=nonfinite,
        name=run.name or run.id,
        reason=str(told.get("reason", "")),
        created_at=utc(run.created_at),
        duration_s=summary.get("_runtime"),
        stop=_stop(run.id, told),
        fallback=str(told.get("suggestion", {}).get("fallback", "")),
        prior=prior,
        losses=int(told.get("losses", 0)),
        interrupted=bool(told.get("interrupted")),
        gap=str(told.get("gap", "")),
        heard_at=utc(heard_at) if heard_at and not state.ended else None,
    )
    return measured(read, definition, keys=lambda: keys, summary=lambda: summary)


def _logged(run: wandb.apis.public.Run, key: str) -> list[object]:
    """Give all values of a key of the history."""
    rows = run.history(samples=HISTORY_SAMPLES, keys=[key], pandas=False)
    return [value for row in rows if (value := lookup(row, key)) is not None]


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """Give what may be the parameters of a sweep whose file lists none."""
    return {name: value for name, value in config.items() if name[:1] != "_" and not isinstance(value, Mapping)}


def _stop(run_id: str, told: Mapping[str, Any]) -> StopDecision | None:
    """Read the decision that our server puts into the summary of a run it stopped early; W&B's tells nothing."""
    numbers = told.get("stop")
    return StopDecision(run_id, told.get("reason", ""), **numbers) if numbers else None
