"""Mutations of `wandb sweep-scheduler` (0.31.0): it searches in a process of its own, and this server hands out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sweeper.server import strict_json
from sweeper.server.errors import NotFoundError
from sweeper.server.graphql import inputs
from sweeper.server.graphql.context import parts_of
from sweeper.server.graphql.root import Root
from sweeper.server.names import new_id
from sweeper.server.rules import own_scheduler, rights
from sweeper.server.store import sweeps


@dataclass(frozen=True, slots=True)
class SchedulerOperations(Root):
    """Mutations of a sweep's own scheduler."""

    def enqueue_sweep_run(self, fields: object) -> dict[str, Any]:
        """Store a run that the next free agent gets; `id` is its name, not its global id.

        A sweep that is over gives the name of no run: the scheduler looks for it, takes it for deleted, and ends when
        the sweep has. Any refusal would end it with an error (wandb-core 0.31.0).
        """
        sent = inputs.read(inputs.EnqueueSweepRun, fields)
        config = strict_json.parse_object(sent.config, "the config")
        name = parts_of(sent.id, "Sweep")[0]
        with self.context.store.write() as db:
            sweep = sweeps.find(db, name)
            if sweep is None:
                raise NotFoundError(f"no sweep {name!r} here")
            rights.check_sweep(self.context.user, sweep)
            run = own_scheduler.add(db, sweep, config, display_name=sent.display_name, now=self.context.now)
        return {"id": run.name if run else f"no-run-{new_id()}", "run_queue_item_id": None}
