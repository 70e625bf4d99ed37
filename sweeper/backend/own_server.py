"""Sweeper's own server, asked past the SDK, whose import takes longer than all the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

from sweeper import machine_errors
from sweeper.backend import said_why
from sweeper.backend.http import NotHttpError, ask, save
from sweeper.backend.sweep_names import no_sweep, own_names
from sweeper.errors import BackendError
from sweeper.journal.attempt import HOLDER_HEADER
from sweeper.ref import RunRef, SweepRef
from sweeper.settings import Backend, Settings

TIMEOUT_S = 60.0
MOST_BYTES = 2**28
"""Of an answer; a page of runs has some hundred KB."""
_SWEEP = """
query %s($entity: String!, $project: String!, $sweep: String!%s) {
  project(name: $project, entityName: $entity) { sweep(sweepName: $sweep) { %s } }
}
"""

_RUN = """
query RunOfSweep($entity: String!, $project: String!, $run: String!) {
  project(name: $project, entityName: $entity) { run(name: $run) { config summaryMetrics } }
}
"""
_KNOWN_RUN = """
query KnownRun($entity: String!, $project: String!, $run: String!) {
  project(name: $project, entityName: $entity) { run(name: $run) { id state } }
}
"""
_HISTORY_END = """
query HistoryEnd($entity: String!, $project: String!, $run: String!) {
  project(name: $project, entityName: $entity) { run(name: $run) { state historyLineCount historyTail summaryMetrics } }
}
"""
_FILES = """
query FilesOfRun($entity: String!, $project: String!, $run: String!, $pattern: String!) {
  project(name: $project, entityName: $entity) {
    run(name: $run) { files(first: 1000, pattern: $pattern) { edges { node { name directUrl } } } }
  }
}
"""


class UnknownQuestionError(Exception):
    """The server does not know the question: it is an older one, or none of ours."""


@dataclass(frozen=True, slots=True)
class HistoryEnd:
    """Where the history of a run ends.

    Attributes:
        state: The run's state.
        count: The line behind the last one.
        last: The last row; None if there is none.
        summary: The run's summary.
    """

    state: str
    count: int
    last: Mapping[str, Any] | None
    summary: Mapping[str, Any]


class OwnServer:
    """Sweeper's own server, asked past the SDK.

    Args:
        backend: The server.
        settings: The user's environment, for the key of a login.
        timeout_s: How long it may take to connect, and then between two pieces of an answer.
    """

    def __init__(self, backend: Backend, settings: Settings, *, timeout_s: float = TIMEOUT_S) -> None:
        self.base_url = backend.base_url.rstrip("/")
        self._direct = backend.kind == "local"
        self._timeout_s = timeout_s
        self._key = backend.api_key or settings.login_key(backend.base_url)

    def sweep(self, ref: SweepRef, name: str, fields: str, given: Mapping[str, tuple[str, Any]] | None = None) -> Any:
        """Ask for fields of a sweep.

        Args:
            ref: The sweep.
            name: What the question is called.
            fields: The fields, as GraphQL writes them.
            given: Its variables, each with its type.

        Raises:
            UnknownQuestionError: The server does not know these fields.
            SweepNotFoundError: It does not know the sweep.
            BackendError: It does not answer.
        """
        more = given or {}
        declared = "".join(f", ${variable}: {kind}" for variable, (kind, _) in more.items())
        variables = {"entity": ref.entity, "project": ref.project, "sweep": ref.sweep_id}
        variables |= {variable: value for variable, (_, value) in more.items()}
        data = self._post({"query": _SWEEP % (name, declared, fields), "variables": variables}, f"sweep {ref}")
        found = (data.get("project") or {}).get("sweep")
        if found is None:
            raise no_sweep(ref, own_names(self.ask))
        return found

    def ask(self, query: str, what: str, **variables: Any) -> Any:
        """Put a question that is about no single sweep; `what` is what cannot be read if there is no answer.

        Raises:
            UnknownQuestionError: The server does not know it.
            BackendError: It does not answer.
        """
        return self._post({"query": query, "variables": variables}, what)

    def runs_of(self, ref: SweepRef) -> Iterator[dict[str, Any]]:
        """Read the runs of a sweep and those attached to it with their configs and summaries, the oldest first.

        Raises:
            UnknownQuestionError: The server does not know the question.
            SweepNotFoundError: It does not know the sweep.
            BackendError: It does not answer.
        """
        after: int | None = 0
        while after is not None:
            found = self.sweep(ref, "WholeRuns", "wholeRuns(after: $after)", {"after": ("Int64", after)})
            page = json.loads(found["wholeRuns"])
            yield from page["runs"]
            after = page["next"]

    def run(self, ref: RunRef) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Give a run's whole config and its summary; None if there is no such run.

        Raises:
            UnknownQuestionError: The server is none of ours.
            BackendError: It does not answer.
        """
        found = self._run(_RUN, ref)
        return found and (plain_config(found["config"]), json.loads(found["summaryMetrics"]))

    def known_run(self, ref: RunRef) -> dict[str, Any] | None:
        """Give a run's global id and its state; None if there is no such run.

        Raises:
            UnknownQuestionError: The server is none of ours.
            BackendError: It does not answer.
        """
        found: dict[str, Any] | None = self._run(_KNOWN_RUN, ref)
        return found

    def history_end(self, ref: RunRef) -> HistoryEnd | None:
        """Tell where the history of a run ends; None if there is no such run.

        Raises:
            UnknownQuestionError: The server is none of ours.
            BackendError: It does not answer.
        """
        found = self._run(_HISTORY_END, ref)
        if found is None:
            return None
        tail = [json.loads(row) for row in json.loads(found["historyTail"])]
        summary = json.loads(found["summaryMetrics"])
        return HistoryEnd(found["state"], found["historyLineCount"], tail[-1] if tail else None, summary)

    def put_rows(
        self, ref: RunRef, first: int, rows: Sequence[str], summary: Mapping[str, Any], *, holder: str
    ) -> None:
        """Set rows of a run's history, from a line on, and its summary.

        Args:
            ref: The run.
            first: The line.
            rows: The rows, as JSON.
            summary: All of it.
            holder: The name of the process that logged them.

        Raises:
            BackendError: The run is another process's by now, or the server does not answer.
        """
        names = "/".join(quote(name, safe="") for name in (ref.entity, ref.project, ref.run_id))
        files = {
            "wandb-history.jsonl": {"offset": first, "content": [*rows]},
            "wandb-summary.json": {"offset": 0, "content": [json.dumps(summary)]},
        }
        try:
            reply = ask(
                f"{self.base_url}/files/{names}/file_stream",
                timeout_s=self._timeout_s,
                direct=self._direct,
                method="POST",
                body=json.dumps({"files": files}).encode(),
                key=self._key,
                headers={HOLDER_HEADER: holder},
            )
        except OSError as error:
            raise BackendError(f"cannot send rows of run {ref}: {error}", "the server is down or slow") from error
        if reply.status != 200:
            raise BackendError(f"cannot send rows of run {ref}: HTTP status {reply.status}")

    def files(self, ref: RunRef, suffix: str) -> list[tuple[str, str]]:
        """List the files of a run whose names end so: name and address of each.

        Raises:
            UnknownQuestionError: The server is none of ours.
            BackendError: It does not answer.
        """
        variables = {"entity": ref.entity, "project": ref.project, "run": ref.run_id, "pattern": f"%{suffix}"}
        data = self._post({"query": _FILES, "variables": variables}, f"the files of run {ref}")
        found = (data.get("project") or {}).get("run") or {"files": {"edges": []}}
        nodes = [edge["node"] for edge in found["files"]["edges"]]
        return [(str(node["name"]), urljoin(f"{self.base_url}/", node["directUrl"])) for node in nodes]

    def save(self, url: str, file: Path) -> None:
        """Write one of its files to this machine.

        Raises:
            BackendError: It does not answer, or there is no place for the file.
        """
        own = url.startswith(f"{self.base_url}/")  # the key goes to no other server
        try:
            save(url, file, timeout_s=TIMEOUT_S, direct=self._direct, key=self._key if own else None)
        except OSError as error:
            what = f"cannot download {file.name}: {error.strerror or error}"
            fix = machine_errors.refusal(error).hint or "the server is down or slow; try again"
            raise BackendError(what, fix) from error

    def change(
        self,
        name: str,
        given: Mapping[str, Any],
        fields: str,
        what: str,
        *,
        kind: str = "JSON!",
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Send a mutation with its input, and read these fields of the answer; `what` says what is to be done.

        Args:
            name: The mutation.
            given: Its input.
            fields: Of its answer, as GraphQL writes them.
            what: What is to be done, for the words of a refusal.
            kind: The type of its input.
            headers: Sent along.

        Raises:
            UnknownQuestionError: The server does not know the mutation.
            BackendError: It refuses, or does not answer.
        """
        query = f"mutation {name[:1].upper()}{name[1:]}($input: {kind}) {{ {name}(input: $input) {{ {fields} }} }}"
        status, answer = self._ask({"query": query, "variables": {"input": given}}, what, headers)
        errors = [str(one.get("message")) for one in answer.get("errors") or [] if isinstance(one, dict)]
        if any(f"Cannot query field '{name}'" in error for error in errors):
            raise UnknownQuestionError
        if errors or status != 200:
            raise BackendError(f"cannot {what}: {'; '.join(errors) or f'HTTP status {status}'}")
        return answer["data"][name]

    def _run(self, query: str, ref: RunRef) -> Any:
        """Ask about one run; None if there is no such run."""
        variables = {"entity": ref.entity, "project": ref.project, "run": ref.run_id}
        data = self._post({"query": query, "variables": variables}, f"run {ref}")
        return (data.get("project") or {}).get("run")

    def _post(self, question: Mapping[str, Any], what: str) -> Any:
        status, answer = self._ask(question, f"read {what}")
        errors = answer.get("errors") or []
        if status == 400:
            raise UnknownQuestionError
        if errors or status != 200:
            said = "; ".join(str(one.get("message")) for one in errors if isinstance(one, dict))
            fix = "check the key (WANDB_API_KEY) and the server (WANDB_BASE_URL)"
            raise BackendError(f"cannot read {what}: {said or f'HTTP status {status}'}", fix)
        return answer.get("data") or {}

    def _ask(
        self, question: Mapping[str, Any], what: str, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        url, body = f"{self.base_url}/graphql", json.dumps(question).encode()
        try:
            reply = ask(
                url,
                timeout_s=self._timeout_s,
                direct=self._direct,
                method="POST",
                body=body,
                key=self._key,
                headers={**said_why.headers(), **(headers or {})},
                most_bytes=MOST_BYTES,
            )
            answer = json.loads(reply.body)
        except (NotHttpError, ValueError) as error:
            raise UnknownQuestionError from error
        except OSError as error:
            raise BackendError(f"cannot {what}: {error}", "the server is down or slow; try again") from error
        return reply.status, answer if isinstance(answer, dict) else {}


def plain_config(text: str) -> dict[str, Any]:
    """Read a config as the trainer saw it, without the SDK's own entries (0.31)."""
    entries = {name: entry for name, entry in json.loads(text).items() if name not in {"_wandb", "wandb_version"}}
    return {
        name: entry["value"] if isinstance(entry, dict) and "value" in entry else entry
        for name, entry in entries.items()
    }
