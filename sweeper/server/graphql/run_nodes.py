"""GraphQL's Run: a run with its history and everything needed to resume it, and the lists of runs."""

from __future__ import annotations

import json
from typing import Any

from sweeper.run import RunState
from sweeper.server import strict_json
from sweeper.server.errors import RequestError
from sweeper.server.graphql.console_lines import console_connection
from sweeper.server.graphql.context import Context, global_id, run_id
from sweeper.server.graphql.node import Node
from sweeper.server.graphql.pagination import MAX_PAGE, PAGE, connection, cut_connection, read_cursor, size_of
from sweeper.server.graphql.run_file_nodes import FileOfRun
from sweeper.server.rules.run_summary import summary_with_reason
from sweeper.server.store import (
    artifacts,
    history_keys,
    history_samples,
    lines,
    run_files,
    run_pages,
)
from sweeper.server.store.lines import MAX_INTEGER, MAX_STEP, Stream
from sweeper.server.store.projects import Project
from sweeper.server.store.run_pages import Place, RunList
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Sweep

MAX_SPECS = 100
"""Each reads the whole history; the SDK (0.31.0) sends one."""


class RunNode(Node[StoredRun]):
    """GraphQL's Run."""

    read_only = False

    def id(self) -> str:
        """Its global id; the mutations of wandb.Api() find the run by it."""
        return run_id(self.project(), self.stored.name)

    def project(self) -> Project:
        """What the SDK adopts from the answer to wandb.init: names and ids."""
        return self.context.project(self.stored.project_id)

    def sweep_name(self) -> str | None:
        """The id of its sweep, by which the SDK tells a sweep's own runs from those attached to it."""
        if self.stored.sweep_id is None:
            return None
        return self.context.sweep_name(self.stored.sweep_id)

    def summary_metrics(self) -> str:
        """Its summary, with the reason why it ended."""
        return summary_with_reason(self.stored)

    def tags(self) -> list[str]:
        return list(json.loads(self.stored.tags))

    def group(self) -> str | None:
        return self.stored.group_name

    def commit(self) -> str | None:
        """The commit it ran from."""
        return self.stored.commit_hash

    def user(self) -> dict[str, Any]:
        """Who ran it; the asker if nobody is known, for the SDK (0.31.0) cannot read a run without a user."""
        name = self.context.user_name(self.stored.user_id) or self.context.user.name
        return {"id": global_id("User", name), "name": name, "username": name}

    def exitcode(self) -> int | None:
        return self.stored.exit_code

    def stopped(self) -> bool:
        """Whether it is to stop, or did: SDK 0.29 asks with RunStoppedStatus."""
        return bool(self.stored.stop_requested) or self.stored.state is RunState.KILLED

    def should_stop(self) -> bool:
        """Whether it has been told to stop."""
        return bool(self.stored.stop_requested)

    def failed(self) -> bool:
        """Whether it went wrong."""
        return self.stored.state in {RunState.FAILED, RunState.CRASHED}

    def running(self) -> bool:
        """Whether it is at work."""
        return self.stored.live

    def history_keys(self) -> dict[str, Any] | None:
        """What it logged, by key; None before the first row."""
        found = json.loads(self.stored.history_keys)
        # clients ask for the rows before the one behind the last: older servers noted steps of the size of their type
        return {**found, "lastStep": min(found.get("lastStep", -1), MAX_STEP)} if found else None

    def history_line_count(self) -> int:
        """Count its history."""
        return self._count(Stream.HISTORY)

    def events_line_count(self) -> int:
        """Count its system events."""
        return self._count(Stream.EVENTS)

    def log_line_count(self) -> int:
        """Count its console lines."""
        return self._count(Stream.CONSOLE)

    def _count(self, stream: Stream) -> int:
        with self.context.store.read() as db:
            return lines.count(db, self.stored.id, stream)

    def log_lines(
        self, first: int | None = None, after: str | None = None, last: int | None = None, **_: Any
    ) -> dict[str, Any]:
        """Give console lines: a page from the start, or the last ones."""
        with self.context.store.read() as db:
            return console_connection(db, self.stored.id, first=first, after=after, last=last)

    def system_metrics(self) -> str:
        """What the last system event said of its machine."""
        with self.context.store.read() as db:
            last = lines.tail(db, self.stored.id, Stream.EVENTS)
        event = _event(last[0]) if last else {}
        return json.dumps({name: value for name, value in event.items() if name.startswith("system.")})

    def history_tail(self) -> str:
        """Its last history line, in a list."""
        return self._tail(Stream.HISTORY)

    def events_tail(self) -> str:
        """Its last system event, in a list."""
        return self._tail(Stream.EVENTS)

    def _tail(self, stream: Stream) -> str:
        with self.context.store.read() as db:
            return json.dumps(lines.tail(db, self.stored.id, stream))

    def wandb_config(self, keys: list[str]) -> str:
        """Parts of the SDK's own section of the config; the SDK takes a run without `t` as never started."""
        own = json.loads(self.stored.config).get("_wandb", {})
        values = own.get("value") if isinstance(own, dict) else None
        return json.dumps({key: values[key] for key in keys if key in values} if isinstance(values, dict) else {})

    def history(
        self, min_step: int | None = None, max_step: int | None = None, samples: int | None = None
    ) -> list[str]:
        """Give history lines with min_step <= step < max_step, as they were sent, thinned out to `samples`."""
        limit = history_keys.DEFAULT_SAMPLES if samples is None else samples
        with self.context.store.read() as db:
            if min_step is None and max_step is None:
                return history_samples.texts(db, self.stored.id, Stream.HISTORY, limit)
            end = MAX_INTEGER if max_step is None else max_step
            return history_samples.between(db, self.stored.id, min_step or 0, end, limit)

    def events(self, samples: int | None = None) -> list[str]:
        """Give system events, thinned out."""
        with self.context.store.read() as db:
            limit = history_keys.DEFAULT_SAMPLES if samples is None else samples
            return history_samples.texts(db, self.stored.id, Stream.EVENTS, limit)

    def sampled_history(self, specs: list[str]) -> list[list[dict[str, Any]]]:
        """Give, for each spec, the rows that hold all its keys."""
        if len(specs) > MAX_SPECS:
            raise RequestError(f"{len(specs)} specs: at most {MAX_SPECS} are read")
        return [self._sampled(strict_json.parse_object(spec, "a history spec")) for spec in specs]

    def _sampled(self, spec: dict[str, Any]) -> list[dict[str, Any]]:
        keys, samples = spec.get("keys", []), spec.get("samples", history_keys.DEFAULT_SAMPLES)
        first, last = spec.get("minStep", 0), spec.get("maxStep", MAX_INTEGER - 1)
        numbers = all(isinstance(number, int) and abs(number) < MAX_INTEGER for number in (samples, first, last))
        if not numbers or not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise RequestError(f"a history spec is {{keys: [text], samples, minStep, maxStep}}, not {spec!r}")
        if not keys:
            return []
        # to 0.26 the SDK reads a page of `samples` steps, and its end once more with the next: no step may then be
        # twice in what it has read, or, as there is a row more than it wants, be thinned out
        end = last if last - first == samples else last + 1
        with self.context.store.read() as db:
            counts = history_keys.counts(json.loads(self.stored.history_keys))
            return history_samples.rows(db, self.stored.id, keys, counts=counts, first=first, end=end, limit=samples)

    def parquet_history(self, live_keys: list[str]) -> dict[str, Any]:
        """Say that no row is in parquet files, and list all rows' keys as live data."""
        with self.context.store.read() as db:
            if live_keys == ["_step"]:  # all that SDK 0.31.0 asks for
                live = [{"_step": step} for step in history_samples.live_steps(db, self.stored.id)]
            else:
                live = history_keys.rows_with(lines.texts(db, self.stored.id, Stream.HISTORY), live_keys)
        return {"parquet_urls": [], "live_data": live}

    def output_artifacts(self, **page: Any) -> dict[str, Any]:
        """List the artifacts it logged."""
        return self._artifacts(artifacts.OUTPUT, **page)

    def input_artifacts(self, **page: Any) -> dict[str, Any]:
        """List the artifacts it used."""
        return self._artifacts(artifacts.INPUT, **page)

    def _artifacts(self, role: str, first: int | None = None, after: str | None = None) -> dict[str, Any]:
        with self.context.store.read() as db:
            found = artifacts.of_run(db, self.stored.id, role)
        return connection(found, lambda artifact: str(artifact.id), first=first, after=after)

    def file_count(self) -> int:
        """Count its files."""
        with self.context.store.read() as db:
            return len(run_files.of_run(db, self.stored.id))

    def files(
        self,
        names: list[str] | None = None,
        first: int | None = None,
        after: str | None = None,
        pattern: str | None = None,
    ) -> dict[str, Any]:
        """List its files; one asked for by name is listed even if it is not there."""
        with self.context.store.read() as db:
            found = run_files.matching(db, self.stored.id, names or [], pattern)
        rows = [FileOfRun(self.stored, file) for file in found]
        return connection(rows, lambda row: row.file.path, first=first, after=after)


def _event(text: str) -> dict[str, Any]:
    """Read a line of system events; older servers stored whatever came."""
    try:
        return strict_json.parse_object(text, "the event")
    except RequestError:
        return {}


def count_runs(context: Context, which: RunList) -> int:
    """Count the runs of a list."""
    return run_pages.count(context.store, which, context.budget)


def run_connection(
    context: Context,
    project_id: int,
    *,
    sweep: Sweep | None = None,
    filters: str | None = None,
    order: str | None = None,
    first: int | None = None,
    after: str | None = None,
    **_: Any,
) -> dict[str, Any]:
    """Give one page of the runs of a project or sweep; all of a sweep's if no length is named."""
    which = RunList(project_id, filters or None, order or None, sweep)
    size = size_of(first, PAGE if sweep is None else MAX_PAGE)
    place = Place(*read_cursor(after)) if after else None
    found = run_pages.page(context.store, which, limit=size, place=place, budget=context.budget)
    return cut_connection(
        found.runs,
        lambda run: run.name,
        start=found.start,
        more=found.more,
        after=after,
        total=lambda: count_runs(context, which),
    )
