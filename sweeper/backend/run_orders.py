"""Orders about single runs: hand one out again, give it up, stop it, delete it.

Sweeper's own server is told past the SDK, which has words for the first three since 0.28 only; any other over the SDK.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal
from urllib.parse import quote

from sweeper.backend import sdk, sdk_releases
from sweeper.backend.own_server import OwnServer, UnknownQuestionError
from sweeper.errors import BackendError
from sweeper.ref import RunRef
from sweeper.run import RunState
from sweeper.settings import Backend, Settings

REASON_HEADER = "X-Sweeper-Reason"
"""Tells sweeper's server why a run is given up or handed out again."""
REASON_LENGTH = 600
_ENDED = {state.value for state in RunState if state.ended}


def set_state(run: RunRef, state: Literal["pending", "failed"], reason: str = "") -> None:
    """Hand a run of a sweep out again, or give it up; only sweeper's own server does that.

    Args:
        run: The run.
        state: What is to become of it.
        reason: Why, for people.

    Raises:
        BackendError: The server refuses it.
    """
    if (server := _own_server()) is None:
        _set_state_over_sdk(run, state)
        return
    what = _what(run, state)
    headers = {REASON_HEADER: quote(reason[:REASON_LENGTH])} if reason else {}
    with _understood(what):
        given = {"id": _found(server, run, what)["id"], "state": state}
        server.change("updateRunState", given, "success", what, kind="UpdateRunStateInput!", headers=headers)


def _set_state_over_sdk(run: RunRef, state: Literal["pending", "failed"]) -> None:
    what = _what(run, state)
    with sdk.sdk_errors(f"cannot {what}"):
        if not _can(sdk.find_run(run), "update_state", what)(state):
            raise BackendError(f"the server does not {what}", "see `sweeper status`")


def _what(run: RunRef, state: Literal["pending", "failed"]) -> str:
    return f"hand out run {run} again" if state == "pending" else f"end run {run}"


def stop(run: RunRef) -> str:
    """Stop one run, wherever it is; its sweep goes on.

    Returns:
        The state that it was in.

    Raises:
        BackendError: The server refuses it, or knows no such run.
    """
    what = f"stop run {run}"
    if (server := _own_server()) is not None:
        with _understood(what):
            told = _found(server, run, what)
            if told["state"] not in _ENDED:
                server.change("stopRun", {"id": told["id"]}, "success", what)
            return str(told["state"])
    with sdk.sdk_errors(f"cannot {what}"):
        found = sdk.find_run(run)
        state = str(found.state)
        if state not in _ENDED:
            _can(found, "stop", what)()
        return state


def delete(run: RunRef) -> None:
    """Delete a run with its files and artifacts.

    Raises:
        BackendError: The server refuses it.
    """
    with sdk.sdk_errors(f"cannot delete run {run}"):
        sdk.find_run(run).delete(delete_artifacts=True)


def _can(found: Any, method: str, what: str) -> Any:
    """Give a method of the SDK's run, which an older SDK lacks."""
    if not hasattr(found, method):
        raise BackendError(f"wandb {sdk_releases.installed()} cannot {what}", "pip install --upgrade wandb")
    return getattr(found, method)


def _own_server() -> OwnServer | None:
    """Find the server that this process's SDK is pointed at, if it is one of sweeper."""
    settings = Settings.from_env()  # as `sdk.connect` or the launch has left it
    if settings.base_url is None:
        return None
    backend = Backend(kind="wandb", base_url=settings.base_url, api_key=settings.api_key)
    return OwnServer(backend, settings) if sdk.speaks_sweeper(backend) else None


def _found(server: OwnServer, run: RunRef, what: str) -> dict[str, Any]:
    found = server.known_run(run)
    if found is None:
        raise BackendError(f"cannot {what}: there is no such run", "`sweeper status` lists a sweep's runs")
    return found


@contextmanager
def _understood(what: str) -> Iterator[None]:
    """Say that it could not be done where something else answers in the server's place."""
    try:
        yield
    except UnknownQuestionError as error:
        raise BackendError(f"cannot {what}: the server's answer cannot be read", "is a proxy in between?") from error
