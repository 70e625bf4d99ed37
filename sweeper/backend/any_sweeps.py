"""Reads a sweep from whichever W&B server it is on: by a question of ours where it is sweeper's, else over the SDK."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from sweeper.backend import run_reader, sdk
from sweeper.backend.own_server import OwnServer, UnknownQuestionError, plain_config
from sweeper.backend.own_sweeps import OwnSweepReader
from sweeper.backend.sweep_view import AgentSeen, SweepView, utc
from sweeper.ref import RunRef, SweepRef, run_name
from sweeper.run import Curve, Run, RunState, SweepState, thinned
from sweeper.settings import Backend, Settings

if TYPE_CHECKING:
    from sweeper.backend.sweep_reader import SweepReader

Answer = TypeVar("Answer")


def own_server(backend: Backend, settings: Settings) -> OwnServer | None:
    """Find out whether a server is sweeper's own; None if it is not.

    Raises:
        BackendError: Nobody answers.
    """
    return OwnServer(backend, settings) if backend.kind == "local" or sdk.speaks_sweeper(backend) else None


def whole_runs(ref: SweepRef, settings: Settings, backend: Backend) -> Iterator[run_reader.ServerRun]:
    """Read the runs of a sweep and those attached to it with their configs and summaries, the oldest first.

    Raises:
        SweepNotFoundError: The server does not know the sweep.
        BackendError: It does not answer.
    """
    if server := own_server(backend, settings):
        try:
            yield from map(_whole_run, server.runs_of(ref))
        except UnknownQuestionError:  # at the first page, if at all
            pass
        else:
            return
    yield from run_reader.ServerRuns(backend, settings).of(ref)


def _whole_run(told: Mapping[str, Any]) -> run_reader.ServerRun:
    id_ = run_name(told["id"])
    return run_reader.ServerRun(
        id=id_,
        name=told["name"] or id_,
        state=RunState(told["state"]) if told["state"] in set(RunState) else RunState.RUNNING,
        sweep=told["sweep"],
        config=plain_config(told["config"]),
        summary=json.loads(told["summary"]),
        created_at=utc(told["created_at"]),
    )


def read_run(ref: RunRef, settings: Settings, backend: Backend) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give a run's whole config and its summary, as the server has them.

    Raises:
        BackendError: It does not answer, or there is no such run.
    """
    if server := own_server(backend, settings):
        with contextlib.suppress(UnknownQuestionError):
            if found := server.run(ref):
                return found
    return run_reader.read_run(ref)


class AnySweepReader:
    """Reads a sweep again and again, on any W&B server.

    Args:
        ref: The sweep.
        settings: The user's environment.
        backend: The server, which the SDK is pointed at; None to ask it over the SDK, whichever it is.
    """

    def __init__(self, ref: SweepRef, settings: Settings, backend: Backend | None) -> None:
        self.ref = ref
        server = own_server(backend, settings) if backend else None
        self._own = OwnSweepReader(ref, server) if server else None
        self._sdk: SweepReader | None = None

    def read(self) -> SweepView:
        """Ask the server.

        Raises:
            SweepNotFoundError: It does not know the sweep.
            BackendError: It does not answer, or the sweep has a form we cannot read.
        """
        return self._ask(lambda own: own.read(), lambda other: other.read())

    def state(self) -> SweepState:
        """Ask for the sweep's state alone, which costs no look at its runs.

        Raises:
            SweepNotFoundError: The server does not know the sweep.
            BackendError: It does not answer.
        """
        return self._ask(lambda own: own.state(), lambda other: other.state())

    def curves(self, runs: Sequence[Run], points: int) -> dict[str, Curve]:
        """Give some points of the metric of each of some runs, by id; those without a value are left out.

        Args:
            runs: The runs, as they were read.
            points: About how many of each, evenly spread.

        Raises:
            SweepNotFoundError: The server does not know the sweep.
            BackendError: It does not answer.
        """
        if self._own is not None and runs:
            with contextlib.suppress(UnknownQuestionError):
                return self._own.curves([run.id for run in runs], points)
        return {run.id: thinned(run.history, points) for run in runs if run.history}  # as the SDK read it

    def agents(self) -> list[AgentSeen] | None:
        """Ask for the sweep's agents; None where the server or the SDK (before 0.31) does not tell."""
        return self._ask(lambda own: own.agents(), lambda other: other.agents())

    def _ask(self, own: Callable[[OwnSweepReader], Answer], other: Callable[[SweepReader], Answer]) -> Answer:
        if self._own is not None:
            try:
                return own(self._own)
            except UnknownQuestionError:  # an older server of ours: it answers the SDK
                self._own = None
        if self._sdk is None:
            from sweeper.backend.sweep_reader import SweepReader

            self._sdk = SweepReader(self.ref)
        return other(self._sdk)
