"""Everything we ask of a W&B server beside reading sweeps, through the wandb SDK's public names.

The SDK reads its server and key from the process's environment, so `connect` puts them there before the first call.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import os
import re
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import requests

from sweeper.backend import wandb_command
from sweeper.backend.http import NotHttpError, ask
from sweeper.errors import BackendError
from sweeper.ref import RunRef, SweepRef
from sweeper.settings import Backend, Settings

if TYPE_CHECKING:
    from sweeper.definition.sweep_definition import SweepDefinition

StateChange = Literal["stop", "cancel", "pause", "resume"]
"""What can be asked of a sweep: the flags of `wandb sweep`."""
CONNECT_TIMEOUT_S = 5.0


def connect(backend: Backend, settings: Settings) -> None:
    """Point this process's SDK at a server; call it before anything else here.

    Raises:
        BackendError: Nobody listens at the server's address.
    """
    check_reachable(backend, settings)
    env = backend.environ(settings.environ)
    env.setdefault("WANDB_SILENT", "true")  # this process talks for itself
    os.environ.clear()  # noqa: TID251 the SDK knows no other way to be told
    os.environ.update(env)  # noqa: TID251


def check_reachable(backend: Backend, settings: Settings) -> None:
    """Fail in seconds: the SDK itself retries a dead server for minutes.

    Raises:
        BackendError: Nobody listens at the server's address.
    """
    url = urlsplit(backend.base_url)
    proxied = any(settings.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"))
    # who is behind a proxy only the proxy can tell
    if url.hostname is None or (proxied and backend.kind == "wandb"):
        return
    try:
        port = url.port or (443 if url.scheme == "https" else 80)
        socket.create_connection((url.hostname, port), timeout=CONNECT_TIMEOUT_S).close()
    except OSError as error:
        raise _unreachable(backend, error) from error


def _unreachable(backend: Backend, error: OSError) -> BackendError:
    fix = "check WANDB_BASE_URL and the network, or run without a W&B server: --backend local"
    if backend.kind == "local":
        fix = "it was stopped or killed; `sweeper status` starts it again"
    return BackendError(f"nobody answers at {backend.base_url}: {error}", fix)


def speaks_sweeper(backend: Backend) -> bool:
    """Ask whether a W&B server is one of sweeper, which honours a file's `sweeper:` key; call `connect` first.

    Raises:
        BackendError: Nobody answers.
    """
    url = f"{backend.base_url.rstrip('/')}/healthz"  # open to all: the key stays here
    if not url.startswith(("http://", "https://")):
        return False
    try:
        answer = ask(url, timeout_s=CONNECT_TIMEOUT_S, direct=backend.kind == "local").json()
    except (NotHttpError, ValueError):
        return False  # another server: it has no such page, or says something else there
    except OSError as error:
        raise _unreachable(backend, error) from error
    return isinstance(answer, dict) and answer.get("service") == "sweeper"


def default_base_url() -> str:
    """Ask the SDK which server it takes where WANDB_BASE_URL is not set."""
    import wandb

    base_url = str(wandb.setup().settings.base_url)
    wandb.teardown()  # or the SDK would keep these settings, whatever `connect` says afterwards
    return base_url


@contextlib.contextmanager
def sdk_errors(what: str) -> Iterator[None]:
    """Turn what the SDK raises into our error; `what` says what could not be done."""
    try:
        yield
    except Exception as error:
        if not _is_the_sdks(error):
            raise
        text = " ".join(str(error).split()) or type(error).__name__
        raise BackendError(f"{what}: {text}", _fix_for(text.lower())) from error


def _is_the_sdks(error: Exception) -> bool:
    """Whether an error is the SDK's, or of what it stands on; some have no base of its own (wandb 0.31)."""
    known = isinstance(error, ValueError | TypeError | requests.RequestException | TimeoutError)
    return known or any(kind.__module__.partition(".")[0] == "wandb" for kind in type(error).__mro__)


def is_not_found(error: Exception) -> bool:
    """Whether a server says that there is no such thing: the words are all that tells it apart (wandb 0.31).

    A project that is not there, or that the key may not see, is "not found" or a plain 404 on W&B's cloud.
    """
    return re.search(r"not find|not found|\b404\b", str(error).lower()) is not None


def _fix_for(text: str) -> str:
    """Say what to do about an error of the SDK; its words are all that tells one from another (wandb 0.31)."""
    if any(word in text for word in ("400", "invalid", "prior runs")):
        return ""
    if any(word in text for word in ("did not respond", "abandoned", "timed out")):
        return "the server is down or slow; try again"
    if "could not find" in text:
        return "`sweeper status` lists what there is"
    return "check the key (WANDB_API_KEY) and the server (WANDB_BASE_URL)"


