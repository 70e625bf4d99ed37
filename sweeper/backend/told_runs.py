"""Runs as sweeper's own server tells of them, made ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sweeper.backend.sweep_view import utc
from sweeper.ref import run_name
from sweeper.run import Digest, Run, RunState, StopDecision

_STATES = frozenset(RunState)


def plain_config(text: str) -> dict[str, Any]:
    """Read a config as the trainer saw it, without the SDK's own entries (0.31)."""
    entries = {name: entry for name, entry in json.loads(text).items() if name not in {"_wandb", "wandb_version"}}
    return {
        name: entry["value"] if isinstance(entry, dict) and "value" in entry else entry
        for name, entry in entries.items()
    }


def told_run(told: Mapping[str, Any]) -> Run:
    """Make ours of what the server tells of a run; a state younger than this code belongs to one that goes on."""
    id_ = run_name(told["id"])
    stop, digest, created_at = told.get("stop"), told.get("digest"), told.get("created_at")
    heard_at = told.get("heard_at")
    return Run(
        id=id_,
        state=RunState(told["state"]) if told["state"] in _STATES else RunState.RUNNING,
        params=told["params"],
        name=told.get("name") or id_,
        reason=told.get("reason", ""),
        created_at=utc(created_at) if created_at else None,
        duration_s=told.get("duration_s"),
        nonfinite=told.get("nonfinite", 0),
        stop=StopDecision(id_, **stop) if stop else None,
        fallback=told.get("fallback", ""),
        prior=told.get("prior", False),
        losses=told.get("losses", 0),
        values=tuple(told.get("values", ())),
        aggregate=told.get("aggregate"),
        lacks=tuple(told.get("lacks", ())),
        logged=told.get("logged", {}),
        digest=Digest(*digest) if digest else None,
        heard_at=utc(heard_at) if heard_at else None,
    )
