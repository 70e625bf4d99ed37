"""Reads a sweep from sweeper's own server, which tells in one answer what takes the SDK a question for each run.

After the first time only what has changed is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from sweeper.backend.own_server import OwnServer
from sweeper.backend.sweep_view import AgentSeen, SweepView, ToldDefinition, utc
from sweeper.definition.outline import Outline
from sweeper.ref import SweepRef, run_name
from sweeper.run import Curve, Digest, Run, RunState, StopDecision, SweepState

LATE_S = 60.0
"""So long after its end something may still come in of a run: its last rows, its summary."""
CURVES_AT_ONCE = 500
_STATES = frozenset(RunState)


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
        interrupted=told.get("interrupted", False),
        gap=told.get("gap", ""),
    )