def register(
    definition: SweepDefinition, *, entity: str | None, project: str, prior_runs: Sequence[str] = ()
) -> SweepRef:
    """Create the sweep on the server with `wandb.sweep`.

    Args:
        definition: The sweep.
        entity: Whose it will be; None for the key's own.
        project: Where it will be.
        prior_runs: Ids of earlier runs of the project, for its search to start from.

    Raises:
        BackendError: The server refuses it.
    """
    import wandb

    # it prints id and address, which our caller does
    with sdk_errors("cannot create the sweep"), contextlib.redirect_stdout(io.StringIO()):
        sweep_id = wandb.sweep(definition.to_dict(), entity=entity, project=project, prior_runs=list(prior_runs))
    return SweepRef(entity or default_entity(), project, sweep_id)


def page(ref: SweepRef) -> str:
    """Give the address of a sweep's page: not under WANDB_BASE_URL on W&B's cloud, so the SDK has to say it."""
    import wandb

    with sdk_errors(f"cannot read sweep {ref}"):
        api: Any = wandb.Api()  # its methods are untyped
        return spaced(api.sweep(ref.path).url)


def spaced(url: str) -> str:
    """Mend an address of the SDK (0.31), which writes a space of a project's name as `+`; its own `+` is `%2B`."""
    return url.replace("+", "%20")


def default_entity() -> str:
    """Ask the server for the key's own entity."""
    import wandb

    with sdk_errors("cannot log in"):
        return str(wandb.Api().default_entity)


def set_state(ref: SweepRef, change: StateChange) -> None:
    """Stop, cancel, pause or resume a sweep with `wandb sweep`, the SDK's own command.

    Raises:
        BackendError: The server or the SDK refuses it.
    """
    # the public API (wandb 0.31) cannot change a sweep's state; the command is as stable as its documentation
    done = wandb_command.run("sweep", f"--{change}", ref.path, timeout_s=120)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]  # a traceback, whose last line says why
        why = lines[-1].removeprefix("Exception: ") if lines else f"exit code {done.returncode}"
        raise BackendError(f"cannot {change} {ref}: {why}", "see `sweeper status`")


def update(ref: SweepRef, file: Path) -> None:
    """Give a sweep that no agent has asked yet another file with `wandb sweep`, the SDK's own command.

    Raises:
        BackendError: The server or the SDK refuses it.
    """
    done = wandb_command.run("sweep", "--update", ref.path, str(file), timeout_s=120)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise BackendError(f"cannot edit {ref}: {lines[-1] if lines else f'exit code {done.returncode}'}")


def warm_up() -> None:
    """Import the SDK's agent and start its service process, so that the agent finds both at hand."""
    import wandb

    wandb.Api()


def resume() -> None:
    """Have the next `wandb.init` go on behind what its run has logged, if the trainer does not say otherwise.

    The SDK (0.31) has read WANDB_RESUME by the time its agent calls the trainer.
    """
    import wandb

    wandb.setup(wandb.Settings(resume="allow"))


def has_begun(run: RunRef) -> bool:
    """Ask the server whether the process that was given a run has called `wandb.init` on it; yes if it cannot tell."""
    import wandb

    try:
        api: Any = wandb.Api()  # its methods are untyped
        return str(api.run(run.path).state) != "pending"
    except Exception as error:
        if not _is_the_sdks(error):
            raise
        return "not find" not in str(error)  # the words are all that tells it apart (wandb 0.31)


def run_state(run: RunRef) -> str:
    """Ask the server in which state a run is; empty if it cannot tell."""
    import wandb

    with contextlib.suppress(Exception):
        api: Any = wandb.Api()  # its methods are untyped
        return str(api.run(run.path).state)
    return ""


def whole_runs(api: Any, ref: SweepRef) -> Any:
    """Ask for the runs of a sweep and those attached to it with their configs and summaries, the oldest first.

    Args:
        api: The SDK's.
        ref: The sweep.
    """
    # SDKs that can be lazy (0.21 can not) leave these out if they are not told, and ask for them run by run; and what
    # 0.22 makes of the sweep of a run that it is not to be lazy about raises a TypeError
    whole = {"lazy": False} if "lazy" in inspect.signature(api.runs).parameters else {}
    path, filters = f"{ref.entity}/{ref.project}", {"$and": [{"sweep": ref.sweep_id}]}
    return api.runs(path, filters=filters, order="+created_at", per_page=100, include_sweeps=False, **whole)


def find_run(run: RunRef) -> Any:
    """Find a run.

    Raises:
        BackendError: There is none.
    """
    import wandb

    try:
        return wandb.Api().run(run.path)
    except (ValueError, wandb.Error) as error:
        if is_not_found(error):  # and its object as Python writes it (wandb 0.31)
            what = f"{run.entity}/{run.project} has no run {run.run_id}"
            raise BackendError(what, "`sweeper status` lists a sweep's runs") from error
        raise
