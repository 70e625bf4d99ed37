"""Reads a sweep from sweeper's own server, which tells in one answer what takes the SDK a question for each run.

Without the SDK, whose import takes longer than all the rest; and after the first time only what has changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

from sweeper import machine_errors
from sweeper.backend.http import NotHttpError, ask, save
from sweeper.backend.sweep_view import AgentSeen, SweepView, ToldDefinition, utc
from sweeper.definition.outline import Outline
from sweeper.errors import BackendError, SweepNotFoundError
from sweeper.ref import RunRef, SweepRef, run_name
from sweeper.run import Curve, Digest, Run, RunState, StopDecision, SweepState
from sweeper.settings import Backend, Settings

TIMEOUT_S = 60.0
MOST_BYTES = 2**28
"""Of an answer; a page of runs has some hundred KB."""
LATE_S = 60.0
"""So long after its end something may still come in of a run: its last rows, its summary."""
CURVES_AT_ONCE = 500
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
_FILES = """
query FilesOfRun($entity: String!, $project: String!, $run: String!, $pattern: String!) {
  project(name: $project, entityName: $entity) {
    run(name: $run) { files(first: 1000, pattern: $pattern) { edges { node { name directUrl } } } }
  }
}
"""
_STATES = frozenset(RunState)


class UnknownQuestionError(Exception):
    """The server does not know the question: it is an older one, or none of ours."""


class OwnServer:
    """Sweeper's own server, asked past the SDK.

    Args:
        backend: The server.
        settings: The user's environment, for the key of a login.
    """

    def __init__(self, backend: Backend, settings: Settings) -> None:
        self.base_url = backend.base_url.rstrip("/")
        self._direct = backend.kind == "local"
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
            fix = "give the name that `sweeper create` printed (ENTITY/PROJECT/ID), or create one: sweeper create FILE"
            raise SweepNotFoundError(f"no sweep {ref} on this server", fix)
        return found

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
        variables = {"entity": ref.entity, "project": ref.project, "run": ref.run_id}
        data = self._post({"query": _RUN, "variables": variables}, f"run {ref}")
        found = (data.get("project") or {}).get("run")
        return found and (plain_config(found["config"]), json.loads(found["summaryMetrics"]))

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

    def change(self, name: str, given: Mapping[str, Any], fields: str, what: str) -> Any:
        """Send a mutation with its input, and read these fields of the answer; `what` says what is to be done.

        Raises:
            UnknownQuestionError: The server does not know the mutation.
            BackendError: It refuses, or does not answer.
        """
        query = f"mutation {name[:1].upper()}{name[1:]}($input: JSON!) {{ {name}(input: $input) {{ {fields} }} }}"
        status, answer = self._ask({"query": query, "variables": {"input": given}}, what)
        errors = [str(one.get("message")) for one in answer.get("errors") or [] if isinstance(one, dict)]
        if any(f"Cannot query field '{name}'" in error for error in errors):
            raise UnknownQuestionError
        if errors or status != 200:
            raise BackendError(f"cannot {what}: {'; '.join(errors) or f'HTTP status {status}'}")
        return answer["data"][name]

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

    def _ask(self, question: Mapping[str, Any], what: str) -> tuple[int, dict[str, Any]]:
        url, body = f"{self.base_url}/graphql", json.dumps(question).encode()
        try:
            reply = ask(
                url,
                timeout_s=TIMEOUT_S,
                direct=self._direct,
                method="POST",
                body=body,
                key=self._key,
                most_bytes=MOST_BYTES,
            )
            answer = json.loads(reply.body)
        except (NotHttpError, ValueError) as error:
            raise UnknownQuestionError from error
        except OSError as error:
            raise BackendError(f"cannot {what}: {error}", "the server is down or slow; try again") from error
        return reply.status, answer if isinstance(answer, dict) else {}


class OwnSweepReader:
    """Reads a sweep again and again; after the first time only the runs that may have changed.

    Args:
        ref: The sweep.
        server: Where it is.
    """

    def __init__(self, ref: SweepRef, server: OwnServer) -> None:
        self.ref = ref
        self._server = server
        self._runs: dict[str, Run] = {}
        self._since: float | None = None
        self._definition: ToldDefinition | None = None

    def read(self) -> SweepView:
        """Ask the server.

        Raises:
            UnknownQuestionError: It is not one of ours, or an older one.
            SweepNotFoundError: It does not know the sweep.
            BackendError: It does not answer.
        """
        found = self._changes()
        if found is None:  # a run was deleted or attached: nothing less than all of them tells which
            self._runs, self._since = {}, None
            found = self._changes() or {}
        about = json.loads(found["outline"])
        outline, expected = Outline.from_json(about["outline"]), about["expected"]
        definition = ToldDefinition(found["config"], outline, expected)
        if definition != self._definition:  # else what has been parsed of it is kept
            self._definition = definition
        heard_at = about["scheduler_heard_at"]
        return SweepView(
            ref=self.ref,
            url=self._url(),
            definition=self._definition or definition,
            state=SweepState(found["state"].upper()),
            runs=tuple(self._runs.values()),
            scheduler_heard_at=None if heard_at is None else datetime.fromtimestamp(heard_at, UTC),
            confirms=about.get("confirms", ""),  # an older server of ours does not tell
            confirmed_by=tuple(about["confirmed_by"]) if "confirmed_by" in about else None,
        )

    def _url(self) -> str:
        names = (self.ref.entity, self.ref.project, "sweeps", self.ref.sweep_id)
        return "/".join([self._server.base_url, *(quote(name, safe="") for name in names)])

    def _changes(self) -> dict[str, Any] | None:
        """Read what has changed of the runs, and the sweep beside them; None if that does not lead to what is there."""
        asked, total = 0.0, 0
        sweep: dict[str, Any] = {}
        for number, (found, page) in enumerate(self._pages(self._since)):
            if number == 0:
                sweep, asked = found, page["now"]
            total = page["total"]
            for told in page["runs"]:
                run = _run(told)
                if run.prior and self._since is not None and run.id not in self._runs:
                    return None
                self._runs[run.id] = run
        if self._since is not None and total != len(self._runs):
            return None
        self._since = asked - LATE_S
        return sweep

    def _pages(self, since: float | None) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Ask for page after page of runs: while one of them is read, the server makes the next one."""

        def ask(after: int) -> dict[str, Any]:
            given = {"after": ("Int64", after), "since": ("Float", since)}
            # the sweep comes with the first page, in the same answer
            fields = f"{'' if after else 'state config outline '}runDigests(after: $after, since: $since)"
            return dict(self._server.sweep(self.ref, "RunDigests", fields, given))

        with ThreadPoolExecutor(1) as beside:
            asked: Future[dict[str, Any]] | None = beside.submit(ask, 0)
            while asked is not None:
                found = asked.result()
                page = json.loads(found["runDigests"])
                asked = beside.submit(ask, page["next"]) if page["next"] is not None else None
                yield found, page

    def curves(self, names: Sequence[str], points: int) -> dict[str, Curve]:
        """Ask for some points of the metric of each of some runs; those without a value are left out.

        Raises:
            UnknownQuestionError: The server is none of ours, or an older one.
            SweepNotFoundError: It does not know the sweep.
            BackendError: It does not answer.
        """
        found: dict[str, Curve] = {}
        for start in range(0, len(names), CURVES_AT_ONCE):
            given = {"runs": ("[String!]!", [*names[start : start + CURVES_AT_ONCE]]), "points": ("Int!", points)}
            told = self._server.sweep(self.ref, "RunCurves", "runCurves(runs: $runs, points: $points)", given)
            for name, curve in json.loads(told["runCurves"]).items():
                found[name] = tuple((iteration, value) for iteration, value in curve)
        return found

    def state(self) -> SweepState:
        """Ask for the sweep's state alone, which costs no look at its runs.

        Raises:
            UnknownQuestionError: The server is none of ours.
            SweepNotFoundError: It does not know the sweep.
            BackendError: It does not answer.
        """
        return SweepState(self._server.sweep(self.ref, "SweepState", "state")["state"].upper())

    def agents(self) -> list[AgentSeen]:
        """Ask for the sweep's agents.

        Raises:
            UnknownQuestionError: The server is none of ours.
            SweepNotFoundError: It does not know the sweep.
            BackendError: It does not answer.
        """
        found = self._server.sweep(self.ref, "SweepAgents", "agents { edges { node { host heartbeatAt } } }")
        agents = [edge["node"] for edge in found["agents"]["edges"]]
        return [AgentSeen(agent["host"] or "", utc(agent["heartbeatAt"])) for agent in agents if agent["heartbeatAt"]]


def plain_config(text: str) -> dict[str, Any]:
    """Read a config as the trainer saw it, without the SDK's own entries (0.31)."""
    entries = {name: entry for name, entry in json.loads(text).items() if name not in {"_wandb", "wandb_version"}}
    return {
        name: entry["value"] if isinstance(entry, dict) and "value" in entry else entry
        for name, entry in entries.items()
    }


def _run(told: Mapping[str, Any]) -> Run:
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
