"""What the runs of a sweep are called: enough to find the one that is meant, and cheap to ask."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass

from sweeper.backend.any_sweeps import own_server
from sweeper.backend.own_server import UnknownQuestionError
from sweeper.backend.sdk import sdk_errors
from sweeper.ref import SweepRef
from sweeper.settings import Backend, Settings


@dataclass(frozen=True, slots=True)
class NamedRun:
    """A run, as far as its names go.

    Attributes:
        id: Its id.
        name: Its display name.
    """

    id: str
    name: str


def read(ref: SweepRef, settings: Settings, backend: Backend) -> list[NamedRun]:
    """List the runs of a sweep.

    Raises:
        SweepNotFoundError: The server does not know the sweep.
        BackendError: It does not answer.
    """
    if server := own_server(backend, settings):
        with contextlib.suppress(UnknownQuestionError):
            found = json.loads(server.sweep(ref, "RunNames", "runNames")["runNames"])
            return [NamedRun(id_, name) for id_, name, _ in found]
    import wandb

    with sdk_errors(f"cannot list the runs of sweep {ref}"):
        # lazy, its default: neither configs nor summaries (wandb 0.31)
        found = wandb.Api(timeout=60).runs(f"{ref.entity}/{ref.project}", filters={"sweep": ref.sweep_id}, per_page=500)
        return [NamedRun(run.id, run.name or "") for run in found]
