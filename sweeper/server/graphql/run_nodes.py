"""GraphQL's Run and File: a run with its history, files and everything needed to resume it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sweeper.run import RunState
from sweeper.server import strict_json
from sweeper.server.errors import RequestError
from sweeper.server.graphql.context import Context, global_id, timestamp
from sweeper.server.graphql.pagination import connection
from sweeper.server.rules.file_stream import summary_with_reason
from sweeper.server.store import console, history_keys, history_samples, lines, projects, run_files, sweeps
from sweeper.server.store.artifacts import INPUT, OUTPUT
from sweeper.server.store.lines import MAX_INTEGER, Stream
from sweeper.server.store.run_files import StoredFile
from sweeper.server.store.runs import StoredRun

PAGE = 50
MAX_SPECS = 100
"""Each reads the whole history; the SDK (0.31.0) sends one."""


@dataclass(frozen=True, slots=True)
class RunNode:
    """GraphQL's Run."""

    context: Context
    stored: StoredRun
    place: projects.Project

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stored, name)

    __typename = "Run"  # what graphql-core asks for where a field may give several types
    read_only = False

    def id(self) -> str:
        """Its global id."""
        return global_id("Run", self.stored.name, self.place.name, self.place.entity)

    def project(self) -> object:
        """What the SDK adopts from the answer to wandb.init: names and ids."""
        from sweeper.server.graphql.project_nodes import ProjectNode  # a run and its project know each other

        return ProjectNode(self.context, self.place)

    def sweep_name(self) -> str | None:
        """The id of its sweep."""
        if self.stored.sweep_id is None:
            return None
        with self.context.store.read() as db:
            return sweeps.get(db, self.stored.sweep_id).name

    def summary_metrics(self) -> str:
        """Its summary, with the reason why it ended."""
        return summary_with_reason(self.stored)

    def tags(self) -> list[str]:
        """Its tags."""
        return list(json.loads(self.stored.tags))

    def group(self) -> str | None:
        """Its group."""
        return self.stored.group_name

    def commit(self) -> str | None:
        """The commit it ran from."""
        return self.stored.commit_hash

    def user(self) -> dict[str, Any]:
        """Who ran it; the asker if nobody is known, for the SDK (0.31.0) cannot read a run without a user."""
        with self.context.store.read() as db:
            row = db.execute("SELECT name FROM users WHERE id = ?", (self.stored.user_id,)).fetchone()
        name = row["name"] if row else self.context.user.name
        return {"id": global_id("User", name), "name": name, "username": name}

    def created_at(self) -> str | None:
        """When it was made."""
        return timestamp(self.stored.created_at)

    def heartbeat_at(self) -> str | None:
        """When it was last heard."""
        return timestamp(self.stored.heartbeat_at)

    def exitcode(self) -> int | None:
        """What it ended with."""
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
        return json.loads(self.stored.history_keys) or None

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
            if last is not None:
                return console.tail(db, self.stored.id, last)
            return console.page(db, self.stored.id, first=first, after=after)

    def system_metrics(self) -> str:
        """What the last system event said of its machine."""
        with self.context.store.read() as db:
            last = lines.tail(db, self.stored.id, Stream.EVENTS)
        event = json.loads(last[0]) if last else {}
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
        values = own.get("value", {}) if isinstance(own, dict) else {}
        return json.dumps({key: values[key] for key in keys if key in values})

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
        with self.context.store.read() as db:
            counts = history_keys.counts(json.loads(self.stored.history_keys))
            return history_samples.rows(
                db, self.stored.id, keys, counts=counts, first=first, end=last + 1, limit=samples
            )

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
        from sweeper.server.graphql import artifact_lists  # a run and its artifacts know each other

        return artifact_lists.of_run(self.context, self.stored.id, OUTPUT, **page)

    def input_artifacts(self, **page: Any) -> dict[str, Any]:
        """List the artifacts it used."""
        from sweeper.server.graphql import artifact_lists

        return artifact_lists.of_run(self.context, self.stored.id, INPUT, **page)

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
        return connection(
            found, lambda file: FileNode(self, file), lambda file: file.path, first=first, after=after, default=PAGE
        )


@dataclass(frozen=True, slots=True)
class FileNode:
    """GraphQL's File."""

    run: RunNode
    stored: StoredFile

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stored, name)

    def _names(self) -> tuple[str, str, str, str]:
        place = self.run.place
        return place.entity, place.name, self.run.stored.name, self.stored.path

    def id(self) -> str:
        """Its global id."""
        return global_id("File", *self._names())

    def name(self) -> str:
        """Its path within the run."""
        return self.stored.path

    def size_bytes(self) -> int:
        """Its size."""
        return self.stored.size

    def updated_at(self) -> str | None:
        """When it was uploaded."""
        return timestamp(self.stored.updated_at)

    def url(self, upload: bool = False) -> str:
        """Where to download it from, or to upload it to."""
        return self.run.context.file_url(*self._names()) if not upload else upload_url(self.run.context, *self._names())

    def direct_url(self) -> str:
        """Where to download it from."""
        return self.url()

    def display_name(self) -> str:
        """Its path within the run."""
        return self.stored.path

    storage_path = digest = upload_url = upload_headers = upload_multipart_urls = artifact = None


def upload_url(context: Context, entity: str, project: str, run: str, path: str) -> str:
    """Give a signed address to upload a file to; a whole one, wandb-core 0.31.0 fails on a path alone."""
    token = context.signer.token("upload", entity, project, run, path, now=context.now)
    return f"{context.file_url(entity, project, run, path)}?token={token}"
