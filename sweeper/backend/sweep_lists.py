"""All sweeps on a W&B server with what they have come to: by one question where it is sweeper's, else over the SDK."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sweeper.backend.any_sweeps import own_server
from sweeper.backend.own_server import UnknownQuestionError
from sweeper.backend.sdk import default_entity, is_not_found, sdk_errors
from sweeper.backend.sweep_names import NamedSweep
from sweeper.backend.sweep_view import AgentSeen, utc
from sweeper.definition.outline import Outline
from sweeper.errors import BackendError, SweeperError
from sweeper.nearest import nearest
from sweeper.ref import SweepRef
from sweeper.run import Goal, RunState, SweepState
from sweeper.settings import Backend, Settings

_LIST = """
query SweepList($entity: String, $project: String) { viewer { sweepList(entity: $entity, project: $project) } }
"""
_NOTHING: Callable[[int], None] = lambda _: None  # noqa: E731


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepSummary:
    """A sweep with what it has come to.

    Attributes:
        ref: Its full name.
        name: What it was called; empty if nothing.
        state: Where it is in its life.
        method: How it searches; empty if that cannot be read here.
        metrics: What it optimises, and in which direction.
        made: How many runs there are, in any state.
        done: How many have ended; None where the server does not tell.
        total: How many it will have; None if unbounded.
        counts: Its runs by state; empty where the server does not tell.
        best: The best value of its one metric so far.
        best_run: Which run has it; empty where the server does not tell.
        created_at: When it was made.
        active_at: When something last happened to it, as far as its server tells.
        agents: Who works on it; None where the server does not tell.
    """

    ref: SweepRef
    name: str
    state: SweepState
    method: str
    metrics: Mapping[str, Goal]
    made: int
    done: int | None
    total: int | None
    best: float | None
    created_at: datetime
    active_at: datetime
    counts: Mapping[str, int] = field(default_factory=dict)
    best_run: str = ""
    agents: tuple[AgentSeen, ...] | None = None


@dataclass(frozen=True, slots=True)
class SweepList:
    """The sweeps on a server.

    Attributes:
        sweeps: What was active last comes first.
        user: Whose key asked; what is theirs needs no entity in front.
        told: Whether the server tells all that a sweep has come to; W&B's own does not.
    """

    sweeps: tuple[SweepSummary, ...]
    user: str
    told: bool


def read(
    backend: Backend, settings: Settings, project: str | None, *, tell: Callable[[int], None] = _NOTHING
) -> SweepList:
    """Read the sweeps on a server.

    Args:
        backend: The server, which the SDK is pointed at.
        settings: The user's environment.
        project: `PROJECT` or `ENTITY/PROJECT`, whose sweeps alone; None for all.
        tell: Told how many have been read, where each takes a question.

    Raises:
        BackendError: It does not answer, or there is no such project.
    """
    entity, _, name = (project or "").rpartition("/")
    if server := own_server(backend, settings):
        with contextlib.suppress(UnknownQuestionError):
            data = server.ask(_LIST, "the list of sweeps", entity=entity or None, project=name or None)
            told = json.loads(data["viewer"]["sweepList"])
            return SweepList(tuple(map(_own, told["sweeps"])), told["user"], told=True)
    return _over_sdk(entity or settings.entity or default_entity(), name, tell)


def _own(told: Mapping[str, Any]) -> SweepSummary:
    counts = told["counts"]
    outline = Outline.from_json(told["outline"]) if told["outline"] else None
    named = NamedSweep.told(told)
    best_run, best = told.get("best") or ("", None)
    return SweepSummary(
        ref=named.ref,
        name=named.name,
        state=named.state or SweepState.RUNNING,
        method=outline.method if outline else "",
        metrics={one.name: one.goal for one in outline.objectives} if outline else {},
        made=sum(counts.values()),
        done=sum(count for state, count in counts.items() if state in set(RunState) and RunState(state).ended),
        total=told.get("expected"),
        counts={state: count for state, count in counts.items() if count},
        best=best,
        best_run=best_run,
        created_at=utc(told["created_at"]),
        active_at=utc(told["active_at"]),
        agents=tuple(AgentSeen(host, datetime.fromtimestamp(at, UTC)) for host, at in told["agents"].items()),
    )


def _over_sdk(entity: str, project: str, tell: Callable[[int], None]) -> SweepList:
    import wandb

    found: list[SweepSummary] = []
    with sdk_errors(f"cannot list the sweeps of {entity}"):
        api: Any = wandb.Api(timeout=60)
        try:
            for place in [api.project(project, entity=entity)] if project else api.projects(entity):
                if not hasattr(place, "sweeps"):
                    raise BackendError(f"wandb {wandb.__version__} cannot list a project's sweeps", "upgrade it")
                for sweep in place.sweeps():  # which says only now that there is no such project
                    found.append(_foreign(sweep, entity, place.name))
                    tell(len(found))
        except (ValueError, wandb.Error) as error:
            if not (project and is_not_found(error)):
                raise
            raise no_project(entity, project, [one.name for one in api.projects(entity)]) from error
    found.sort(key=lambda one: one.active_at, reverse=True)
    return SweepList(tuple(found), entity, told=False)


def _foreign(sweep: Any, entity: str, project: str) -> SweepSummary:
    """Read a sweep of the SDK's (0.31); what its server does not tell stays open."""
    config = sweep.config or {}
    state = str(sweep.state).upper()
    moments = [getattr(sweep, name, None) for name in ("created_at", "updated_at", "heartbeat_at")]
    times = [utc(moment) for moment in moments if moment] or [datetime.fromtimestamp(0, UTC)]
    listed = config.get("metrics") or [config.get("metric")]
    metrics = {one["name"]: one.get("goal", "minimize") for one in listed if isinstance(one, dict) and "name" in one}
    best = getattr(sweep, "best_loss", None)
    return SweepSummary(
        ref=SweepRef(entity, project, sweep.id),
        name=str(getattr(sweep, "display_name", None) or config.get("name") or ""),
        state=SweepState(state) if state in set(SweepState) else SweepState.RUNNING,
        method=str(config.get("method") or ""),
        metrics=metrics,
        made=int(getattr(sweep, "run_count", None) or 0),
        done=None,
        total=sweep.expected_run_count,
        best=best if len(metrics) == 1 else None,
        created_at=times[0],
        active_at=max(times),
    )


def no_project(entity: str, project: str, known: list[str]) -> SweeperError:
    """Say that there is no such project, or none with a sweep, and which one may have been meant."""
    meant = nearest(project, known)
    fix = f"did you mean {meant}?" if meant else f"there are {', '.join(known[:10]) or 'none yet'}"
    place = f"{entity}/{project}" if entity else project
    return BackendError(f"no project {place} with a sweep on this server", fix)
