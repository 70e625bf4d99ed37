"""Whole runs as a W&B server has them, through `wandb.Api`: what leaves with `export` and `sync`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeper.backend import wandb_command
from sweeper.backend.sdk import connect, find_run, sdk_errors, whole_runs
from sweeper.backend.sweep_view import utc
from sweeper.errors import BackendError
from sweeper.ref import RunRef, SweepRef, run_name
from sweeper.run import RunState
from sweeper.settings import Backend, Settings

if TYPE_CHECKING:
    from sweeper.definition.sweep_definition import SweepDefinition

PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerRun:
    """A run as its server has it.

    Attributes:
        id: Its run id.
        name: Its display name.
        state: Where it is in its life.
        sweep: The id of its own sweep; empty if it has none.
        config: All of its parameters, nested as they were given.
        summary: Its last logged values, and what else is in its summary.
        created_at: When the server made it.
        notes: What somebody wrote about it.
        tags: Its tags.
        last_step: The step of its last row of history; None before the first, or where it was not asked for.
        handle: The SDK's own object, which reads the history; None where nobody will.
    """

    id: str
    name: str
    state: RunState
    sweep: str
    config: Mapping[str, Any]
    summary: Mapping[str, Any]
    created_at: datetime
    notes: str = ""
    tags: tuple[str, ...] = ()
    last_step: int | None = None
    handle: Any = None

    def steps(self) -> Iterator[int]:
        """Read the steps of its history, in order."""
        with sdk_errors(f"cannot read the history of run {self.id}"):
            yield from (row["_step"] for row in self.handle.scan_history(keys=["_step"], page_size=PAGE))

    def rows(self, steps: Collection[int] | None = None) -> Iterator[dict[str, Any]]:
        """Read the rows of its history, in order.

        Args:
            steps: Those of these steps; None for all.
        """
        if steps is not None and not steps:
            return
        limits = {} if steps is None else {"min_step": min(steps), "max_step": max(steps) + 1}
        with sdk_errors(f"cannot read the history of run {self.id}"):
            for row in self.handle.scan_history(page_size=PAGE, **limits):
                if steps is None or row["_step"] in steps:
                    yield dict(row)


class ServerRuns:
    """Reads whole runs from a W&B server, whichever one this process's SDK is pointed at.

    Args:
        backend: The server.
        settings: The user's environment, for the key of a login.
    """

    def __init__(self, backend: Backend, settings: Settings) -> None:
        import wandb

        key = backend.api_key or settings.login_key(backend.base_url)
        # named outright: `sync` reads from one server and from another in one process
        with sdk_errors("cannot log in"):  # the methods of what this gives are untyped
            self._api: Any = wandb.Api(overrides={"base_url": backend.base_url}, api_key=key, timeout=60)

    def of(self, ref: SweepRef) -> Iterator[ServerRun]:
        """Read the runs of a sweep and those attached to it, the oldest first."""
        with sdk_errors(f"cannot read the runs of sweep {ref}"):
            yield from map(_server_run, whole_runs(self._api, ref))

    def find(self, ref: RunRef) -> ServerRun | None:
        """Read one run; None if there is none of that id."""
        import wandb

        self._api.flush()  # or it answers from its cache (wandb 0.31)
        with sdk_errors(f"cannot read run {ref}"):
            try:
                return _server_run(self._api.run(ref.path))
            except (ValueError, wandb.Error) as error:
                if "not find" not in str(error):  # the words are all that tells it apart (wandb 0.31)
                    raise
        return None


def _server_run(run: Any) -> ServerRun:
    return ServerRun(
        id=run_name(run.id),
        name=run.name or run.id,
        state=RunState(run.state) if run.state in set(RunState) else RunState.RUNNING,
        sweep=run.sweep_name or "",
        config=dict(run.config),
        summary=dict(run.summary_metrics),
        created_at=utc(run.created_at),
        notes=run.notes or "",
        tags=tuple(run.tags or ()),
        last_step=None if run.lastHistoryStep < 0 else run.lastHistoryStep,
        handle=run,
    )


def turn_to(backend: Backend, settings: Settings) -> None:
    """Point this process's SDK at another server than it was; what it was used for before is at an end.

    Raises:
        BackendError: Nobody listens at the server's address.
    """
    import wandb

    wandb.teardown()  # the SDK would keep its first settings
    connect(backend, settings)


def sync_log(folder: Path, target: RunRef, environ: Mapping[str, str], lock: int) -> None:
    """Send the transaction log in a folder with `wandb sync`, the SDK's own command.

    Args:
        folder: A run's folder, with its log and its files.
        target: Where to.
        environ: The environment that points the SDK at the server.
        lock: An open file that the command keeps open for as long as it lives.

    Raises:
        BackendError: It did not arrive.
    """
    command = ["sync", "--include-online", "--include-synced"]
    command += ["--entity", target.entity, "--project", target.project, "--id", target.run_id, str(folder.absolute())]
    # its words are all that tells why it failed
    env = {name: value for name, value in environ.items() if name != "WANDB_SILENT"}
    done = wandb_command.run(*command, environ=env, keep_open=[lock])
    # wandb 0.31 exits with 0 whatever happens; it marks the log of a run that arrived
    if done.returncode or not any(folder.glob("*.wandb.synced")):
        lines = [line.removeprefix("wandb: ") for line in done.stderr.splitlines() if line.strip()]
        faults = [line.removeprefix("ERROR ") for line in lines if "ERROR" in line] or lines[-1:]
        raise BackendError(f"`wandb sync` failed: {' '.join(faults) or f'exit code {done.returncode}'}")


def attach(ref: SweepRef, definition: SweepDefinition, runs: Sequence[str]) -> None:
    """Attach further runs to a sweep with `wandb sweep --update`, the SDK's own command.

    Raises:
        BackendError: The server refuses it.
    """
    import yaml

    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        yaml.safe_dump(json.loads(json.dumps(definition.to_dict())), file)
        file.flush()
        command = ["sweep", "--update", ref.path, *(word for run in runs for word in ("--prior_run", run))]
        done = wandb_command.run(*command, file.name)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise BackendError(f"cannot attach runs to sweep {ref}: {lines[-1] if lines else done.returncode}")


def read_run(run: RunRef) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give a run's whole config and its summary, as the server has them.

    Raises:
        BackendError: It does not answer.
    """
    with sdk_errors(f"cannot read run {run}"):
        found = find_run(run)
        return dict(found.config), dict(found.summary_metrics)


def files(run: RunRef) -> Iterator[tuple[str, Callable[[Path], object]]]:
    """List a run's files by name, each with what writes it into a folder.

    Raises:
        BackendError: The server does not answer.
    """
    import wandb

    def save(file: Any, into: Path) -> None:
        with sdk_errors(f"cannot download {run}"):
            file.download(root=str(into), exist_ok=True).close()  # it gives the file open

    with sdk_errors(f"cannot read the files of {run}"):
        found = list(wandb.Api().run(run.path).files())
    yield from ((str(file.name), partial(save, file)) for file in found)
