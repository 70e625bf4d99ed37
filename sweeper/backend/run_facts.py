"""All that a W&B server knows of one run: by one question where it is sweeper's, else over the SDK."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sweeper.backend.any_sweeps import own_server
from sweeper.backend.own_server import OwnServer, UnknownQuestionError, plain_config
from sweeper.backend.sdk import is_not_found, sdk_errors
from sweeper.backend.sweep_view import utc
from sweeper.errors import BackendError
from sweeper.metric_value import float_or_nan, logged_kinds, lookup
from sweeper.ref import RunRef
from sweeper.settings import Backend, Settings

_FACTS = """
query RunFacts($entity: String!, $project: String!, $run: String!) {
  project(name: $project, entityName: $entity) { run(name: $run) {
    displayName sweepName host createdAt heartbeatAt config summaryMetrics historyKeys notes tags
    user { name } fileCount files(first: 1000) { edges { node { name sizeBytes } } }
  } }
}
"""
_CURVES = """
query CurvesOfRun($entity: String!, $project: String!, $run: String!, $specs: [JSONString!]!) {
  project(name: $project, entityName: $entity) { run(name: $run) { sampledHistory(specs: $specs) } }
}
"""
_SWEEP_OF = """
query SweepOfRun($entity: String!, $project: String!, $run: String!) {
  project(name: $project, entityName: $entity) { run(name: $run) { sweepName } }
}
"""

Steps = tuple[tuple[int, float], ...]
"""Some points of what a run logged as one key: step and finite value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What a server knows of one run.

    Attributes:
        name: Its display name.
        sweep: The id of its own sweep; empty if it has none.
        created_at: When the server made it.
        heard_at: When it was last heard; None if it never was.
        host: The machine it ran on; empty where the server does not tell.
        user: Whose it is; empty where the server does not tell.
        config: All of its parameters, nested as they were given.
        summary: Its last logged values, and what else is in its summary.
        logged: What it logged, numbers first: each key with its kind, `number` or another word.
        files: Its files and their sizes in bytes.
        notes: What somebody wrote about it.
        tags: Its tags.
    """

    name: str
    sweep: str
    created_at: datetime
    heard_at: datetime | None
    host: str
    user: str
    config: Mapping[str, Any]
    summary: Mapping[str, Any]
    logged: Mapping[str, str]
    files: tuple[tuple[str, int], ...] = ()
    notes: str = ""
    tags: tuple[str, ...] = ()
    handle: Any = field(default=None, repr=False, compare=False)


class FactReader:
    """Reads single runs from any W&B server.

    Args:
        backend: The server, which the SDK is pointed at.
        settings: The user's environment.
    """

    def __init__(self, backend: Backend, settings: Settings) -> None:
        self._server: OwnServer | None = own_server(backend, settings)

    def facts(self, ref: RunRef) -> RunFacts:
        """Read what the server knows of a run.

        Raises:
            BackendError: It does not answer, or knows no such run.
        """
        with contextlib.suppress(UnknownQuestionError):
            if self._server:
                found = self._ask(_FACTS, ref)
                if found is None:
                    raise _no_run(ref)
                return _own(found)
        return _foreign(self._over_sdk(ref))

    def sweep_of(self, ref: RunRef) -> str | None:
        """Give the id of a run's sweep: empty if it has none, None if there is no such run.

        Raises:
            BackendError: The server does not answer.
        """
        with contextlib.suppress(UnknownQuestionError):
            if self._server:
                found = self._ask(_SWEEP_OF, ref)
                return found and (found["sweepName"] or "")
        try:
            return self._over_sdk(ref).sweep_name or ""
        except BackendError as error:
            if is_not_found(error) or "has no run" in error.message:
                return None
            raise

    def curves(self, ref: RunRef, keys: Sequence[str], points: int, facts: RunFacts) -> dict[str, Steps]:
        """Read some points of what a run logged, by key; keys without a finite number are left out.

        Raises:
            BackendError: The server does not answer.
        """
        rows: Iterable[list[Mapping[str, Any]]]
        if facts.handle is not None:
            with sdk_errors(f"cannot read the history of run {ref}"):
                rows = [facts.handle.history(samples=points, keys=[key], pandas=False) for key in keys]
        else:
            specs = [json.dumps({"keys": ["_step", key], "samples": points}) for key in keys]
            rows = (self._ask(_CURVES, ref, specs=specs) or {"sampledHistory": []})["sampledHistory"]
        found = {key: _steps(key, part) for key, part in zip(keys, rows, strict=False)}
        return {key: steps for key, steps in found.items() if steps}

    def _ask(self, query: str, ref: RunRef, **more: Any) -> Any:
        assert self._server is not None  # noqa: S101 - asked before
        names = {"entity": ref.entity, "project": ref.project, "run": ref.run_id}
        return (self._server.ask(query, f"run {ref}", **names, **more).get("project") or {}).get("run")

    @staticmethod
    def _over_sdk(ref: RunRef) -> Any:
        import wandb

        with sdk_errors(f"cannot read run {ref}"):
            try:
                return wandb.Api(timeout=60).run(ref.path)
            except (ValueError, wandb.Error) as error:
                if not is_not_found(error):
                    raise
                raise _no_run(ref) from error


def _no_run(ref: RunRef) -> BackendError:
    return BackendError(f"{ref.entity}/{ref.project} has no run {ref.run_id}", "`sweeper runs` lists a sweep's runs")


def _steps(key: str, rows: Iterable[Mapping[str, Any]]) -> Steps:
    pairs = ((row.get("_step"), float_or_nan(lookup(row, key))) for row in rows)
    return tuple(
        (int(step), value) for step, value in pairs if step is not None and value is not None and math.isfinite(value)
    )


def _own(found: Mapping[str, Any]) -> RunFacts:
    summary = json.loads(found["summaryMetrics"])
    nodes = [edge["node"] for edge in found["files"]["edges"]]
    return RunFacts(
        name=found["displayName"] or "",
        sweep=found["sweepName"] or "",
        created_at=utc(found["createdAt"]),
        heard_at=utc(found["heartbeatAt"]) if found["heartbeatAt"] else None,
        host=found["host"] or "",
        user=(found["user"] or {}).get("name") or "",
        config=plain_config(found["config"]),
        summary=summary,
        logged=logged_kinds(found["historyKeys"] or {}, summary),
        files=tuple((node["name"], int(node["sizeBytes"] or 0)) for node in nodes),
        notes=found["notes"] or "",
        tags=tuple(found["tags"] or ()),
    )


def _foreign(run: Any) -> RunFacts:
    """Read a run of the SDK's (0.31)."""
    with sdk_errors(f"cannot read run {run.id}"):
        summary, heard = dict(run.summary_metrics), getattr(run, "heartbeat_at", None)
        metadata: Mapping[str, Any] = {}
        with contextlib.suppress(Exception):  # a file that the run may not have, and the SDK then raises what it will
            metadata = run.metadata or {}
        return RunFacts(
            name=run.name or "",
            sweep=run.sweep_name or "",
            created_at=utc(run.created_at),
            heard_at=utc(heard) if heard else None,
            host=str(metadata.get("host") or ""),
            user=str(getattr(run.user, "username", "") or "") if getattr(run, "user", None) else "",
            config=dict(run.config),
            summary=summary,
            logged=logged_kinds(getattr(run, "history_keys", None) or {}, summary),
            files=tuple((str(file.name), int(file.size or 0)) for file in run.files()),
            notes=run.notes or "",
            tags=tuple(run.tags or ()),
            handle=run,
        )
