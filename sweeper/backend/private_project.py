"""A project that its owner alone sees, made on a server of sweeper; W&B's SDK has no word for that."""

from __future__ import annotations

import json
from typing import Any

from sweeper.backend import sdk
from sweeper.backend.http import NotHttpError, ask
from sweeper.errors import BackendError
from sweeper.settings import Backend, Settings

_MAKE = "mutation($input: UpsertModelInput!) { upsertModel(input: $input) { project { access } } }"
RESTRICTED = "RESTRICTED"


def make(backend: Backend, settings: Settings, *, entity: str | None, project: str) -> None:
    """Make a private project, or find the asker's own one of that name; call `sdk.connect` first.

    Raises:
        BackendError: It is no server of sweeper; or the project is there, and not private.
    """
    if not sdk.speaks_sweeper(backend):
        fix = "make a restricted project on its own pages, and give its name with --project"
        raise BackendError(f"{backend.base_url} is no sweeper server: it makes no private project for --private", fix)
    sent = {"name": project, "entityName": entity, "access": RESTRICTED}
    answer = _graphql(backend, settings, {"query": _MAKE, "variables": {"input": sent}})
    if "data" not in answer or answer.get("errors"):
        message = " ".join(str(error.get("message")) for error in answer.get("errors", []))
        fix = "a project is private from its beginning: give another name with --project"
        raise BackendError(f"cannot make the private project {project}: {message}", fix)
    if answer["data"]["upsertModel"]["project"]["access"] != RESTRICTED:  # one of before, which made it for everybody
        raise BackendError(f"{backend.base_url} is an older sweeper, without private projects", "upgrade the server")


def _graphql(backend: Backend, settings: Settings, body: dict[str, Any]) -> Any:
    key = backend.api_key or settings.login_key(backend.base_url)
    url = f"{backend.base_url.rstrip('/')}/graphql"
    direct = backend.kind == "local"
    try:
        reply = ask(url, timeout_s=30.0, direct=direct, method="POST", body=json.dumps(body).encode(), key=key)
        return json.loads(reply.body)  # of a refusal too: it says why
    except (NotHttpError, OSError, ValueError) as error:
        raise BackendError(f"cannot make the private project: {error}", "try again") from error
