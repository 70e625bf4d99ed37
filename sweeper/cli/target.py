"""What nearly every command begins with: open the backend, say which one it is, find the sweep that is meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.markup import escape

from sweeper.cli.output import err, say_backend
from sweeper.settings import Backend, BackendChoice, Settings

if TYPE_CHECKING:
    from sweeper.ref import SweepRef
    from sweeper.results.status_reader import StatusReader

# The backend room brings pydantic and requests, and with its first question wandb (2 s): `sweeper --help` waits for
# none of them, so they are imported when a command runs.


@dataclass(frozen=True, slots=True)
class Target:
    """The sweep that a command is about, on the server that this process's SDK is pointed at by now.

    Attributes:
        settings: The environment as it was before the SDK was pointed there.
        backend: The server.
        ref: The sweep's full name.
    """

    settings: Settings
    backend: Backend
    ref: SweepRef

    def reader(self) -> StatusReader:
        """Make what reads the sweep's status; it logs in, but asks nothing about the sweep yet."""
        from sweeper.results.status_reader import StatusReader

        return StatusReader(self.ref, self.settings)


def find_target(sweep: str | None, choice: BackendChoice) -> Target:
    """Open the server that is meant and find the sweep on it.

    Args:
        sweep: What the user wrote; None for the sweep created last, and then `auto` means the server it is on.
        choice: What `--backend` says.

    Raises:
        BackendError: There are no credentials for W&B, or nobody answers there.
        ServerError: The embedded server does not start.
        SweepNotFoundError: No sweep was created yet, or the last one lives on another server.
    """
    from sweeper.backend import choose

    settings = Settings.from_env()
    chosen = choose.chosen_backend(settings, choose.follow_last(settings, choice, sweep))
    choose.check_sweep(settings, chosen, sweep)
    backend = choose.connect(settings, chosen)
    say_backend(backend)
    return Target(settings, backend, choose.resolve(settings, backend, sweep))


def open_server(settings: Settings, choice: BackendChoice) -> Backend:
    """Open a server for a sweep that is about to be made, and say on stderr which one.

    Raises:
        BackendError: There are no credentials for W&B, or nobody answers there.
        ServerError: The embedded server does not start.
    """
    from sweeper.backend import choose

    lost = choose.lost_data(settings)
    backend = choose.open_backend(settings, choice)
    if choice == "auto" and backend.kind == "local" and (unread := settings.netrc_trouble):
        err.print(
            f"[yellow]{escape(unread)}: so there is no login for W&B, and the sweep stays here[/]", soft_wrap=True
        )
    if lost and backend.kind == "local":
        err.print(f"[yellow]{escape(lost)}: starting anew[/]", soft_wrap=True)
    say_backend(backend)
    return backend
